"""Tables of results in HTML."""

from __future__ import annotations

import math
from collections.abc import Sequence

from tetract.report.markup import DASH, Html, el, join
from tetract.types.table import Cell, Table


def render(table: Table) -> Html:
    """The table in HTML, its warning first; columns of numbers are set to the right."""
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
    warning = el("p", table.warning, class_="banner") if table.warning else Html()
    note = el("p", table.note, class_="soft") if table.note else Html()
    return join((warning, el("div", drawn, class_="scroll"), note))


def show(value: Cell) -> str:
    """A cell as text: three decimals, a dash for what is absent."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return DASH
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:,.3f}"
    return f"{value:,}" if isinstance(value, int) else value


def _is_numeric(values: Sequence[Cell]) -> bool:
    known = [value for value in values if value is not None]
    return bool(known) and all(isinstance(v, (int, float)) for v in known)


def _cell(name: str, value: str, right: bool) -> Html:
    return el(name, value, class_="n") if right else el(name, value)
