"""Scores turned into probabilities by a logistic curve of two numbers.

Platt 1999 (Probabilistic outputs for support vector machines); for detectors Kueppers et al. 2020
(arXiv 2004.13546). The slope is the inverse of a temperature; the offset makes up for how rare
what is scored really is, which a temperature alone cannot.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from jaxtyping import Bool, Float, Float64
from scipy.optimize import minimize
from scipy.special import expit

FEWEST: Final = 5
# Beyond this, a score in single precision is 0 or 1 and says no more.
_MOST_LOGIT: Final = 16.0
# Perfectly told apart, the best slope would be infinite: held as by half a wrong row.
_HOLD: Final = 0.01


@dataclass(frozen=True, slots=True, kw_only=True)
class Logistic:
    """``probability = sigmoid(slope * logit(score) + offset)``.

    Attributes:
        slope: Not below 0: the order of scores stays; above 0 or the scores say nothing.
        offset: In nats.
        positives: Rows it was fitted to.
        negatives: The same.
        brier_before: Mean squared distance of score and truth on them.
        brier_after: The same of the probability.
    """

    slope: float
    offset: float
    positives: int
    negatives: int
    brier_before: float
    brier_after: float

    def apply(self, scores: Float[np.ndarray, "..."]) -> Float64[np.ndarray, "..."]:
        """Probabilities of ``scores`` in [0, 1]."""
        return np.asarray(expit(self.slope * logits(scores) + self.offset))


def fit_logistic(scores: Float[np.ndarray, " N"], truth: Bool[np.ndarray, " N"]) -> Logistic | None:
    """Most likely curve; None with fewer than 5 rows of either kind.

    Args:
        scores: In [0, 1].
        truth: Whether each is right.
    """
    positives = int(truth.sum())
    negatives = len(truth) - positives
    if min(positives, negatives) < FEWEST:
        return None
    at = logits(scores)
    sign = np.where(truth, 1.0, -1.0)

    def loss(two: Float64[np.ndarray, " two"]) -> tuple[float, Float64[np.ndarray, " two"]]:
        margin = sign * (two[0] * at + two[1])
        pull = -sign * expit(-margin) / len(at)
        value = np.logaddexp(0, -margin).mean() + _HOLD * two[0] ** 2 / len(at)
        return float(value), np.array([pull @ at + 2 * _HOLD * two[0] / len(at), pull.sum()])

    best = minimize(
        loss, np.array([1.0, 0.0]), jac=True, method="L-BFGS-B", bounds=[(0.0, None), (None, None)]
    )
    slope, offset = (float(number) for number in best.x)
    said = expit(slope * at + offset)
    return Logistic(
        slope=slope,
        offset=offset,
        positives=positives,
        negatives=negatives,
        brier_before=float(((scores - truth) ** 2).mean()),
        brier_after=float(((said - truth) ** 2).mean()),
    )


def logits(scores: Float[np.ndarray, "..."]) -> Float64[np.ndarray, "..."]:
    """``log(p / (1 - p))``, held within 16 nats."""
    low = float(expit(-_MOST_LOGIT))
    held = np.asarray(scores, dtype=np.float64).clip(low, 1 - low)
    return np.log(held) - np.log1p(-held)
