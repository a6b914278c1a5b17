"""ROC, precision-recall and reliability curves, the table of confusion."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np

from tetract.evaluate.charts.marks import behind
from tetract.tasks.classification.curves import (
    precision_recall_curve,
    reliability_curve,
    roc_curve,
)
from tetract.tasks.classification.ranking import rank_rows, sensitivity_at
from tetract.tasks.classification.rows import ClassificationRow, deciding_rows, known_rows
from tetract.types.chart import Axis, Line, LineChart, Look, Matrix
from tetract.types.figure import count_support
from tetract.types.resamples import Resamples, estimate

# Shares of false alarms at which the band of a ROC curve is computed.
_BAND_AT: Final = (0.0, 0.02, 0.05, *(0.1 * step for step in range(1, 10)))
_DIAGONAL: Final = ((0.0, 0.0), (1.0, 1.0))


def classification_lines(
    rows: Sequence[ClassificationRow], classes: tuple[str, ...], resamples: Resamples
) -> tuple[LineChart, ...]:
    """ROC with bands, precision-recall and reliability; a class of one kind of rows has none."""
    return tuple(
        chart
        for chart in (
            _roc(rows, classes, resamples),
            _precision_recall(rows, classes),
            _reliability(rows, classes),
        )
        if chart.lines
    )


def confusion(rows: Sequence[ClassificationRow], classes: tuple[str, ...]) -> tuple[Matrix, ...]:
    """Known class against the most probable one; nothing without a row of known class."""
    known = known_rows(rows, len(classes))
    if not known.rows:
        return ()
    counts = known.is_class.astype(np.int64).T @ known.is_said.astype(np.int64)
    return (
        Matrix(
            title="Confusion",
            caption=(
                f"{behind(count_support(known.rows))} of a single known class: the class (rows) "
                "against the most probable class (columns). Shades: share of the row."
            ),
            names=classes,
            counts=tuple(tuple(line) for line in counts.tolist()),
        ),
    )


def _roc(
    rows: Sequence[ClassificationRow], classes: tuple[str, ...], resamples: Resamples
) -> LineChart:
    band = ""
    if resamples.draws:
        band = " Bands: 95 % intervals of patients, at single points of specificity."
    return LineChart(
        title="ROC",
        caption=f"Each class against the rest, over {behind(count_support(rows))}.{band}",
        x=Axis(label="1 - specificity"),
        y=Axis(label="sensitivity"),
        lines=tuple(_roc_lines(rows, classes, resamples)),
        guide=_DIAGONAL,
    )


def _roc_lines(
    rows: Sequence[ClassificationRow], classes: tuple[str, ...], resamples: Resamples
) -> Iterator[Line]:
    """Two lines per class: the curve, and, where intervals are asked for, its band."""
    for index, name in enumerate(classes):
        curve = roc_curve(rows, index)
        if curve is None:
            continue
        low, high = _band(rows, index, resamples)
        yield Line(
            name=name,
            x=tuple(curve.false_positive_rate.tolist()),
            y=tuple(curve.sensitivity.tolist()),
        )
        if any(end is not None for end in low):
            yield Line(name=name, x=_BAND_AT, y=(), low=low, high=high)


def _band(
    rows: Sequence[ClassificationRow], index: int, resamples: Resamples
) -> tuple[tuple[float | None, ...], tuple[float | None, ...]]:
    if not resamples.draws:
        return (), ()
    decided = deciding_rows(rows, index)
    ranking = rank_rows(decided.truth, decided.scores)
    figures = [
        estimate(
            sensitivity_at(ranking, 1 - alarms), decided.rows, resamples, reason=decided.one_kind
        )
        for alarms in _BAND_AT
    ]
    intervals = [figure.interval for figure in figures]
    return (
        tuple(None if one is None else one.low for one in intervals),
        tuple(None if one is None else one.high for one in intervals),
    )


def _precision_recall(rows: Sequence[ClassificationRow], classes: tuple[str, ...]) -> LineChart:
    lines: list[Line] = []
    shares: list[str] = []
    for index, name in enumerate(classes):
        curve = precision_recall_curve(rows, index)
        if curve is None:
            continue
        recall, precision = curve.recall.tolist(), curve.precision.tolist()
        lines.append(
            Line(name=name, x=(0.0, *recall), y=(precision[0], *precision), look=Look.STEP)
        )
        shares.append(f"{name} {100 * curve.prevalence:.0f} %")
    return LineChart(
        title="Precision and recall",
        caption=f"Guessing reaches the share of positives: {', '.join(shares)}.",
        x=Axis(label="recall"),
        y=Axis(label="precision"),
        lines=tuple(lines),
    )


def _reliability(rows: Sequence[ClassificationRow], classes: tuple[str, ...]) -> LineChart:
    lines: list[Line] = []
    for index, name in enumerate(classes):
        curve = reliability_curve(rows, index)
        if curve is not None:
            said, was = tuple(curve.confidence.tolist()), tuple(curve.frequency.tolist())
            lines.append(Line(name=name, x=said, y=was, look=Look.DOTS))
    return LineChart(
        title="Reliability",
        caption=(
            f"15 bins of equal width over {behind(count_support(rows))}; on the diagonal, a "
            "probability means what it says. Not calibrated."
        ),
        x=Axis(label="mean probability"),
        y=Axis(label="share of positives"),
        lines=tuple(lines),
        guide=_DIAGONAL,
    )
