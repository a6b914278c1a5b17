"""The rows of a data set gathered into the cases that other layouts count."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from tetract.data.cells import ALL, Split
from tetract.data.formats.class_names import source_name
from tetract.data.load import DatasetFolder
from tetract.data.table import Row
from tetract.errors import LabelError


class Content(StrEnum):
    """Which images are exported: never two kinds at once, since no layout can tell them apart."""

    HU = "hu"
    GREY = "grey"
    PICTURES = "pictures"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportCase:
    """One image and its rows.

    Attributes:
        name: What it is called in the export: made of numbers only, so that it tells nobody who
            the patient is. Cases of one patient share ``p0001``; ``u0002`` is of an unknown one.
        image: Its file or folder.
        rows: Its rows in the order of the table.
    """

    name: str
    image: Path
    rows: tuple[Row, ...]

    @property
    def split(self) -> Split:
        """Where it belongs; the rows of an image agree on it."""
        return self.rows[0].split

    @property
    def source(self) -> str:
        """Name of its source."""
        return self.rows[0].source

    def row_of(self, index: int) -> Row | None:
        """The row that speaks for a slice."""
        return next((row for row in self.rows if row.slice in (ALL, None, index)), None)


def gather_cases(dataset: DatasetFolder, sources: Sequence[str]) -> list[ExportCase]:
    """All images of the wanted sources, in the order of the table.

    Args:
        dataset: The data set.
        sources: Names of sources; none: all of them.

    Raises:
        LabelError: ``E_SOURCE_UNKNOWN``.
    """
    for name in sources:
        dataset.card.source(name)
    wanted = [row for row in dataset.rows if not sources or row.source in sources]
    stem = source_name(dataset.card.name, "case")
    patients: dict[tuple[str, str], list[Path]] = {}
    by_image: dict[Path, list[Row]] = {}
    for row in wanted:
        by_image.setdefault(row.image, []).append(row)
        kind = "u" if row.patient is None else "p"
        images = patients.setdefault((kind, row.group), [])
        if row.image not in images:
            images.append(row.image)
    names: dict[Path, str] = {}
    for number, ((kind, _), images) in enumerate(patients.items(), 1):
        for scan, image in enumerate(images, 1):
            names[image] = f"{stem}_{kind}{number:04d}_s{scan:02d}"
    return [
        ExportCase(name=names[image], image=image, rows=tuple(rows))
        for image, rows in by_image.items()
    ]


def wanted_classes(dataset: DatasetFolder, classes: Sequence[str]) -> tuple[str, ...]:
    """The mask classes of an export, the one that wins an overlap first.

    Without a choice: lesions before the rest, each in the order of the card, because a lesion
    lies inside an organ and would vanish under it.

    Raises:
        LabelError: ``E_LABEL_UNKNOWN``, or ``E_NO_MASK_CLASS`` where the data set has none.
    """
    known = dataset.card.mask_classes
    for name in classes:
        _check_mask_class(name, known)
    if classes:
        return tuple(dict.fromkeys(classes))
    if not known:
        raise LabelError(
            "E_NO_MASK_CLASS",
            "the data set has no mask class, so there is no label map to write",
            where=dataset.root.name,
            fix="Export classes or boxes with export decathlon --labels",
        )
    lesions = [name for name in known if name in dataset.card.box_classes]
    return (*lesions, *(name for name in known if name not in lesions))


def _check_mask_class(name: str, known: Iterable[str]) -> None:
    if name not in known:
        raise LabelError(
            "E_LABEL_UNKNOWN",
            f"unknown mask class '{name}'",
            expected="one of " + ", ".join(known),
        )
