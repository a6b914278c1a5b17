from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, roc_auc_score

from identities import somebody
from tetract.tasks.classification.calibration import calibration_error
from tetract.tasks.classification.curves import (
    precision_recall_curve,
    reliability_curve,
    roc_curve,
    top_label_reliability,
)
from tetract.tasks.classification.rows import ClassificationRow

SCORE = st.one_of(st.integers(0, 5).map(lambda k: k / 5), st.floats(0, 1, width=32))
ROWS = st.lists(st.tuples(st.booleans(), SCORE), min_size=2, max_size=25)


def made(rows: Sequence[tuple[bool, float]]) -> list[ClassificationRow]:
    return [
        ClassificationRow(
            probabilities=np.array([p, 1 - p]),
            candidates=np.array([truth, not truth]),
            identity=somebody(),
        )
        for truth, p in rows
    ]


def arrays(rows: Sequence[tuple[bool, float]]) -> tuple[np.ndarray, np.ndarray]:
    return np.array([t for t, _ in rows]), np.array([p for _, p in rows], dtype=np.float64)


@settings(deadline=None, max_examples=50)
@given(ROWS)
def test_the_area_under_the_roc_points_is_the_auroc(rows: list[tuple[bool, float]]) -> None:
    truth, scores = arrays(rows)
    assume(truth.any() and not truth.all())
    curve = roc_curve(made(rows), 0)
    assert curve is not None
    across, up = curve.false_positive_rate, curve.sensitivity
    assert (across[0], up[0], across[-1], up[-1]) == (0, 0, 1, 1)
    dx, dy = np.diff(across), np.diff(up)
    area = (dx * (up[1:] + up[:-1]) / 2).sum()
    assert area == pytest.approx(roc_auc_score(truth, scores), abs=1e-6)
    # No point lies on the line through its neighbours.
    assert (np.abs(dx[:-1] * dy[1:] - dx[1:] * dy[:-1]) > 1e-12).all()


@settings(deadline=None, max_examples=50)
@given(ROWS)
def test_the_area_under_the_precision_steps_is_the_average_precision(
    rows: list[tuple[bool, float]],
) -> None:
    truth, scores = arrays(rows)
    assume(truth.any() and not truth.all())
    curve = precision_recall_curve(made(rows), 0)
    assert curve is not None
    area = (np.diff(curve.recall, prepend=0) * curve.precision).sum()
    assert area == pytest.approx(average_precision_score(truth, scores), abs=1e-6)
    assert (np.diff(curve.recall) > 0).all()
    assert (np.diff(curve.precision) != 0).all()
    assert curve.prevalence == pytest.approx(truth.mean())


@settings(deadline=None, max_examples=50)
@given(ROWS)
def test_the_gaps_of_the_reliability_curve_are_the_calibration_error(
    rows: list[tuple[bool, float]],
) -> None:
    truth, scores = arrays(rows)
    assume(truth.any() and not truth.all())
    curve = reliability_curve(made(rows), 0)
    assert curve is not None
    gaps = np.abs(curve.confidence - curve.frequency) * curve.rows
    kinds = np.stack([truth, ~truth], axis=1)
    error = calibration_error(truth, scores, kinds)(np.ones((1, len(rows))))[0]
    assert gaps.sum() / len(rows) == pytest.approx(error, abs=1e-9)
    assert (curve.rows.sum(), bool((curve.rows > 0).all())) == (len(rows), True)
    assert (curve.confidence <= curve.high + 1e-9).all()
    assert (curve.confidence >= curve.low - 1e-9).all()


def test_perfect_ranking_needs_three_points() -> None:
    rows = made([(k >= 50, k / 100) for k in range(100)])
    roc, precision = roc_curve(rows, 0), precision_recall_curve(rows, 0)
    assert roc is not None
    assert precision is not None
    assert (roc.false_positive_rate.tolist(), roc.sensitivity.tolist()) == ([0, 0, 1], [0, 1, 1])
    assert (precision.recall.tolist(), precision.precision.tolist()) == ([1.0], [1.0])


def test_the_most_probable_class_has_a_curve_of_its_own() -> None:
    rows = made([(True, 0.9), (False, 0.9), (False, 0.2)])
    curve = top_label_reliability(rows, 2)
    assert curve is not None
    assert curve.rows.tolist() == [1, 2]
    assert curve.confidence.tolist() == pytest.approx([0.8, 0.9])
    assert curve.frequency.tolist() == [1.0, 0.5]


@pytest.mark.parametrize("truths", [[], [True], [False, False]])
def test_one_kind_of_rows_has_no_curve(truths: list[bool]) -> None:
    rows = made([(truth, 0.5) for truth in truths])
    assert roc_curve(rows, 0) is precision_recall_curve(rows, 0) is reliability_curve(rows, 0)
    assert roc_curve(rows, 0) is None
    assert top_label_reliability(rows, 2) is None
