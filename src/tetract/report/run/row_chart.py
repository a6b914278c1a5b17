"""One row per group over a shared axis: number, interval, single values."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tetract.report.markup import DASH, Html, el
from tetract.types.chart import Axis, Mark, RowChart

_LANES = 5  # single values are spread over this many lanes, so that equal ones can be told apart


def row_chart(chart: RowChart) -> Html:
    """Heading, rows, axis and caption."""
    caption = el("p", chart.caption, class_="caption")
    body = row_chart_body(chart.marks, chart.axis)
    return el("figure", el("h4", chart.title), body, caption, class_="chart wide")


def row_chart_body(marks: Sequence[Mark], axis: Axis) -> Html:
    """The rows and their axis alone."""
    return el("div", *(_row(mark, axis) for mark in marks), _scale(axis), class_="rows")


def _row(mark: Mark, axis: Axis) -> Html:
    """Name, track and number."""
    number = DASH if mark.value is None else f"{mark.value:.3f}"
    words = el("span", mark.label, el("small", mark.detail), class_="rowname")
    said = el("span", el("b", number), _ends(mark), class_="rownum")
    return el("div", words, el("span", *_track(mark, axis), class_="rowtrack"), said, class_="row")


def _ends(mark: Mark) -> Html:
    if mark.value is None:
        return el("small", mark.reason)
    if mark.low is None or mark.high is None:
        return el("small", "no interval")
    return el("small", f"{mark.low:.3f} to {mark.high:.3f}")


def _track(mark: Mark, axis: Axis) -> Iterator[Html]:
    for at, value in enumerate(mark.dots):
        top = 20 + 60 * (at % _LANES) / (_LANES - 1)
        yield el("i", class_="dot", style=f"left:{_percent(axis, value)}%;top:{top:g}%")
    if mark.low is not None and mark.high is not None:
        left, right = _percent(axis, mark.low), _percent(axis, mark.high)
        yield el("i", class_="whisker", style=f"left:{left}%;width:{round(right - left, 2)}%")
    if mark.value is not None:
        yield el("i", class_="point", style=f"left:{_percent(axis, mark.value)}%")


def _percent(axis: Axis, value: float) -> float:
    share = (value - axis.low) / (axis.high - axis.low)
    return round(100 * min(1.0, max(0.0, share)), 2)


def _scale(axis: Axis) -> Html:
    steps = 4 if axis.label else 2
    ticks = [axis.low + (axis.high - axis.low) * step / steps for step in range(steps + 1)]
    marks = (
        el("i", f"{tick:.3g}", style=f"left:{_percent(axis, tick)}%", class_="tick")
        for tick in ticks
    )
    track = el("span", *marks, el("span", axis.label, class_="axisname"), class_="rowscale")
    return el("div", el("span"), track, el("span"), class_="row foot")
