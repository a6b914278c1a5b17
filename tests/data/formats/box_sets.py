"""Small foreign data sets of boxes for the tests of this folder."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from tetract.data.formats.box_choices import BoxChoices
from tetract.data.formats.patient_rule import PatientRule
from tetract.data.formats.renames import parse_renames
from tetract.io import write_png

SIDE = 64


def picture(path: Path, shape: tuple[int, int] = (SIDE, SIDE)) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    # No two pictures alike: equal ones would be one image for a cache or an audit.
    value = sum(path.name.encode()) % 200
    write_png(path, np.full(shape, value, dtype=np.uint8))
    return path


def choices(*renames: str, **changes: Any) -> BoxChoices:
    said: dict[str, Any] = {
        "name": "site",
        "licence": "none stated",
        "citation": "none",
        "hu_known": False,
        "patients": PatientRule(),
        "renames": parse_renames(renames),
    }
    return BoxChoices(**(said | changes))


def annotation(number: int = 1, image: int = 1, **changes: Any) -> dict[str, Any]:
    plain: dict[str, Any] = {"id": number, "image_id": image, "category_id": 1, "iscrowd": 0}
    return plain | {"bbox": [10, 20, 30, 10]} | changes


class Coco:
    """A COCO file whose images ``a.png`` and ``b.png`` exist."""

    def __init__(self, folder: Path) -> None:
        self.images, self.out, self.file = folder / "im", folder / "out", folder / "coco.json"
        for name in ("a.png", "b.png"):
            picture(self.images / name)
        self.content: dict[str, Any] = {
            "images": [
                {"id": i, "file_name": name, "width": SIDE, "height": SIDE}
                for i, name in ((1, "a.png"), (2, "b.png"))
            ],
            "categories": [{"id": 1, "name": "nodule"}],
            "annotations": [],
        }

    def write(self, *annotations: dict[str, Any]) -> Path:
        self.content["annotations"] = list(annotations)
        self.file.write_text(json.dumps(self.content), encoding="utf-8")
        return self.file
