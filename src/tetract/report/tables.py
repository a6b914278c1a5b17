"""Tables of results, from plain values."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from tetract.report.markup import DASH, Html, el, join

Cell = str | float | int | bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """One table.

    Attributes:
        title: Its caption.
        columns: Head of each column.
        rows: Cells; None shows as a dash, ``Html`` is taken as it is.
        note: A sentence under the table.
    """

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    note: str = ""


def render(table: Table) -> Html:
    """The table in HTML; columns of numbers are set to the right."""
    right = [_is_numeric([row[c] for row in table.rows]) for c in range(len(table.columns))]
    head = el("tr", *(_cell("th", name, right[c]) for c, name in enumerate(table.columns)))
    body = join(
        el("tr", *(_cell("td", show(value), right[c]) for c, value in enumerate(row)))
        for row in table.rows
    )
    drawn = el(
        "table",
        el("caption", table.title) if table.title else Html(),
        el("thead", head),
        el("tbody", body),
    )
    note = el("p", table.note, class_="soft") if table.note else Html()
    return join((el("div", drawn, class_="scroll"), note))


def show(value: Cell) -> str:
    """A cell as text: three decimals, a dash for what is absent."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return DASH
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:,.3f}"
    return f"{value:,}" if isinstance(value, int) else value


def tables_from(evaluation: Mapping[str, object] | Sequence[object]) -> tuple[Table, ...]:
    """Tables out of evaluation JSON.

    Understood are: a list of ``{title, columns, rows, note}``; a mapping with such a list under
    ``tables``; and any nested mapping, where sub-mappings of plain values that share a parent
    become the rows of one table.
    """
    if isinstance(evaluation, Mapping):
        given = evaluation.get("tables")
        if not isinstance(given, list):
            return tuple(_nested("", evaluation))
        evaluation = cast("list[object]", given)
    return tuple(_given(cast("Mapping[str, object]", item)) for item in evaluation)


def _given(item: Mapping[str, object] | Table) -> Table:
    if isinstance(item, Table):
        return item
    rows = cast("Sequence[Sequence[object]]", item.get("rows", ()))
    return Table(
        title=str(item.get("title", "")),
        columns=tuple(str(name) for name in cast("Sequence[object]", item.get("columns", ()))),
        rows=tuple(tuple(_plain(value) for value in row) for row in rows),
        note=str(item.get("note") or ""),
    )


def _nested(title: str, branch: Mapping[str, object]) -> list[Table]:
    leaves = {name: value for name, value in branch.items() if not isinstance(value, Mapping)}
    inner = {
        name: cast("Mapping[str, object]", value)
        for name, value in branch.items()
        if isinstance(value, Mapping)
    }
    flat = {name: value for name, value in inner.items() if not _has_mapping(value)}
    found: list[Table] = []
    if leaves:
        rows = tuple((name, _plain(value)) for name, value in leaves.items())
        found.append(Table(title=title, columns=("", "value"), rows=rows))
    if flat:
        columns = tuple(dict.fromkeys(key for value in flat.values() for key in value))
        body = tuple(
            (name, *(_plain(value.get(key)) for key in columns)) for name, value in flat.items()
        )
        found.append(Table(title=title, columns=("", *columns), rows=body))
    for name, value in inner.items():
        if name not in flat:
            found += _nested(f"{title} / {name}" if title else name, value)
    return found


def _has_mapping(branch: Mapping[str, object]) -> bool:
    return any(isinstance(value, Mapping) for value in branch.values())


def _plain(value: object) -> Cell:
    if value is None or isinstance(value, (str, int, float)):
        return value
    if isinstance(value, (list, tuple)):
        return ", ".join(show(_plain(part)) for part in cast("Sequence[object]", value))
    return str(value)


def _is_numeric(values: Sequence[Cell]) -> bool:
    known = [value for value in values if value is not None]
    return bool(known) and all(isinstance(v, (int, float)) for v in known)


def _cell(name: str, value: str, right: bool) -> Html:
    return el(name, value, class_="n") if right else el(name, value)
