"""Learning curves of a run, drawn from its CSV log."""

from __future__ import annotations

import csv
import math
from collections.abc import Sequence
from pathlib import Path

from tetract.errors import ReadError
from tetract.evaluate.class_source import CLASS_IS_SOURCE
from tetract.report.markup import Html, el

_WIDTH, _HEIGHT = 300.0, 170.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 40.0, 8.0, 10.0, 22.0
_MOST = 400  # points per line: more cannot be seen

_Points = list[tuple[float, float]]


def learning_curves(csv_path: Path) -> Html:
    """One small chart per logged quantity, training first, as inline SVG in one HTML block.

    Args:
        csv_path: A table with a column ``step`` and columns such as ``train/loss/segmentation``
            or ``val/dice``; empty and NaN cells mean "not measured at this step".

    Returns:
        Safe markup for a page; a sentence when nothing was logged.

    Raises:
        ReadError: ``E_NO_FILE`` or ``E_BAD_LOG`` (no ``step`` column, or not a text table).
    """
    columns = _read(csv_path)
    marked = columns.pop(f"val/{CLASS_IS_SOURCE}", [])
    names = [name for name in columns if name.startswith(("train/", "val/"))]
    names.sort(key=lambda name: not name.startswith("train/"))
    charts = [_chart(name, columns[name]) for name in names if columns[name]]
    if not charts:
        return el("p", "Nothing was logged.", class_="soft")
    return el("div", _banner() if marked else Html(), *charts, class_="curves")


def _banner() -> Html:
    words = "Class and source coincide in validation: its classification may measure the source."
    return el("p", words, class_="banner", role="alert")


def _read(csv_path: Path) -> dict[str, _Points]:
    """(step, value) pairs by column; of Lightning's twins ``x_step`` and ``x_epoch`` the first."""
    try:
        with csv_path.open(encoding="utf-8", newline="") as lines:
            table = csv.DictReader(lines)
            heads = list(table.fieldnames or ())
            rows = list(table)
    except FileNotFoundError as problem:
        raise ReadError("E_NO_FILE", "there is no such log", where=csv_path.name) from problem
    except (OSError, UnicodeDecodeError, csv.Error) as problem:
        raise _bad_log(csv_path, type(problem).__name__) from problem
    if "step" not in heads:
        raise _bad_log(csv_path, ", ".join(heads[:5]) or "an empty file")
    steps = [_number(row["step"]) for row in rows]
    columns: dict[str, _Points] = {}
    for head in heads:
        if head.endswith("_epoch") and f"{head.removesuffix('_epoch')}_step" in heads:
            continue
        values = (_number(row[head]) for row in rows)
        pairs = zip(steps, values, strict=True)
        columns[head.removesuffix("_step")] = [
            (x, y) for x, y in pairs if x is not None and y is not None
        ]
    return columns


def _bad_log(csv_path: Path, found: str) -> ReadError:
    return ReadError(
        "E_BAD_LOG",
        "this is not the log of a run",
        where=csv_path.name,
        expected="a CSV table with a column named step",
        found=found,
    )


def _number(cell: object) -> float | None:
    try:
        value = float(str(cell))
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _chart(name: str, points: _Points) -> Html:
    points = sorted(points)
    thin = points[:: max(1, len(points) // _MOST)]
    soft = _smooth(thin)
    at = _Frame(points[0][0], points[-1][0], _ticks([y for _, y in thin]))
    lines = [el("path", d=at.path(thin), class_="raw" if len(thin) > 30 else "smooth")]
    if len(thin) > 30:
        lines.append(el("path", d=at.path(soft), class_="smooth"))
    x, y = at.place(soft[-1] if len(thin) > 30 else thin[-1])
    drawn = el(
        "svg",
        *at.axes(),
        *lines,
        el("circle", cx=x, cy=y, r=3.0),
        viewBox=f"0 0 {_WIDTH:g} {_HEIGHT:g}",
        role="img",
        aria_label=f"{name} against the training step",
    )
    kind, _, what = name.partition("/")
    side = {"train": "training", "val": "validation"}.get(kind, kind)
    words = f"{side}, last {_brief(points[-1][1])}, {len(points):,} values"
    title = " ".join(reversed(what.split("/"))).replace("_", " ")
    return el("figure", el("figcaption", el("b", title), el("span", words)), drawn)


def _smooth(points: _Points) -> _Points:
    """Running mean over a twentieth of the line."""
    reach = max(1, len(points) // 40)
    soft: _Points = []
    for at, (x, _) in enumerate(points):
        near = [y for _, y in points[max(0, at - reach) : at + reach + 1]]
        soft.append((x, sum(near) / len(near)))
    return soft


def _ticks(values: Sequence[float]) -> list[float]:
    """Round numbers that span the line; in long lines the top hundredth is cut to the edge."""
    ordered = sorted(values)
    low, high = ordered[0], ordered[-1]
    if len(ordered) > 60:
        high = ordered[int(0.99 * (len(ordered) - 1))]
    span = (high - low) or abs(high) * 0.2 or 1.0
    unit = 10.0 ** math.floor(math.log10(span / 3))
    step = next(s * unit for s in (1, 2, 5, 10) if s * unit >= span / 3)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [at * step for at in range(first, max(last, first + 1) + 1)]


class _Frame:
    """Data coordinates to drawing coordinates."""

    def __init__(self, first: float, last: float, ticks: list[float]) -> None:
        self.first, self.last = first, max(last, first + 1.0)
        self.ticks, self.low, self.high = ticks, ticks[0], ticks[-1]

    def place(self, point: tuple[float, float]) -> tuple[float, float]:
        across = (point[0] - self.first) / (self.last - self.first)
        up = min(1.0, max(0.0, (point[1] - self.low) / (self.high - self.low)))
        x = _LEFT + across * (_WIDTH - _LEFT - _RIGHT)
        return x, _HEIGHT - _BOTTOM - up * (_HEIGHT - _TOP - _BOTTOM)

    def path(self, points: _Points) -> str:
        return "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in map(self.place, points))

    def axes(self) -> list[Html]:
        parts: list[Html] = []
        for value in self.ticks:
            _, y = self.place((self.first, value))
            parts += [
                el("line", x1=_LEFT, x2=_WIDTH - _RIGHT, y1=y, y2=y, class_="axis"),
                el("text", f"{value:.4g}", x=_LEFT - 5, y=y + 4, text_anchor="end"),
            ]
        foot = _HEIGHT - 6
        parts.append(el("text", f"step {self.first:,.0f}", x=_LEFT, y=foot))
        end = f"{self.last:,.0f}"
        parts.append(el("text", end, x=_WIDTH - _RIGHT, y=foot, text_anchor="end"))
        return parts


def _brief(value: float) -> str:
    if value != 0 and (abs(value) < 1e-3 or abs(value) >= 1e4):
        return f"{value:.1e}"
    return f"{value:.3f}" if abs(value) < 10 else f"{value:.1f}"
