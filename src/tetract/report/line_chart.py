"""A chart of lines with its key, as inline SVG."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

from tetract.report.markup import Html, el, join
from tetract.types.chart import Axis, Line, LineChart

_WIDTH, _HEIGHT = 420.0, 240.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 52.0, 10.0, 10.0, 40.0
# Okabe and Ito (2008) without yellow, which is not seen on white.
_COLOURS: Final = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#17202a")
_DASHES: Final = ("", "6 3", "2 3")


def draw_lines(chart: LineChart) -> Html:
    """The chart as a figure; lines beyond the seventh are dashed in the same colours."""
    drawn = el(
        "svg",
        *_axes(chart),
        *(_line(chart, one, at) for at, one in enumerate(chart.lines)),
        viewBox=f"0 0 {_WIDTH:g} {_HEIGHT:g}",
        role="img",
        aria_label=f"{chart.title}. {chart.caption}",
    )
    key = el("div", *(_key(one, at) for at, one in enumerate(chart.lines)), class_="key")
    head = el("figcaption", el("b", chart.title), el("span", chart.caption))
    return el("figure", head, drawn, key)


def _axes(chart: LineChart) -> list[Html]:
    parts: list[Html] = []
    for value in round_ticks(chart.y.low, chart.y.high):
        y = _up(chart.y, value)
        parts += [
            el("line", x1=_LEFT, x2=_WIDTH - _RIGHT, y1=y, y2=y, class_="axis"),
            el("text", f"{value:.4g}", x=_LEFT - 6, y=y + 4, text_anchor="end"),
        ]
    for value in round_ticks(chart.x.low, chart.x.high):
        x = _along(chart.x, value)
        parts.append(
            el("text", f"{value:,.4g}", x=x, y=_HEIGHT - _BOTTOM + 16, text_anchor="middle")
        )
    middle = (_LEFT + _WIDTH - _RIGHT) / 2
    parts.append(el("text", chart.x.label, x=middle, y=_HEIGHT - 6, text_anchor="middle"))
    return parts


def _line(chart: LineChart, one: Line, at: int) -> Html:
    colour, dash = _look(at)
    places = [(_along(chart.x, x), _up(chart.y, y)) for x, y in zip(one.x, one.y, strict=True)]
    if not places:
        return Html()
    path = "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in places)
    style = {"fill": "none", "stroke": colour, "stroke-width": 2.0, "stroke-linejoin": "round"}
    drawn = el("path", d=path, stroke_dasharray=dash, **style)
    if len(places) > 12:
        return drawn
    dots = (el("circle", cx=x, cy=y, r=3.0, style=f"fill:{colour}") for x, y in places)
    return join((drawn, *dots))


def _key(one: Line, at: int) -> Html:
    colour, dash = _look(at)
    line = el(
        "line", x1=0.0, x2=22.0, y1=5.0, y2=5.0, stroke=colour, stroke_width=2.5,
        stroke_dasharray=dash,
    )  # fmt: skip
    swatch = el("svg", line, viewBox="0 0 22 10", style="width:22px;height:10px;display:inline")
    last = f", last {one.y[-1]:.3g}" if one.y else ": nothing logged"
    return el("span", swatch, f" {one.name}{last}")


def _look(at: int) -> tuple[str, str]:
    return _COLOURS[at % len(_COLOURS)], _DASHES[at // len(_COLOURS) % len(_DASHES)]


def _along(axis: Axis, value: float) -> float:
    share = (value - axis.low) / ((axis.high - axis.low) or 1.0)
    return _LEFT + share * (_WIDTH - _LEFT - _RIGHT)


def _up(axis: Axis, value: float) -> float:
    share = (value - axis.low) / ((axis.high - axis.low) or 1.0)
    return _HEIGHT - _BOTTOM - min(1.0, max(0.0, share)) * (_HEIGHT - _TOP - _BOTTOM)


def round_ticks(low: float, high: float) -> Sequence[float]:
    """Three to six round numbers from ``low`` to ``high``."""
    span = (high - low) or 1.0
    unit = 10.0 ** math.floor(math.log10(span / 3))
    step = next(size * unit for size in (1, 2, 5, 10) if size * unit >= span / 5)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [at * step for at in range(first, last + 1)]
