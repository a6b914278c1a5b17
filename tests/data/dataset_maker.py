"""Small data sets for the tests of this folder."""

from __future__ import annotations

import csv
from pathlib import Path

from tetract.data import DatasetCard, Row, SourceCard
from tetract.data.table import COLUMNS


def a_source(name: str = "site", **changes: object) -> SourceCard:
    fields: dict[str, object] = {
        "name": name,
        "citation": "none",
        "licence": "none",
        "hu_known": True,
        "mask_classes": ("lung", "nodule"),
        "box_classes": ("nodule",),
        "patient_ids": "partly",
        "group_by": "patient",
    }
    return SourceCard.model_validate(fields | changes)


def a_card(*sources: SourceCard) -> DatasetCard:
    return DatasetCard(
        name="toy",
        classes=("normal", "covid", "cancer"),
        mask_classes=("lung", "nodule"),
        box_classes=("nodule",),
        sources=sources or (a_source(),),
    )


def a_row(folder: Path, name: str = "a.png", **changes: object) -> Row:
    """A row whose image exists."""
    image = folder / name
    image.touch()
    return Row(image=image, source="site", **changes)  # pyright: ignore[reportArgumentType]  fields by name


def write_table(folder: Path, *rows: dict[str, str]) -> None:
    """A table.csv of unlabelled rows on ``a.png``, changed as each dict says."""
    plain = dict.fromkeys(("patient", "study", "series", "class", "mask", "boxes"), "unknown")
    plain |= {"image": "a.png", "slice": "-", "source": "site", "split": "train", "note": ""}
    (folder / "a.png").touch()
    with (folder / "table.csv").open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, COLUMNS)
        writer.writeheader()
        writer.writerows({**plain, **row} for row in rows)
