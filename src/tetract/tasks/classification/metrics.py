"""How well slices are classified, with candidate label sets.

A source may only say what a slice is *not* ("not COVID"). Such a row decides the classes it
excludes and says nothing about the others. Units of analysis and empty rules:
``docs/reference/metrics.md``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float
from sklearn.metrics import f1_score, roc_auc_score

from tetract.types.figure import Figure, Support, count_support, mean_figure
from tetract.types.identity import Identity

THRESHOLD = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassificationRow:
    """One labelled slice.

    Attributes:
        probabilities: (K,) predicted, finite.
        candidates: (K,) bool; one True is a known class, several what the source leaves open.
        identity: Who the slice is.
    """

    probabilities: Float[np.ndarray, " K"]
    candidates: Bool[np.ndarray, " K"]
    identity: Identity


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassScores:
    """One class against the rest, over the rows that decide it.

    Attributes:
        name: Name of the class.
        positives: Rows known to be exactly this class.
        negatives: Rows whose candidates exclude it.
        auroc: Area under the ROC curve, ties counted half.
        accuracy: Share decided rightly at probability 0.5.
        f1: F1 at probability 0.5.
        sensitivity: Share of the positives found at probability 0.5.
        specificity: Share of the negatives left alone at probability 0.5.
    """

    name: str
    positives: int
    negatives: int
    auroc: Figure
    accuracy: Figure
    f1: Figure
    sensitivity: Figure
    specificity: Figure


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassificationScores:
    """All classes.

    Attributes:
        support: All labelled rows.
        auroc_macro: Plain mean of the defined one-vs-rest AUROCs.
        accuracy: Share of rows whose most probable class is right.
        balanced_accuracy: Mean recall over the classes present.
        f1_macro: Mean F1 over the classes present.
        classes: One entry per class, in label order.
    """

    support: Support
    auroc_macro: Figure
    accuracy: Figure
    balanced_accuracy: Figure
    f1_macro: Figure
    classes: tuple[ClassScores, ...]


def score_classification(
    rows: Sequence[ClassificationRow], classes: tuple[str, ...]
) -> ClassificationScores:
    """Score all rows, one class against the rest and all classes together.

    Accuracy, balanced accuracy and macro F1 use the rows with a single known class and need at
    least two classes among them: on one class, saying its name always would score 1.

    Args:
        rows: The labelled slices, in any order.
        classes: Names of the K classes.
    """
    per_class = tuple(_score_class(rows, index, name) for index, name in enumerate(classes))
    deciding = [row for row in rows if not row.candidates.all()]
    defined = [one.auroc.value for one in per_class if one.auroc.value is not None]
    known = [row for row in rows if row.candidates.sum() == 1]
    truth = np.array([row.candidates.argmax() for row in known], dtype=np.int64)
    found = np.array([row.probabilities.argmax() for row in known], dtype=np.int64)
    present = np.unique(truth)
    support = count_support(known)
    if len(present) > 1:
        # Only over the classes present: an absent one would enter as an F1 of 0.
        f1 = f1_score(truth, found, labels=present, average="macro")
        balanced = np.mean([(found[truth == c] == c).mean() for c in present])
        overall = [
            Figure(value=float(value), support=support)
            for value in ((truth == found).mean(), balanced, f1)
        ]
    else:
        reason = (
            "only one class among the rows with a single known class"
            if known
            else "no rows with a single known class"
        )
        overall = [Figure(value=None, support=support, reason=reason)] * 3
    return ClassificationScores(
        support=count_support(rows),
        auroc_macro=mean_figure(
            defined, count_support(deciding), reason="no class has positive and negative rows"
        ),
        accuracy=overall[0],
        balanced_accuracy=overall[1],
        f1_macro=overall[2],
        classes=per_class,
    )


def _score_class(rows: Sequence[ClassificationRow], index: int, name: str) -> ClassScores:
    """Class ``index`` against the rest, over the rows that decide it."""
    decided = [row for row in rows if not row.candidates[index] or row.candidates.sum() == 1]
    support = count_support(decided)
    truth = np.array([row.candidates[index] for row in decided], dtype=np.bool_)
    scores = np.array([row.probabilities[index] for row in decided], dtype=np.float64)
    said = scores >= THRESHOLD
    no_positives = "" if truth.any() else "no positive rows"
    no_negatives = "" if (~truth).any() else "no negative rows"

    def figure(value: float, reason: str) -> Figure:
        return Figure(value=None if reason else value, support=support, reason=reason)

    both = no_positives or no_negatives
    hits = float((truth & said).sum())
    return ClassScores(
        name=name,
        positives=int(truth.sum()),
        negatives=int((~truth).sum()),
        auroc=figure(0.0 if both else float(roc_auc_score(truth, scores)), both),
        accuracy=figure(float((truth == said).sum()) / max(truth.size, 1), both),
        f1=figure(2 * hits / max(float(truth.sum() + said.sum()), 1.0), no_positives),
        sensitivity=figure(hits / max(float(truth.sum()), 1.0), no_positives),
        specificity=figure(
            float((~truth & ~said).sum()) / max(float((~truth).sum()), 1.0), no_negatives
        ),
    )
