"""Charts of a part, from the logs of its runs."""

from __future__ import annotations

import csv
import math
import statistics
from collections.abc import Iterator, Sequence
from pathlib import Path

from tetract.reproduce.arm import Chart, Part
from tetract.reproduce.plan import Plan
from tetract.types.chart import Axis, Line, LineChart

_Points = dict[int, float]


def part_charts(part: Part, plan: Plan) -> tuple[LineChart, ...]:
    """One chart each; an arm without a log has an empty line."""
    return tuple(_chart(chart, plan) for chart in part.charts)


def read_log(run: Path, column: str) -> _Points:
    """Step to value of one logged quantity; the parts of an interrupted run are joined."""
    points: _Points = {}
    for log in sorted(run.glob("logs*/metrics.csv"), key=_first_step):
        begin = _first_step(log)
        with log.open(encoding="utf-8", newline="") as lines:
            points.update(_column(csv.DictReader(lines), column, begin))
    return points


def _first_step(log: Path) -> int:
    """Steps that were taken before this part of the log: ``logs-from-40``."""
    tail = log.parent.name.rpartition("-")[2]
    return int(tail) if tail.isdigit() else 0


def _column(table: csv.DictReader[str], column: str, begin: int) -> Iterator[tuple[int, float]]:
    names = (column, f"{column}_step")
    for row in table:
        cells = [row[name] for name in names if row.get(name)]
        value = float(cells[0]) if cells else math.nan
        if math.isfinite(value):
            yield begin + int(row["step"]), value


def _chart(chart: Chart, plan: Plan) -> LineChart:
    lines = tuple(
        _line(legend, [plan.runs[run].recipe.run.folder for run in plan.of_arm[arm]], column)
        for legend, arm, column in chart.lines
    )
    highest = max((y for line in lines for y in line.y), default=1.0)
    lowest = min((y for line in lines for y in line.y), default=0.0)
    last = max((x for line in lines for x in line.x), default=1.0)
    runs = [len(plan.of_arm[arm]) for _, arm, _ in chart.lines]
    seeds = f"{min(runs)}" if min(runs) == max(runs) else f"{min(runs)} to {max(runs)}"
    is_training = all(column.startswith("train/") for _, _, column in chart.lines)
    smoothed = ", running mean over a tenth of the steps" if is_training else ""
    return LineChart(
        title=chart.title,
        caption=f"Mean of {seeds} run(s) per line{smoothed}",
        x=Axis(label="training step", low=0.0, high=max(last, 1.0)),
        y=Axis(label="value", low=min(0.0, lowest), high=highest * 1.05 or 1.0),
        lines=lines,
    )


def _line(legend: str, runs: Sequence[Path], column: str) -> Line:
    logs = [log for run in runs if (log := read_log(run, column))]
    steps = sorted(set.intersection(*(set(log) for log in logs))) if logs else []
    values = [statistics.fmean(log[step] for log in logs) for step in steps]
    if column.startswith("train/"):
        values = _smooth(values)
    return Line(name=legend, x=tuple(float(step + 1) for step in steps), y=tuple(values))


def _smooth(values: Sequence[float]) -> list[float]:
    reach = len(values) // 20
    return [
        statistics.fmean(values[max(0, at - reach) : at + reach + 1]) for at in range(len(values))
    ]
