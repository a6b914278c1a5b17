"""The page about a run: what is read first, what is safe, what is said of absent things."""

from __future__ import annotations

import html
import re
from dataclasses import replace

import pytest
from report_results import TOLD, estimate, make_card, make_evaluated, make_table, make_task

from tetract.report.markup import Html
from tetract.report.run.cards import cards_section
from tetract.report.run.figure_table import figure_table
from tetract.report.run.headline import headline_strip, range_words
from tetract.report.run.line_chart import line_chart, place
from tetract.report.run.matrix import matrix
from tetract.report.run.page import Told, report_page
from tetract.report.run.row_chart import row_chart
from tetract.types.chart import Axis, Line, LineChart


def test_the_page_asks_nothing_of_the_network_and_runs_no_script() -> None:
    page = report_page(make_evaluated(), TOLD)
    assert not re.search(r"https?:|<link|url\(|<script", page)
    assert "script-src 'none'" in html.unescape(page)
    assert "Research use only" in page


def test_hostile_words_stay_text_everywhere() -> None:
    bad = '<script>x</script>"onload=x'
    page = report_page(make_evaluated(bad), Told(title=bad, curves=Html(), recipe=bad))
    assert "<script" not in page
    assert '"onload' not in page
    assert page.count("&lt;script&gt;") >= 40


def test_banners_stand_before_every_figure() -> None:
    told = make_evaluated(banner="Class and source coincide.", warning="W_NO_PATIENT_IDS a: 3")
    told = replace(told, cards=(make_card(banner="The split leaks."),))
    page = report_page(told, TOLD)
    first = page.index('class="tiles"')
    for words in ("Class and source coincide.", "W_NO_PATIENT_IDS a: 3", "The split leaks."):
        assert page.index(words) < first, words


def test_a_mild_warning_stands_at_the_end() -> None:
    page = report_page(make_evaluated(warning="W_LEFT_OUT one row"), TOLD)
    assert page.index("W_LEFT_OUT one row") > page.index('id="making"')


def test_a_page_without_cards_and_cases_says_so() -> None:
    page = report_page(replace(make_evaluated(), cards=(), cases=()), TOLD)
    assert "No cards were made" in page
    assert "Chosen by rule" not in page


def test_a_figure_is_a_number_above_its_interval_and_its_support_once_per_row() -> None:
    drawn = figure_table(make_table())
    assert "<b>0.812</b><small>0.754\N{EN DASH}0.861</small>" in drawn
    assert drawn.count("40 / 12") == 1
    assert "slices / patients" in drawn


def test_supports_that_differ_stay_with_their_figures() -> None:
    cells = ("overall", "0.812 (40 / 12)", "-0.1 [-0.2, 0.1] (4 / 2 +1?)")
    drawn = figure_table(replace(make_table(), columns=("rows", "a", "b"), rows=(cells,)))
    assert "<small>40 / 12</small>" in drawn
    assert "<small>4 / 2 +1?</small>" in drawn
    assert "<small>-0.2 to 0.1</small>" in drawn


def test_an_undefined_figure_has_its_reason_instead_of_a_number() -> None:
    assert range_words(estimate(None, "no positive rows")) == "no positive rows"
    assert "None" not in headline_strip([make_task()])
    assert range_words(estimate(0.5)) == "95 % interval 0.400 to 0.600"


@pytest.mark.parametrize(
    ("axis", "value", "share"),
    [(Axis(label="a"), 0.25, 0.25), (Axis(label="a", low=0.125, high=8.0, is_log=True), 1.0, 0.5)],
    ids=["linear", "logarithmic"],
)
def test_a_point_is_drawn_where_its_value_is(axis: Axis, value: float, share: float) -> None:
    chart = LineChart(title="", caption="", x=axis, y=Axis(label="b"), lines=())
    left, right = place(chart, (axis.low, 0.0))[0], place(chart, (axis.high, 0.0))[0]
    assert place(chart, (value, 0.0))[0] == pytest.approx(left + share * (right - left))


def test_a_band_leaves_out_what_is_unknown_and_a_step_goes_across_at_the_next_value() -> None:
    (chart,) = make_task().lines
    drawn = line_chart(chart)
    (band,) = re.findall(r'<path d="([^"]*)" class="band"', drawn)
    (line,) = re.findall(r'<path d="([^"]*)" class="line"', drawn)
    assert band.count("L") == 3  # two known ends, above and below
    assert line.count("L") == 4  # across and up, twice


def test_a_band_may_stand_without_a_line() -> None:
    band = Line(name="a", x=(0.0, 1.0), y=(), low=(0.0, 0.5), high=(0.5, 1.0))
    chart = LineChart(title="", caption="", x=Axis(label=""), y=Axis(label=""), lines=(band,))
    assert 'class="band"' in line_chart(chart)
    assert 'class="line"' not in line_chart(chart)


def test_rows_of_a_confusion_are_shares_and_an_empty_row_is_no_division() -> None:
    drawn = matrix(make_task().matrices[0])
    assert "75 %" in drawn
    assert drawn.count("<small>0 %</small>") == 2


def test_every_value_of_a_row_chart_is_inside_its_track() -> None:
    drawn = row_chart(make_task().rows[0])
    assert "left:25.0%;width:50.0%" in drawn
    assert drawn.count('class="dot"') == 2


def test_verdicts_are_words_as_well_as_colours() -> None:
    drawn = cards_section([make_card()])
    for words in ("fine", "note", "problem", "not checked"):
        assert f">{words}<" in drawn
