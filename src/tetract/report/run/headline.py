"""The strip on top: one figure per task with its interval, and the same by source."""

from __future__ import annotations

from collections.abc import Sequence

from tetract.evaluate.charts.marks import round_up
from tetract.report.markup import DASH, Html, el
from tetract.report.run.row_chart import row_chart_body
from tetract.types.chart import Axis, Mark
from tetract.types.results import Estimate, Headline, TaskResults


def headline_strip(tasks: Sequence[TaskResults]) -> Html:
    """One tile per task."""
    return el("div", *(_tile(one.task, one.headline) for one in tasks), class_="tiles")


def _tile(task: str, line: Headline) -> Html:
    figure = line.overall
    value = DASH if figure.value is None else f"{figure.value:.3f}"
    better = "lower is better" if line.is_better_low else "higher is better"
    compared = f"{better}; {line.compared}" if line.compared else better
    return el(
        "section",
        el("p", task, class_="over"),
        el("p", line.title),
        el("p", value, class_="big"),
        el("p", range_words(figure), class_="range"),
        el("p", support_words(figure)),
        el("p", compared),
        _sources(line),
        class_="tile",
    )


def range_words(figure: Estimate) -> str:
    """The interval, or why there is none."""
    if figure.value is None:
        return figure.reason
    if figure.low is None or figure.high is None or figure.level is None:
        return f"no interval: {figure.no_interval}" if figure.no_interval else "no interval"
    return f"{100 * figure.level:.0f} % interval {figure.low:.3f} to {figure.high:.3f}"


def support_words(figure: Estimate) -> str:
    """``96 slices of 12 patients``."""
    words = f"{figure.slices:,} slices of {figure.patients:,} patients"
    if figure.slices_without_patient:
        words += f", {figure.slices_without_patient:,} slices name none"
    return words


def _sources(line: Headline) -> Html:
    """By source over one axis; nothing where there is a single one."""
    if len(line.sources) < 2:
        return Html()
    ends = [end for one in line.sources.values() for end in (one.value, one.high) if end]
    top = round_up(ends) if line.is_better_low else 1.0
    marks = [
        Mark(
            label=name,
            detail=support_words(one),
            value=one.value,
            low=one.low,
            high=one.high,
            reason=one.reason,
        )
        for name, one in line.sources.items()
    ]
    return row_chart_body(marks, Axis(label="", high=top))
