"""Every figure of classification, through the front door, against scikit-learn or its definition.

Random rows with ties, candidate sets, one class or none, one patient or several.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import fields

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sk

from identities import somebody
from tetract.tasks.classification.metrics import (
    ClassificationRow,
    ClassificationScores,
    score_classification,
)
from tetract.types.figure import Figure

NAMES = ("covid", "normal", "cancer")
LABELS = [(1, 0, 0), (0, 1, 0), (0, 0, 1), (0, 1, 1), (1, 0, 1), (1, 1, 1)]
# Eighths that sum to 1, so that ties are common and nothing is rounded.
PROBABILITIES = st.tuples(st.integers(0, 8), st.integers(0, 8)).map(
    lambda cut: np.diff([0, *sorted(cut), 8]) / 8
)
ROWS = st.lists(
    st.tuples(PROBABILITIES, st.sampled_from(LABELS), st.integers(0, 2)), min_size=0, max_size=18
)
Pair = tuple[np.ndarray, np.ndarray]


def ece(hit: np.ndarray, said: np.ndarray) -> float:
    """Bins (k/15, (k+1)/15], 0 in the first; summed by hand."""
    bins = np.maximum(np.ceil(said * 15).astype(int), 1)
    held = [bins == number for number in range(1, 16)]
    return sum(
        one.sum() / len(hit) * abs(hit[one].mean() - said[one].mean()) for one in held if one.any()
    )


def kept_95(truth: np.ndarray, said: np.ndarray) -> float:
    return max(
        (said[truth] >= cut).mean()
        for cut in [*said, np.inf]
        if (said[~truth] < cut).mean() >= 0.95
    )


BOTH: dict[str, Callable[[np.ndarray, np.ndarray], float]] = {
    "auroc": sk.roc_auc_score,
    "auroc_within": sk.roc_auc_score,  # all rows are of one source here
    "average_precision": sk.average_precision_score,
    "sensitivity_at_95": kept_95,
    "accuracy": lambda t, s: sk.accuracy_score(t, s >= 0.5),
    "balanced_accuracy": lambda t, s: sk.balanced_accuracy_score(t, s >= 0.5),
    "f1": lambda t, s: sk.f1_score(t, s >= 0.5, zero_division=0),
    "mcc": lambda t, s: sk.matthews_corrcoef(t, s >= 0.5),
    "brier": sk.brier_score_loss,
    "ece": ece,
}


def expected_of_class(truth: np.ndarray, said: np.ndarray) -> dict[str, float | None]:
    both = truth.any() and not truth.all()
    found = {name: float(make(truth, said)) if both else None for name, make in BOTH.items()}
    found["sensitivity"] = float((said[truth] >= 0.5).mean()) if truth.any() else None
    found["specificity"] = float((said[~truth] < 0.5).mean()) if (~truth).any() else None
    return found


def pooled(each: Sequence[Pair]) -> float | None:
    """AUROC of the classes, each weighing as many as it has pairs."""
    pairs = [int(truth.sum()) * int((~truth).sum()) for truth, _ in each]
    if not any(pairs):
        return None
    known = [
        sk.roc_auc_score(*one) if count else 0.0 for one, count in zip(each, pairs, strict=True)
    ]
    return float(np.average(known, weights=pairs))


def expected_of_all(truth: np.ndarray, said: np.ndarray) -> dict[str, float | None]:
    """Over the rows of one known class; nothing where all are of the same."""
    names = ("accuracy", "balanced_accuracy", "f1_macro", "mcc", "brier", "ece")
    if len(set(truth)) < 2:
        return dict.fromkeys(names)
    called, present = said.argmax(axis=1), np.unique(truth)
    values = (
        sk.accuracy_score(truth, called),
        np.mean([(called[truth == c] == c).mean() for c in present]),
        sk.f1_score(truth, called, labels=present, average="macro", zero_division=0),
        sk.matthews_corrcoef(truth, called),
        ((said - np.eye(3)[truth]) ** 2).sum(axis=1).mean(),
        ece(called == truth, said.max(axis=1)),
    )
    return dict(zip(names, map(float, values), strict=True))


def decided(said: np.ndarray, labels: np.ndarray, column: int) -> Pair:
    """Truth and probability over the rows that say whether they are of this class."""
    known = ~labels[:, column] | (labels.sum(axis=1) == 1)
    return labels[known, column], said[known, column]


def figures(scores: object) -> dict[str, float | None]:
    found = {one.name: getattr(scores, one.name) for one in fields(scores)}  # type: ignore[arg-type]  a noun of figures
    return {name: one.value for name, one in found.items() if isinstance(one, Figure)}


def score(rows: Sequence[tuple[np.ndarray, tuple[int, ...], int]]) -> ClassificationScores:
    return score_classification(
        [
            ClassificationRow(
                probabilities=p, candidates=np.array(label, dtype=bool), identity=somebody(f"{who}")
            )
            for p, label, who in rows
        ],
        NAMES,
    )


@settings(deadline=None, max_examples=60)
@given(ROWS)
def test_every_figure_is_that_of_its_referee_or_none(
    rows: list[tuple[np.ndarray, tuple[int, ...], int]],
) -> None:
    said = np.array([p for p, _, _ in rows]).reshape(-1, 3)
    labels = np.array([label for _, label, _ in rows], dtype=bool).reshape(-1, 3)
    scores, each = score(rows), list[dict[str, float | None]]()
    for column, one in enumerate(scores.classes):
        each.append(expected_of_class(*decided(said, labels, column)))
        assert figures(one) == pytest.approx(each[-1], abs=1e-6)
    known = labels.sum(axis=1) == 1
    whole = expected_of_all(labels[known].argmax(axis=1), said[known])
    for name in ("auroc", "auroc_within", "average_precision", "sensitivity_at_95", "ece"):
        defined = [v for one in each if (v := one[name]) is not None]
        whole[f"{name}_macro"] = float(np.mean(defined)) if defined else None
    whole["auroc_within_pooled"] = pooled([decided(said, labels, column) for column in range(3)])
    assert figures(scores) == pytest.approx(whole, abs=1e-6)
