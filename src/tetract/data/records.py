"""A CSV file as plain records: one dict of text per row, numbered as a spreadsheet shows them."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from tetract.errors import InputError, ReadError


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One row of a CSV file.

    Attributes:
        number: Row number; the header is row 1.
        cells: Column name to text, blanks around it removed.
    """

    number: int
    cells: dict[str, str]


def read_records(path: Path, *, required: Iterable[str]) -> tuple[tuple[str, ...], list[Record]]:
    """Read a CSV table: its column names and its rows.

    Args:
        path: UTF-8, with or without a byte-order mark, comma separated, header in row 1.
        required: Columns that must be there.

    Raises:
        ReadError: ``E_NO_FILE``; ``E_BAD_TABLE`` when it is not such a table or a row has more
            or fewer cells than the header.
        InputError: ``E_NO_COLUMN`` naming the missing column; ``E_EMPTY_DATASET`` without rows.
    """
    if not path.is_file():
        raise ReadError("E_NO_FILE", "file does not exist", where=path.name)
    try:
        with path.open(newline="", encoding="utf-8-sig") as stream:
            lines = [x for x in enumerate(csv.reader(stream, strict=True), 1) if x[1]]
    except (csv.Error, UnicodeDecodeError) as error:
        raise ReadError(
            "E_BAD_TABLE", f"not a UTF-8 CSV table: {error}", where=path.name
        ) from error
    if not lines:
        raise InputError("E_EMPTY_DATASET", "table is empty", where=path.name)
    header = tuple(name.strip() for name in lines[0][1])
    _check_header(header, required, path.name)
    if len(lines) == 1:
        raise InputError("E_EMPTY_DATASET", "table has a header but no row", where=path.name)
    return header, [_record(i, header, line, path.name) for i, line in lines[1:]]


def _check_header(header: tuple[str, ...], required: Iterable[str], name: str) -> None:
    if len(set(header)) != len(header):
        raise ReadError("E_BAD_TABLE", "two columns have the same name", where=name)
    missing = [column for column in required if column not in header]
    if missing:
        raise InputError(
            "E_NO_COLUMN",
            f"table has no column '{missing[0]}'",
            where=name,
            found=", ".join(header),
            fix="Add the column, or name the right one",
        )


def _record(number: int, header: tuple[str, ...], line: list[str], name: str) -> Record:
    if len(line) != len(header):
        raise ReadError(
            "E_BAD_TABLE",
            "row does not fit the header",
            where=f"{name} row {number}",
            expected=f"{len(header)} cells",
            found=f"{len(line)}",
            fix="Quote cells that hold a comma",
        )
    return Record(
        number=number,
        cells={column: cell.strip() for column, cell in zip(header, line, strict=True)},
    )
