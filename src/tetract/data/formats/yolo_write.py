"""A dataset folder becomes YOLO text labels, ``data.yaml`` and pictures."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from tetract.data.cells import Split
from tetract.data.formats.box_export import BoxExportChoices, export_boxes
from tetract.data.formats.box_export_report import BoxExportReport, BoxTally
from tetract.data.formats.boxed_slices import BoxedSlice, Lesion
from tetract.data.formats.outline_pixels import trace
from tetract.data.load import DatasetFolder
from tetract.io import atomic_write_text, make_folder


def export_yolo(
    dataset: DatasetFolder, out: Path, choices: BoxExportChoices, *, outlines: bool = False
) -> BoxExportReport:
    """Write ``images/SPLIT``, ``labels/SPLIT`` and ``data.yaml``.

    A looked-at negative has an empty label file. Slices with unknown boxes are left out: a
    picture without a label file would be taken for a negative.

    Args:
        dataset: The data set.
        out: A new folder.
        choices: What a person said.
        outlines: Write each lesion's outline instead of its box; slices with a lesion whose own
            pixels are unknown are left out, since the format cannot mix both.

    Raises:
        InputError: As ``export_boxes``.
        MachineError: As ``export_boxes``.
    """
    layout = _Yolo(dataset.card.box_classes, outlines=outlines)
    return export_boxes(dataset, out, layout, choices)


class _Yolo:
    """The label files under way."""

    name = "yolo"

    def __init__(self, classes: tuple[str, ...], *, outlines: bool) -> None:
        self._classes = classes
        self._outlines = outlines
        self._splits: set[Split] = set()

    def pictures(self, found: BoxedSlice) -> Path | None:
        """One folder per split."""
        return Path("images", found.split)

    def refusal(self, found: BoxedSlice) -> str:
        """Outlines need pixels."""
        if self._outlines and any(lesion.mask is None for lesion in found.lesions):
            return "a lesion without pixels of its own"
        return ""

    def add(self, place: Path, found: BoxedSlice) -> None:
        """Write the label file of a slice."""
        self._splits.add(found.split)
        lines = [self._line(lesion, found.canvas) for lesion in found.lesions]
        folder = place / "labels" / found.split
        make_folder(folder)
        atomic_write_text(folder / f"{found.name}.txt", "".join(f"{line}\n" for line in lines))

    def finish(self, place: Path, tally: BoxTally, notes: Sequence[str]) -> None:
        """Write ``data.yaml``. Numbers of classes are those of the card, whoever was looked for."""
        del tally
        content: dict[str, Any] = {"path": "."}
        content |= {str(s): f"images/{s}" for s in Split if s in self._splits}
        content |= {"names": dict(enumerate(self._classes)), "notes": list(notes)}
        text = yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=100)
        atomic_write_text(place / "data.yaml", text)

    def _line(self, lesion: Lesion, canvas: tuple[int, int]) -> str:
        height, width = canvas
        if self._outlines and lesion.mask is not None:
            numbers = (trace(lesion.mask) / np.array([width, height])).ravel().tolist()
        else:
            x0, y0, x1, y1 = lesion.xyxy
            centre = [(x0 + x1) / 2 / width, (y0 + y1) / 2 / height]
            numbers = [*centre, (x1 - x0) / width, (y1 - y0) / height]
        return " ".join([str(self._classes.index(lesion.label)), *map(repr, numbers)])
