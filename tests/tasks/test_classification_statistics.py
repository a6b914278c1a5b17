"""Each statistic against an independent implementation, and against rows that stand repeatedly."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from sklearn.metrics import (
    accuracy_score,
    average_precision_score,
    balanced_accuracy_score,
    brier_score_loss,
    f1_score,
    matthews_corrcoef,
    roc_auc_score,
)
from sklearn.metrics import roc_curve as sklearn_roc_curve

from tetract.tasks.classification import deciding, multiclass
from tetract.tasks.classification.calibration import brier, calibration_error
from tetract.tasks.classification.ranking import (
    auroc,
    average_precision,
    rank_rows,
    sensitivity_at,
)
from tetract.types.resamples import Statistic

Bools = np.ndarray
Scores = np.ndarray
Make = Callable[[Bools, Scores], Statistic]

# Few levels, so that ties are common, and some that are not exact in binary.
SCORE = st.one_of(st.integers(0, 6).map(lambda k: k / 6), st.floats(0, 1, width=32))
ROWS = st.lists(st.tuples(st.booleans(), SCORE, st.integers(0, 3)), min_size=1, max_size=30)


def split(rows: list[tuple[bool, float, int]]) -> tuple[Bools, Scores, np.ndarray]:
    truth, scores, weights = (np.array(column) for column in zip(*rows, strict=True))
    return truth.astype(bool), scores.astype(np.float64), weights.astype(np.int64)


def kinds(truth: Bools) -> Bools:
    return np.stack([truth, ~truth], axis=1)


def at_half(measure: deciding.Decision) -> Make:
    return lambda truth, scores: deciding.decided(truth, scores >= 0.5, measure)


def hand_written_ece(truth: Bools, scores: Scores) -> float:
    total = 0.0
    for number in range(15):
        low, high = number / 15, (number + 1) / 15
        held = [
            (p, t)
            for p, t in zip(scores, truth, strict=True)
            if low < p <= high or (p == 0 and number == 0)
        ]
        if held:
            said = sum(p for p, _ in held) / len(held)
            seen = sum(t for _, t in held) / len(held)
            total += len(held) / len(truth) * abs(said - seen)
    return total


def best_kept_sensitivity(truth: Bools, scores: Scores) -> float:
    """Scikit-learn's curve, all points kept, read by hand."""
    alarms, found, _ = sklearn_roc_curve(truth, scores, drop_intermediate=False)
    return float(max(s for a, s in zip(alarms, found, strict=True) if 1 - a >= 0.95 - 1e-9))


def brier_of_half(truth: Bools, scores: Scores) -> Statistic:
    return brier((scores - truth) ** 2, kinds(truth))


ONE_CLASS: dict[str, tuple[Make, Callable[[Bools, Scores], float]]] = {
    "auroc": (lambda t, s: auroc(rank_rows(t, s)), roc_auc_score),
    "average precision": (
        lambda t, s: average_precision(rank_rows(t, s)),
        average_precision_score,
    ),
    "sensitivity at 95": (
        lambda t, s: sensitivity_at(rank_rows(t, s), 0.95),
        best_kept_sensitivity,
    ),
    "brier": (brier_of_half, brier_score_loss),
    "ece": (lambda t, s: calibration_error(t, s, kinds(t)), hand_written_ece),
    "accuracy": (at_half(deciding.accuracy), lambda t, s: accuracy_score(t, s >= 0.5)),
    "balanced": (
        at_half(deciding.balanced_accuracy),
        lambda t, s: balanced_accuracy_score(t, s >= 0.5),
    ),
    "f1": (at_half(deciding.f1), lambda t, s: f1_score(t, s >= 0.5, zero_division=0)),
    "mcc": (at_half(deciding.mcc), lambda t, s: matthews_corrcoef(t, s >= 0.5)),
    "sensitivity": (at_half(deciding.sensitivity), lambda t, s: (s[t] >= 0.5).mean()),
    "specificity": (at_half(deciding.specificity), lambda t, s: (s[~t] < 0.5).mean()),
}


@pytest.mark.parametrize("name", ONE_CLASS)
@settings(deadline=None, max_examples=40)
@given(rows=ROWS)
def test_one_class_is_what_the_reference_says(
    name: str, rows: list[tuple[bool, float, int]]
) -> None:
    truth, scores, _ = split(rows)
    assume(truth.any() and not truth.all())
    make, reference = ONE_CLASS[name]
    found = make(truth, scores)(np.ones((1, len(truth))))[0]
    assert found == pytest.approx(reference(truth, scores), abs=1e-6)


@pytest.mark.parametrize("name", ONE_CLASS)
@settings(deadline=None, max_examples=40)
@given(rows=ROWS)
def test_a_row_that_counts_three_times_is_three_rows(
    name: str, rows: list[tuple[bool, float, int]]
) -> None:
    truth, scores, weights = split(rows)
    make, _ = ONE_CLASS[name]
    studies = np.stack([np.ones(len(truth)), weights, np.zeros(len(truth))])
    once, weighted, nobody = make(truth, scores)(studies)
    plain = make(truth, scores)(np.ones((1, len(truth))))[0]
    repeated = make(truth.repeat(weights), scores.repeat(weights))(np.ones((1, weights.sum())))[0]
    assert once == pytest.approx(plain, abs=1e-9, nan_ok=True)
    assert weighted == pytest.approx(repeated, abs=1e-9, nan_ok=True)
    assert np.isnan(nobody)


