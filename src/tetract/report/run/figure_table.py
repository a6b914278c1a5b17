"""Tables whose cells are figures: number above interval, both set to the right."""

from __future__ import annotations

import re
from typing import Final

from tetract.report.markup import DASH, Html, el, join
from tetract.report.tables import show
from tetract.types.table import Cell, Table

# What ``evaluate.table_cells`` writes: 0.812 [0.754, 0.861] (40 / 12 +3?)
_FIGURE: Final = re.compile(
    r"(?P<value>-?[\d.]+)(?: \[(?P<low>-?[\d.]+), (?P<high>-?[\d.]+)\])?"
    r" \((?P<support>\d+ / \d+(?: \+\d+\?)?)\)"
)
_COUNT: Final = re.compile(r"-?[\d.,]+|\N{EM DASH}(\[\d+\])?|unknown")


def figure_table(table: Table) -> Html:
    """The table; slices and patients stand in one column where they agree along every row."""
    shared = _shared_supports(table)
    columns = [*table.columns, *(["slices / patients"] if shared else [])]
    right = [_is_right(table, c) for c in range(len(table.columns))] + [True]
    head = el("tr", *(_cell("th", name, is_right=right[c]) for c, name in enumerate(columns)))
    body: list[Html] = []
    for at, row in enumerate(table.rows):
        cells = [
            _cell("td", _written(cell, with_support=not shared), is_right=right[c])
            for c, cell in enumerate(row)
        ]
        if shared:
            cells.append(_cell("td", el("small", shared[at]), is_right=True))
        body.append(el("tr", *cells))
    drawn = el(
        "table", el("caption", table.title), el("thead", head), el("tbody", *body), class_="figures"
    )
    warning = el("p", table.warning, class_="banner") if table.warning else Html()
    note = el("p", table.note, class_="caption") if table.note else Html()
    return el("div", warning, el("div", drawn, class_="scroll"), note, class_="tablebox")


def _written(cell: Cell, *, with_support: bool) -> Html:
    found = _FIGURE.fullmatch(cell) if isinstance(cell, str) else None
    if found is None:
        return el("span", show(cell))
    low, high = found["low"], found["high"]
    parts = [el("b", found["value"])]
    if low is not None:
        # A dash before a negative number would be read as a sign.
        joint = " to " if low.startswith("-") or high.startswith("-") else DASH
        parts.append(el("small", f"{low}{joint}{high}"))
    if with_support:
        parts.append(el("small", found["support"]))
    return join(parts)


def _shared_supports(table: Table) -> list[str]:
    """Of each row; nothing where figures of one row rest on different slices."""
    supports: list[str] = []
    for row in table.rows:
        found = [_FIGURE.fullmatch(cell) for cell in row if isinstance(cell, str)]
        known = {one["support"] for one in found if one is not None}
        if len(known) > 1:
            return []
        supports.append(known.pop() if known else "")
    return supports if any(supports) else []


def _is_right(table: Table, column: int) -> bool:
    cells = [row[column] for row in table.rows if row[column] is not None]
    return bool(cells) and all(_is_number(cell) for cell in cells)


def _is_number(cell: Cell) -> bool:
    if isinstance(cell, str):
        return bool(_FIGURE.fullmatch(cell) or _COUNT.fullmatch(cell))
    return not isinstance(cell, bool)


def _cell(name: str, content: str, *, is_right: bool) -> Html:
    return el(name, content, class_="n") if is_right else el(name, content)
