"""Errors on hidden pixels beside what a mean filter reaches."""

from __future__ import annotations

from tetract.evaluate.charts.marks import make_mark, round_up
from tetract.evaluate.result import Section
from tetract.types.chart import Axis, RowChart


def reconstruction_rows(section: Section) -> tuple[RowChart, ...]:
    """One chart over all rows."""
    scores = section.reconstruction
    if scores is None:
        return ()
    marks = (
        make_mark("model, hidden pixels", scores.masked_mae),
        make_mark("mean filter, hidden pixels", scores.mean_filter_mae),
        make_mark("model, visible pixels", scores.visible_mae),
        make_mark("model, whole slice shown", scores.mae),
    )
    ends = [end for mark in marks for end in (mark.value, mark.high) if end is not None]
    return (
        RowChart(
            title="Mean absolute error",
            caption=(
                "In units of the window (data range 1); a model that has learnt anatomy is "
                "below the mean filter on hidden pixels. Bars: 95 % intervals of patients."
            ),
            axis=Axis(label="MAE, share of the window", high=round_up(ends)),
            marks=marks,
        ),
    )
