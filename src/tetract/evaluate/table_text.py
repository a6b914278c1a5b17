"""Tables as text: Markdown to read, LaTeX to publish."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from tetract.types.table import Cell, Table

_LATEX: Final = {
    "\\": r"\textbackslash{}",
    **{sign: "\\" + sign for sign in "&%$#_{}"},
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    "[": "{[}",  # after a line's end it would be read as a length
    "]": "{]}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "\N{EM DASH}": "---",
    "\N{EN DASH}": "--",
    "\N{MINUS SIGN}": "$-$",
    "\N{MULTIPLICATION SIGN}": r"$\times$",
}


def to_markdown(table: Table) -> str:
    """Title, warning, grid and note of one table."""
    return "\n\n".join(_markdown(table)) + "\n"


def to_latex(table: Table) -> str:
    """A ``table`` environment in the style of booktabs, warning and note in its caption."""
    heading = " ".join(part for part in (table.warning, table.note) if part)
    columns = "l" + "r" * (len(table.columns) - 1)
    lines = [
        r"\begin{table}",
        rf"\caption{{{_latex(table.title)}. {_latex(heading)}}}",
        rf"\begin{{tabular}}{{{columns}}}",
        r"\toprule",
        _latex_row(table.columns),
        r"\midrule",
        *(_latex_row(row) for row in table.rows),
        r"\bottomrule",
        r"\end{tabular}",
        r"\end{table}",
    ]
    return "\n".join(lines) + "\n"


def _markdown(table: Table) -> Iterator[str]:
    yield f"## {table.title}"
    if table.warning:
        yield f"> **{table.warning}**"
    yield _grid(table)
    if table.note:
        yield table.note


def _grid(table: Table) -> str:
    """The cells: names to the left, figures to the right."""
    ruler = [":--", *["--:"] * (len(table.columns) - 1)]
    # A bar inside a name would open a new column.
    body = [[_shown(cell).replace("|", "\\|") for cell in row] for row in table.rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (table.columns, ruler, *body))


def _latex_row(cells: tuple[Cell, ...]) -> str:
    return " & ".join(_latex(_shown(cell)) for cell in cells) + r" \\"


def _latex(text: str) -> str:
    return "".join(_LATEX.get(sign, sign) for sign in text)


def _shown(cell: Cell) -> str:
    return "" if cell is None else str(cell)
