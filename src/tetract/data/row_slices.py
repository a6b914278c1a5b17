"""The slices that a row of the table stands for, and rows that had to be left out."""

from __future__ import annotations

import copy
from dataclasses import dataclass

from tetract.data.cells import ALL
from tetract.data.table import TABLE_NAME, Row
from tetract.errors import LabelError, TetractError
from tetract.io import count_slices


@dataclass(frozen=True, slots=True, kw_only=True)
class RowSlice:
    """One slice: a row of the table, or one of the slices that a row stands for.

    Attributes:
        row: The row.
        position: Of the row among all rows of the data set, from 0.
        index: Which slice of its file, from 0; None: as the row says.
    """

    row: Row
    position: int
    index: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """A row, or a slice of it, that cannot be used.

    Attributes:
        row: The row.
        error: Why, naming the table's row.
    """

    row: Row
    error: TetractError


def leave_out(row: Row, error: TetractError) -> LeftOut:
    """Remember why a row is left out, without the traceback that holds what was half read."""
    return LeftOut(row=row, error=copy.copy(error))


def row_slices(row: Row, position: int) -> list[RowSlice]:
    """What a row stands for: itself, or every slice of its volume, counted by its header.

    Raises:
        LabelError: ``E_BOXES_ON_VOLUME`` for boxes on a row that stands for all its slices.
        TetractError: Whatever makes the header of such a row's file unreadable, naming the row.
    """
    if row.slice != ALL:
        return [RowSlice(row=row, position=position, index=None)]
    check_boxes_have_a_slice(row)
    try:
        depth = count_slices(row.image)
    except TetractError as error:
        raise naming_row(error, row) from error
    return [RowSlice(row=row, position=position, index=index) for index in range(depth)]


def check_boxes_have_a_slice(row: Row) -> None:
    """Refuse boxes on a row that stands for all slices of its volume.

    Raises:
        LabelError: ``E_BOXES_ON_VOLUME``.
    """
    if row.slice == ALL and row.boxes:
        raise LabelError(
            "E_BOXES_ON_VOLUME",
            "boxes need a slice, but the row stands for all slices of its volume",
            where=f"{TABLE_NAME} row {row.number}",
            fix="Give each slice with boxes a row of its own",
        )


def naming_row(error: TetractError, row: Row) -> TetractError:
    """The same error, which then says which row of the table it concerns."""
    place = f"{TABLE_NAME} row {row.number}"
    return type(error)(
        error.code,
        error.what,
        where=f"{place}, {error.where}" if error.where else f"{place}, {row.image.name}",
        expected=error.expected,
        found=error.found,
        fix=error.fix,
    )
