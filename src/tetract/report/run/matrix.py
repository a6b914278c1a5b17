"""A table of confusion, shaded by the share of its row."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from tetract.report.markup import Html, el, text
from tetract.types.chart import Matrix

_NARROW: Final = 3
"""Classes that fit the width of one chart; more take that of two."""


def matrix(given: Matrix) -> Html:
    """Heading, counts and caption."""
    head = el(
        "tr",
        el("th", "is / said"),
        *(el("th", _breakable(name), class_="n") for name in given.names),
    )
    body = [
        el("tr", el("th", _breakable(name), scope="row"), *_cells(counts))
        for name, counts in zip(given.names, given.counts, strict=True)
    ]
    drawn = el("table", el("thead", head), el("tbody", *body), class_="matrix")
    caption = el("p", given.caption, class_="caption")
    return el(
        "figure",
        el("h4", given.title),
        el("div", drawn, class_="scroll"),
        caption,
        class_="chart wide" if len(given.names) > _NARROW else "chart",
    )


def _breakable(name: str) -> Html:
    """A name that may go on in a new line after its underscores."""
    return Html(text(name).replace("_", "_<wbr>"))


def _cells(counts: Sequence[int]) -> list[Html]:
    total = sum(counts)
    return [_cell(count, count / total if total else 0.0) for count in counts]


def _cell(count: int, share: float) -> Html:
    """Dark shades have white figures on them."""
    style = f"background:rgba(11,92,140,{0.08 + 0.84 * share:.2f})" if count else ""
    kind = "n dark" if share > 0.5 else "n"
    return el(
        "td", el("b", f"{count:,}"), el("small", f"{100 * share:.0f} %"), class_=kind, style=style
    )
