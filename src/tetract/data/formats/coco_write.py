"""A dataset folder becomes COCO JSON, one file per split, and pictures."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from tetract.data.card import DatasetCard
from tetract.data.cells import Split
from tetract.data.formats.box_export import BoxExportChoices, export_boxes
from tetract.data.formats.box_export_report import BoxExportReport, BoxTally
from tetract.data.formats.boxed_slices import BoxedSlice, Lesion
from tetract.data.formats.rle import encode_runs, format_counts
from tetract.data.load import DatasetFolder
from tetract.io import atomic_write_text, make_folder

IMAGES: Final = "images"
ANNOTATIONS: Final = "annotations"


def export_coco(dataset: DatasetFolder, out: Path, choices: BoxExportChoices) -> BoxExportReport:
    """Write ``annotations/instances_SPLIT.json`` and ``images``.

    A lesion whose own pixels are known carries them as compressed run lengths. A looked-at
    negative is listed without annotation.

    Raises:
        InputError: As ``export_boxes``.
        MachineError: As ``export_boxes``.
    """
    return export_boxes(dataset, out, _Coco(dataset.card), choices)


class _Coco:
    """The JSON files under way."""

    name = "coco"

    def __init__(self, card: DatasetCard) -> None:
        self._card = card
        self._images: dict[Split, list[dict[str, Any]]] = {}
        self._annotations: dict[Split, list[dict[str, Any]]] = {}
        self._image = self._annotation = 0

    def pictures(self, found: BoxedSlice) -> Path | None:
        """One folder for all splits."""
        del found
        return Path(IMAGES)

    def refusal(self, found: BoxedSlice) -> str:
        """Nothing is refused."""
        del found
        return ""

    def add(self, place: Path, found: BoxedSlice) -> None:
        """Add a slice and its lesions."""
        del place
        self._image += 1
        height, width = found.canvas
        licence = 1 + [source.name for source in self._card.sources].index(found.row.source)
        entry = {"id": self._image, "file_name": f"{found.name}.png"}
        size = {"width": width, "height": height, "license": licence}
        self._images.setdefault(found.split, []).append(entry | size)
        for lesion in found.lesions:
            self._annotation += 1
            self._annotations.setdefault(found.split, []).append(self._entry(lesion))

    def finish(self, place: Path, tally: BoxTally, notes: Sequence[str]) -> None:
        """Write one file per split; classes that nobody looked for are no categories."""
        common = {
            "info": {"description": self._card.name, "notes": list(notes)},
            "licenses": [
                {"id": number, "name": source.licence, "url": ""}
                for number, source in enumerate(self._card.sources, 1)
            ],
            "categories": [
                {"id": number, "name": name}
                for number, name in enumerate(self._card.box_classes, 1)
                if name in tally.known
            ],
        }
        make_folder(place / ANNOTATIONS)
        for split, images in self._images.items():
            found = {"images": images, "annotations": self._annotations.get(split, [])}
            text = json.dumps(common | found, separators=(",", ":")) + "\n"
            atomic_write_text(place / ANNOTATIONS / f"instances_{split}.json", text)

    def _entry(self, lesion: Lesion) -> dict[str, Any]:
        x0, y0, x1, y1 = lesion.xyxy
        segmentation: Any = []
        area = (x1 - x0) * (y1 - y0)
        if lesion.mask is not None:
            counts = format_counts(encode_runs(lesion.mask))
            segmentation = {"size": list(lesion.mask.shape), "counts": counts}
            area = float(lesion.mask.sum())
        return {
            "id": self._annotation,
            "image_id": self._image,
            "category_id": 1 + self._card.box_classes.index(lesion.label),
            "bbox": [x0, y0, x1 - x0, y1 - y0],
            "area": area,
            "iscrowd": 0,
            "segmentation": segmentation,
        }