@pytest.mark.parametrize("name", sorted(set(ONE_CLASS) - {"f1", "sensitivity", "specificity"}))
@pytest.mark.parametrize("truth", [[True], [False], [True] * 4, [False] * 4, []])
def test_one_kind_of_rows_has_no_figure(name: str, truth: list[bool]) -> None:
    make, _ = ONE_CLASS[name]
    found = make(np.array(truth, dtype=bool), np.full(len(truth), 0.5))(np.ones((2, len(truth))))
    assert np.isnan(found).all()


def test_equal_scores_enter_together() -> None:
    truth, scores = np.array([True, False] * 10), np.full(20, 0.7)
    ranking, once = rank_rows(truth, scores), np.ones((1, 20))
    assert auroc(ranking)(once)[0] == 0.5
    assert average_precision(ranking)(once)[0] == 0.5
    # Calling all of them positive has specificity 0: only "nobody" keeps 0.95.
    assert sensitivity_at(ranking, 0.95)(once)[0] == 0.0


def test_twenty_negatives_allow_one_alarm_at_95_percent() -> None:
    scores = np.array([0.9, 0.8, 0.7, 0.6, *np.linspace(0.1, 0.5, 18)])
    truth = np.array([False, True, False, True] + [False] * 18)
    once = np.ones((1, 22))
    assert sensitivity_at(rank_rows(truth, scores), 0.95)(once)[0] == 0.5
    assert sensitivity_at(rank_rows(truth, scores), 0.9)(once)[0] == 1.0
    assert sensitivity_at(rank_rows(truth, scores), 1.0)(once)[0] == 0.0


def test_saying_the_same_of_every_row_correlates_with_nothing() -> None:
    truth = np.array([True, False, False])
    said = deciding.decided(truth, np.ones(3, dtype=bool), deciding.mcc)
    assert said(np.ones((1, 3)))[0] == 0.0


CLASSES = st.lists(
    st.tuples(st.integers(0, 3), st.integers(0, 3), st.integers(0, 3)), min_size=2, max_size=20
)
ALL_CLASSES: dict[str, tuple[multiclass.Agreement, Callable[[Bools, Bools], float]]] = {
    "accuracy": (multiclass.accuracy, accuracy_score),
    "balanced": (
        multiclass.balanced_accuracy,
        lambda t, s: float(np.mean([(s[t == c] == c).mean() for c in np.unique(t)])),
    ),
    "f1": (
        multiclass.f1_macro,
        lambda t, s: f1_score(t, s, labels=np.unique(t), average="macro", zero_division=0),
    ),
    "mcc": (multiclass.mcc, matthews_corrcoef),
}


def table(labels: np.ndarray) -> Bools:
    return labels[:, None] == np.arange(4)


@pytest.mark.parametrize("name", ALL_CLASSES)
@settings(deadline=None, max_examples=40)
@given(rows=CLASSES)
def test_all_classes_together_are_what_the_reference_says(
    name: str, rows: list[tuple[int, int, int]]
) -> None:
    truth, said, weights = (np.array(column) for column in zip(*rows, strict=True))
    measure, reference = ALL_CLASSES[name]
    repeated, again = truth.repeat(weights), said.repeat(weights)
    # A study that lacks a class of the data has no mean over the classes.
    assume(len(np.unique(repeated)) == len(np.unique(truth)) > 1)
    statistic = multiclass.agreed(table(truth), table(said), measure)
    plain, weighted = statistic(np.stack([np.ones(len(truth)), weights]))
    assert plain == pytest.approx(reference(truth, said), abs=1e-6)
    assert weighted == pytest.approx(reference(repeated, again), abs=1e-6)


def test_a_study_without_one_of_the_classes_has_no_mean_over_them() -> None:
    truth = np.array([0, 1, 2])
    weights = np.array([[1.0, 1, 1], [1, 1, 0], [1, 0, 0]])

    def found(measure: multiclass.Agreement) -> list[bool]:
        values = multiclass.agreed(table(truth), table(truth), measure)(weights)
        return np.isfinite(values).tolist()

    assert found(multiclass.balanced_accuracy) == found(multiclass.f1_macro) == [True, False, False]
    # Accuracy is no mean over classes; but it needs two of them.
    assert found(multiclass.accuracy) == found(multiclass.mcc) == [True, True, False]


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 2**32 - 1))
def test_brier_of_several_classes_is_scikit_learns(seed: int) -> None:
    generator = np.random.default_rng(seed)
    probabilities = generator.dirichlet(np.ones(4), size=9)
    truth = np.concatenate([[0, 1], generator.integers(0, 4, size=7)])
    distances = ((probabilities - table(truth)) ** 2).sum(axis=1)
    found = brier(distances, table(truth))(np.ones((1, 9)))[0]
    reference = brier_score_loss(truth, probabilities, labels=range(4), scale_by_half=False)
    assert found == pytest.approx(reference, abs=1e-6)
