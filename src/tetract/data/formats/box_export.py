"""The way of every export of boxes: slice by slice into a folder that appears when it is whole."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable

from tetract.data.formats.box_export_report import (
    REPORT_NAME,
    BoxExportReport,
    BoxTally,
    export_notes,
)
from tetract.data.formats.box_pictures import Window, check_window, write_picture
from tetract.data.formats.boxed_slices import BoxedSlice, boxed_slices
from tetract.data.formats.export_images import whole_folder
from tetract.data.load import DatasetFolder
from tetract.io import atomic_write_text


@runtime_checkable  # the tests check arguments as the program runs
class BoxLayout(Protocol):
    """What differs from format to format."""

    @property
    def name(self) -> str:
        """``coco``, ``yolo`` or ``voc``."""
        ...

    def pictures(self, found: BoxedSlice) -> Path | None:
        """Folder of the slice's picture below the export; None where no picture is written."""
        ...

    def refusal(self, found: BoxedSlice) -> str:
        """Why the format cannot take a slice; "" where it can."""
        ...

    def add(self, place: Path, found: BoxedSlice) -> None:
        """Take a slice whose picture is written."""
        ...

    def finish(self, place: Path, tally: BoxTally, notes: Sequence[str]) -> None:
        """Write what is written last."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class BoxExportChoices:
    """What a person said.

    Attributes:
        window_hu: HU that become black and white in pictures, where values are HU.
        sources: Names of sources; none: all.
    """

    window_hu: Window | None = None
    sources: tuple[str, ...] = ()


def export_boxes(
    dataset: DatasetFolder, out: Path, layout: BoxLayout, choices: BoxExportChoices
) -> BoxExportReport:
    """Write the slices whose boxes are known.

    Slices with unknown boxes are left out and counted; looked-at negatives are written as the
    format says that somebody looked in vain.

    Args:
        dataset: The data set.
        out: A new folder.
        layout: The format.
        choices: What a person said.

    Raises:
        InputError: ``E_OUT_NOT_EMPTY``, ``E_CHOICE_OPEN`` for HU without a window,
            ``E_SOURCE_UNKNOWN``, ``E_EMPTY_EXPORT``.
        MachineError: ``E_DISK_FULL`` or ``E_CANNOT_WRITE``.
    """
    tally, sources = BoxTally(), choices.sources
    with whole_folder(out) as place:
        for found in boxed_slices(dataset, sources, tally):
            refusal = layout.refusal(found)
            folder = layout.pictures(found)
            if folder is not None and not refusal:
                check_window(found, choices.window_hu)
                refusal = write_picture(place / folder, found, choices.window_hu)
            if refusal:
                tally.left_out[refusal] += 1
                continue
            layout.add(place, found)
            shown = [(lesion.label, lesion.mask is not None) for lesion in found.lesions]
            tally.write(found.name, found.row, shown)
        tally.check_any(dataset.root.name)
        notes = export_notes(dataset.card, tally, sources)
        layout.finish(place, tally, notes)
        report = BoxExportReport(layout=layout.name, tally=tally, notes=notes)
        atomic_write_text(place / REPORT_NAME, json.dumps(report.as_json(), indent=1) + "\n")
    return report
