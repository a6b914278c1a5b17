"""Numbers in the cells of a foreign table."""

from __future__ import annotations

import math

from tetract.data.records import Record
from tetract.errors import LabelError


def number_in(record: Record, column: str) -> float:
    """The finite number in a cell.

    Raises:
        LabelError: ``E_BAD_CELL`` naming row and column.
    """
    try:
        value = float(record.cells[column])
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise _bad(record.cells[column], record, column, "a number")
    return value


def numbers_in(record: Record, column: str, count: int) -> tuple[float, ...]:
    """A cell's numbers, separated by commas.

    Raises:
        LabelError: ``E_BAD_CELL`` unless they are ``count`` finite numbers.
    """
    text = record.cells[column]
    try:
        values = tuple(float(part) for part in text.split(","))
    except ValueError:
        values = ()
    if len(values) != count or not all(map(math.isfinite, values)):
        raise _bad(text, record, column, f"{count} numbers with commas between them")
    return values


def _bad(text: str, record: Record, column: str, expected: str) -> LabelError:
    return LabelError(
        "E_BAD_CELL",
        "not a number",
        where=f"row {record.number} column {column}",
        expected=expected,
        found=f"'{text[:40]}'",
    )
