"""A table of results, between the rooms that fill it and those that draw it."""

from __future__ import annotations

from dataclasses import dataclass

Cell = str | float | int | bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """One table, ready to be shown.

    Attributes:
        title: Its caption.
        columns: Head of each column.
        rows: Cells, one per column; None is absent.
        note: What to know to read it, and why figures are missing.
        warning: What must be read before any of its numbers, or "".
    """

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    note: str = ""
    warning: str = ""
