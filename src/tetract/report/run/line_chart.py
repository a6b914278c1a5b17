"""Lines over two axes, as one SVG with its key."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from itertools import pairwise

from tetract.report.markup import Html, el
from tetract.report.run.colours import line_styles
from tetract.types.chart import Axis, Line, LineChart, Look

_WIDTH, _HEIGHT = 290.0, 264.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 44.0, 12.0, 10.0, 42.0

_Point = tuple[float, float]


def line_chart(chart: LineChart) -> Html:
    """Heading, key, drawing and caption."""
    styles = line_styles(line.name for line in chart.lines)
    drawn = el(
        "svg",
        *_grid(chart),
        el("path", d=_path(chart, chart.guide), class_="guide") if chart.guide else Html(),
        *(_band(chart, line, styles[line.name][0]) for line in chart.lines if line.low),
        *(_curve(chart, line, *styles[line.name]) for line in chart.lines if line.y),
        viewBox=f"0 0 {_WIDTH:g} {_HEIGHT:g}",
        role="img",
        aria_label=f"{chart.title}: {chart.y.label} against {chart.x.label}",
    )
    key = el("div", *(_entry(name, *style) for name, style in styles.items()), class_="linekey")
    caption = el("p", chart.caption, class_="caption")
    return el("figure", el("h4", chart.title), key, drawn, caption, class_="chart")


def place(chart: LineChart, point: _Point) -> _Point:
    """Data coordinates to drawing coordinates; what lies outside is moved to the edge."""
    x = _LEFT + _share(chart.x, point[0]) * (_WIDTH - _LEFT - _RIGHT)
    y = _HEIGHT - _BOTTOM - _share(chart.y, point[1]) * (_HEIGHT - _TOP - _BOTTOM)
    return x, y


def _share(axis: Axis, value: float) -> float:
    if axis.is_log:
        low, high, at = math.log(axis.low), math.log(axis.high), math.log(max(value, axis.low))
    else:
        low, high, at = axis.low, axis.high, value
    return min(1.0, max(0.0, (at - low) / (high - low)))


def _grid(chart: LineChart) -> Iterator[Html]:
    for value, words in _ticks(chart.y):
        _, y = place(chart, (chart.x.low, value))
        yield el("line", x1=_LEFT, x2=_WIDTH - _RIGHT, y1=y, y2=y, class_="grid-line")
        yield el("text", words, x=_LEFT - 6, y=y + 4, text_anchor="end")
    for value, words in _ticks(chart.x):
        x, _ = place(chart, (value, chart.y.low))
        foot = _HEIGHT - _BOTTOM
        yield el("line", x1=x, x2=x, y1=_TOP, y2=foot, class_="grid-line")
        yield el("text", words, x=x, y=foot + 15, text_anchor="middle")
    middle = (_LEFT + _WIDTH - _RIGHT) / 2
    yield el("text", chart.x.label, x=middle, y=_HEIGHT - 6, text_anchor="middle", class_="axis")
    half = (_TOP + _HEIGHT - _BOTTOM) / 2
    turned = f"rotate(-90 11 {half:g})"
    yield el(
        "text", chart.y.label, x=11.0, y=half, text_anchor="middle", class_="axis", transform=turned
    )


def _ticks(axis: Axis) -> Iterator[tuple[float, str]]:
    if axis.is_log:
        steps = round(math.log2(axis.high / axis.low))
        for step in range(steps + 1):
            value = axis.low * 2**step
            yield value, f"1/{1 / value:g}" if value < 1 else f"{value:g}"
        return
    for step in range(6):
        value = axis.low + (axis.high - axis.low) * step / 5
        yield value, f"{value:.3g}"


def _curve(chart: LineChart, line: Line, colour: str, dashes: str) -> Html:
    points = list(zip(line.x, line.y, strict=True))
    if line.look is Look.STEP:
        points = list(_stepped(points))
    style = {"stroke": colour, "stroke_dasharray": dashes or "none"}
    path = el("path", d=_path(chart, points), class_="line", **style)
    if line.look is not Look.DOTS:
        return path
    dots = (place(chart, point) for point in points)
    return el("g", path, *(el("circle", cx=x, cy=y, r=3.2, fill=colour) for x, y in dots))


def _stepped(points: list[_Point]) -> Iterator[_Point]:
    """From each x to the next at the y of the latter."""
    yield points[0]
    for (before, _), (x, y) in pairwise(points):
        yield before, y
        yield x, y


def _band(chart: LineChart, line: Line, colour: str) -> Html:
    """The interval as a pale area; where it is unknown there is none."""
    known = [
        (x, low, high)
        for x, low, high in zip(line.x, line.low, line.high, strict=True)
        if low is not None and high is not None
    ]
    edge = [(x, high) for x, _, high in known] + [(x, low) for x, low, _ in reversed(known)]
    return el("path", d=_path(chart, edge) + "Z", class_="band", fill=colour) if edge else Html()


def _path(chart: LineChart, points: Iterable[_Point]) -> str:
    return "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in (place(chart, p) for p in points))


def _entry(name: str, colour: str, dashes: str) -> Html:
    sample = el(
        "svg",
        el(
            "line",
            x1=0.0,
            x2=26.0,
            y1=5.0,
            y2=5.0,
            stroke=colour,
            stroke_width=2.0,
            stroke_dasharray=dashes or "none",
        ),
        viewBox="0 0 26 10",
        width=26.0,
        height=10.0,
        aria_hidden="true",
    )
    return el("span", sample, name)
