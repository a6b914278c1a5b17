"""What a report shows equals what was evaluated, and is finite through and through."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from evaluation_cases import Oracle, make_batch

from tetract.evaluate.charts.classification import classification_lines, confusion
from tetract.evaluate.charts.marks import round_up
from tetract.evaluate.collect import Collected, collect
from tetract.evaluate.headline import headline
from tetract.evaluate.pooled import score_levels
from tetract.evaluate.result import Hiding, Setting
from tetract.evaluate.results import make_results, write_results
from tetract.evaluate.score import score
from tetract.evaluate.table_text import to_latex
from tetract.report.run.evaluated import read_evaluation
from tetract.tasks.classification.metrics import ClassificationRow
from tetract.types import Task
from tetract.types.identity import Identity
from tetract.types.resamples import AS_IS, draw_resamples
from tetract.types.results import Results
from tetract.types.table import Table

SETTING = Setting(
    hiding=Hiding(patch_px=4, fraction=0.5, seed=3), hu_window_width=1400.0, healthy=("normal",)
)


@pytest.fixture(scope="module")
def collected() -> Collected:
    return collect(Oracle(), [make_batch()], SETTING)


@pytest.fixture(scope="module")
def results(collected: Collected) -> Results:
    resamples = draw_resamples(collected.seen, draws=50, seed=0)
    evaluation = score(collected, resamples=resamples)
    return make_results(evaluation, collected, resamples, {"Seed": "1"})


def many_rows(count: int = 40) -> list[ClassificationRow]:
    rng = np.random.default_rng(0)
    return [
        ClassificationRow(
            probabilities=np.array([share, 1 - share]),
            candidates=np.array([sick, not sick]),
            identity=Identity(
                row=row, patient=f"p{row // 2}", source="A", slice_index=row % 2, spacing_mm=None
            ),
        )
        for row in range(count)
        for sick in [bool(rng.random() < 0.5)]
        for share in [float(np.clip(rng.normal(0.6 if sick else 0.4, 0.2), 0, 1))]
    ]


def test_results_are_read_as_they_were_written(results: Results, tmp_path: Path) -> None:
    path = write_results(tmp_path, results)
    json.loads(path.read_text(), parse_constant=lambda name: pytest.fail(f"{name} in the file"))
    assert read_evaluation(tmp_path).results == results


def test_the_headline_of_a_report_is_that_of_the_evaluation(
    results: Results, collected: Collected
) -> None:
    told = [one.headline.overall.value for one in results.tasks]
    assert told == list(headline(score(collected)).values())
    for one in results.tasks:
        assert results.figures[one.headline.name] == one.headline.overall


def test_no_patient_is_named(collected: Collected, tmp_path: Path) -> None:
    rows = tuple(
        replace(row, identity=replace(row.identity, patient="Zaphod", series="1.2.3"))
        for row in many_rows()
    )
    named = replace(collected, classification=rows)
    text = write_results(tmp_path, make_results(score(named), named, AS_IS, {})).read_text()
    assert "Zaphod" not in text
    assert "1.2.3" not in text


def test_patients_are_scored_one_by_one_and_slices_without_patient_are_told(
    collected: Collected,
) -> None:
    series, patient = score_levels(collected, AS_IS)
    assert (patient.units, series.units) == (2, 0)
    assert "least likely to be normal" in patient.note
    assert "whose patient is unknown: 1" in patient.note
    assert series.scores.auroc_macro.value is None


def test_the_band_of_a_roc_curve_holds_the_curve() -> None:
    rows = many_rows()
    roc = classification_lines(rows, ("a", "b"), draw_resamples(rows, draws=200, seed=0))[0]
    curve, band = roc.lines[:2]
    assert curve.name == band.name == "a"
    for alarms, low, high in zip(band.x, band.low, band.high, strict=True):
        reached = max(y for x, y in zip(curve.x, curve.y, strict=True) if x <= alarms + 1e-9)
        assert low is not None
        assert high is not None
        assert low <= reached <= high


def test_no_band_is_drawn_where_no_interval_was_asked_for() -> None:
    roc = classification_lines(many_rows(), ("a", "b"), AS_IS)[0]
    assert [line.low for line in roc.lines] == [(), ()]


def test_confusion_counts_every_row_of_known_class_once() -> None:
    rows = many_rows()
    (table,) = confusion(rows, ("a", "b"))
    right = sum(row.candidates[row.probabilities.argmax()] for row in rows)
    assert sum(map(sum, table.counts)) == len(rows)
    assert table.counts[0][0] + table.counts[1][1] == right


def test_one_class_alone_has_neither_curves_nor_a_warning() -> None:
    rows = [row for row in many_rows() if row.candidates[0]]
    assert classification_lines(rows, ("a", "b"), AS_IS) == ()


def test_a_model_without_classes_has_no_levels() -> None:
    collected = collect(Oracle([Task.DETECTION]), [make_batch()], SETTING)
    results = make_results(score(collected), collected, AS_IS, {})
    assert [one.task for one in results.tasks] == ["detection"]


@pytest.mark.parametrize(
    ("top", "axis"), [(0.12, 0.2), (0.21, 0.25), (0.5, 0.5), (7.0, 10.0), (0.0, 1.0)]
)
def test_an_axis_ends_at_a_round_number_above_its_values(top: float, axis: float) -> None:
    assert round_up([top]) == pytest.approx(axis)


def test_a_bracket_at_the_start_of_a_latex_row_is_no_length() -> None:
    text = to_latex(Table(title="t", columns=("x",), rows=(("[1] < 2",), ("y",))))
    assert "\n{[}1{]} " + r"\textless{} 2 \\" in text
