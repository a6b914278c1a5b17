"""One row of a data set, and the table file that holds the rows."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar

from tetract.data.card import DatasetCard
from tetract.data.cells import (
    UNKNOWN,
    BoxEntry,
    MaskCell,
    MaskSource,
    SliceIndex,
    Split,
    check_known,
    format_boxes,
    format_class,
    format_mask,
    format_slice,
    parse_boxes,
    parse_class,
    parse_mask,
    parse_slice,
    parse_split,
)
from tetract.data.records import Record
from tetract.errors import LabelError

TABLE_NAME: Final = "table.csv"
COLUMNS: Final = [
    "image",
    "slice",
    "patient",
    "study",
    "series",
    "source",
    "split",
    "class",
    "mask",
    "boxes",
    "note",
]

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One slice, or one volume, and what is known about it. None is *not labelled*.

    Attributes:
        image: Absolute path of a file, or of a folder holding one series.
        source: Name of its source in the card.
        slice: Index in reader order from 0; None for a single picture; ``ALL`` for a volume.
        patient: Grouping key, or None where the source publishes none.
        study: Study key, or None.
        series: Series key, or None.
        split: Where it belongs.
        label: Candidate classes: one name for a known class, or None.
        mask: Mask class to its pixels or ``EMPTY``; classes not named are unknown. Or None.
        boxes: The boxes; ``()`` is a looked-at negative. Or None.
        note: Free text.
        number: Row of the table it came from, for messages; the header is row 1. It is not part
            of what the row says, so equal rows may differ in it.
    """

    image: Path
    source: str
    slice: SliceIndex = None
    patient: str | None = None
    study: str | None = None
    series: str | None = None
    split: Split = Split.UNASSIGNED
    label: frozenset[str] | None = None
    mask: MaskCell | None = None
    boxes: tuple[BoxEntry, ...] | None = None
    note: str = ""
    number: int = 0

    @property
    def group(self) -> str:
        """What must stay on one side of a split: the patient, or else the image.

        An image is named by its folder and base name only, so that the same data set in another
        place is split in the same way.
        """
        if self.patient is not None:
            return self.patient
        return f"image:{self.image.parent.name}/{self.image.name}"


def parse_row(record: Record, card: DatasetCard, root: Path) -> Row:
    """The row of one record of ``table.csv``.

    Args:
        record: Cells under the names of ``COLUMNS``.
        card: Sources and label names.
        root: Absolute folder that relative paths start from.

    Raises:
        LabelError: What is wrong, naming row and column.
    """
    cells = record.cells
    source = _at(record, "source", card.source)
    mask = _at(record, "mask", lambda text: parse_mask(text, source.mask_classes))
    return Row(
        image=_at(record, "image", lambda text: root / _filled(text)),
        source=source.name,
        slice=_at(record, "slice", parse_slice),
        patient=_at(record, "patient", lambda text: _key(_filled(text))),
        study=_key(cells.get("study", "")),
        series=_key(cells.get("series", "")),
        split=_at(record, "split", parse_split),
        label=_at(record, "class", parse_class),
        mask=None if mask is None else _anchored(mask, root),
        boxes=_at(record, "boxes", parse_boxes),
        note=cells.get("note", ""),
        number=record.number,
    )


def check_names(row: Row, card: DatasetCard) -> None:
    """Refuse label names that the card, or the row's source, does not know.

    Raises:
        LabelError: ``E_LABEL_UNKNOWN`` or ``E_SOURCE_UNKNOWN``, naming the row.
    """
    cells = {"source": row.source, "class": "", "mask": "", "boxes": ""}
    record = Record(number=row.number, cells=cells)
    source = _at(record, "source", card.source)

    def each(names: Iterable[str], known: tuple[str, ...], kind: str) -> None:
        for name in sorted(names):
            check_known(name, known, kind)

    lesions = {box.label for box in row.boxes or ()}
    _at(record, "class", lambda _: each(row.label or (), card.classes, "class"))
    _at(record, "mask", lambda _: each(row.mask or (), card.mask_classes, "mask class"))
    _at(record, "boxes", lambda _: each(lesions, card.box_classes, "box class"))
    of_source = f"for source {source.name}"
    looked_for, boxed = source.mask_classes, source.box_classes
    _at(record, "mask", lambda _: each(row.mask or (), looked_for, f"mask class {of_source}"))
    _at(record, "boxes", lambda _: each(lesions, boxed, f"box class {of_source}"))
    if row.boxes is not None and not boxed:
        raise LabelError(
            "E_BAD_CELL",
            "boxes are labelled, but the source looked for no lesion",
            where=place(row.number, "boxes"),
            fix="Write unknown, or name the lesions in the source's box_classes",
        )


def render_table(rows: Iterable[Row], card: DatasetCard, root: Path) -> str:
    """The text of ``table.csv``; files under ``root`` are named relative to it."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for row in rows:
        looked_for = card.source(row.source).mask_classes
        mask = None if row.mask is None else _relative_mask(row.mask, root)
        writer.writerow(
            [
                _relative(row.image, root).as_posix(),
                format_slice(row.slice),
                row.patient or UNKNOWN,
                row.study or UNKNOWN,
                row.series or UNKNOWN,
                row.source,
                str(row.split),
                format_class(row.label),
                format_mask(mask, looked_for),
                format_boxes(row.boxes),
                " ".join(row.note.split()),
            ]
        )
    return text.getvalue()


def place(number: int, column: str) -> str:
    """How messages name a cell."""
    return f"{TABLE_NAME} row {number} column {column}"


def _at(record: Record, column: str, parse: Callable[[str], Value]) -> Value:
    """Parse one cell; an error gains the cell's place."""
    try:
        return parse(record.cells[column])
    except LabelError as error:
        raise LabelError(
            error.code,
            error.what,
            where=place(record.number, column),
            expected=error.expected,
            found=error.found,
            fix=error.fix,
        ) from None


def _filled(text: str) -> str:
    if not text:
        raise LabelError(
            "E_BAD_CELL", "cell is blank", fix="Fill it; an unknown patient is unknown"
        )
    return text


def _key(text: str) -> str | None:
    return None if text in ("", UNKNOWN) else text


def _anchored(mask: MaskCell, root: Path) -> MaskCell:
    return {
        name: MaskSource(path=root / m.path, value=m.value) if isinstance(m, MaskSource) else m
        for name, m in mask.items()
    }


def _relative(path: Path, root: Path) -> Path:
    return path.relative_to(root) if path.is_relative_to(root) else path


def _relative_mask(mask: MaskCell, root: Path) -> MaskCell:
    return {
        name: MaskSource(path=_relative(m.path, root), value=m.value)
        if isinstance(m, MaskSource)
        else m
        for name, m in mask.items()
    }
