"""Fewer labels than the table holds, patient by patient: how much is learnt from how little."""

from __future__ import annotations

import hashlib
import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, get_args

from tetract.data.cells import EMPTY, Split
from tetract.data.config import Column
from tetract.data.table import Row

COLUMNS: Final[tuple[Column, ...]] = get_args(Column)

_Patient = tuple[str, str]
"""Source and group."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """Who keeps the labels of one column.

    Attributes:
        column: Of the table.
        patients: Source and group of those who do.
        of: How many patients are labelled there.
    """

    column: Column
    patients: frozenset[_Patient]
    of: int

    def __str__(self) -> str:
        """For a warning and for the model's description."""
        return f"{self.column} of {len(self.patients)} of {self.of} training patients"


def thin_labels(
    rows: Sequence[Row], shares: Mapping[Column, float]
) -> tuple[tuple[Row, ...], tuple[Kept, ...]]:
    """The rows with the labels of a share of the training patients, and who they are.

    In each source, patients whose labels show the same things are put in an order that depends
    on their names alone, and the first of them keep the column's cells. So every share of a
    column holds all smaller ones, and at least one patient of each kind keeps them. The slices
    of the others stay in the table; those of validation and test are as they were.

    Args:
        rows: Of the whole table.
        shares: By column, above 0 and at most 1.
    """
    kept = tuple(_choose(rows, column, shares[column]) for column in COLUMNS if column in shares)
    return tuple(_thinned(row, kept) for row in rows), kept


def _choose(rows: Iterable[Row], column: Column, share: float) -> Kept:
    shown: defaultdict[_Patient, set[str]] = defaultdict(set)
    for row in rows:
        if row.split == Split.TRAIN and not _is_blank(row, column):
            shown[row.source, row.group] |= set(_shows(row, column))
    alike: defaultdict[tuple[str, frozenset[str]], list[_Patient]] = defaultdict(list)
    for patient, names in shown.items():
        alike[patient[0], frozenset(names)].append(patient)
    chosen: set[_Patient] = set()
    for patients in alike.values():
        # Less a hair: 0.1 of 30 is 3 and a bit in floating point.
        chosen.update(sorted(patients, key=_order)[: math.ceil(share * len(patients) - 1e-9)])
    return Kept(column=column, patients=frozenset(chosen), of=len(shown))


def _order(patient: _Patient) -> str:
    return hashlib.sha256("\t".join(patient).encode()).hexdigest()


def _is_blank(row: Row, column: Column) -> bool:
    cells = {"class": row.label, "mask": row.mask, "boxes": row.boxes}
    return cells[column] is None


def _shows(row: Row, column: Column) -> Iterator[str]:
    if column == "class" and row.label is not None:
        yield "|".join(sorted(row.label))
    if column == "mask" and row.mask is not None:
        yield from (name for name, pixels in row.mask.items() if pixels != EMPTY)
    if column == "boxes" and row.boxes is not None:
        yield from (box.label for box in row.boxes)


def _thinned(row: Row, kept: Iterable[Kept]) -> Row:
    gone = {one.column for one in kept if (row.source, row.group) not in one.patients}
    if row.split != Split.TRAIN or not gone:
        return row
    return replace(
        row,
        label=None if "class" in gone else row.label,
        mask=None if "mask" in gone else row.mask,
        boxes=None if "boxes" in gone else row.boxes,
    )
