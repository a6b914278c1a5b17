"""Figures of one class over all thresholds: AUROC, average precision, sensitivity at a specificity.

Rows are sorted once; then how often each counts is summed over the rows of equal score, for all
studies at a time. All are undefined (NaN) in a study without positives or without negatives.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TypeAlias

import numpy as np
from jaxtyping import Bool, Float, Int

from tetract.types.resamples import Statistic

_Counts: TypeAlias = Float[np.ndarray, "R G"]
# What is summed in floating point may miss the stated specificity by this share of a row.
_SLACK = 1e-9
# Numbers held in each of a handful of arrays: 1 MB, which a core's own cache holds.
_AT_ONCE = 131_072


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranking:
    """Rows sorted from the highest score to the lowest.

    Attributes:
        order: (N,) index of the rows.
        starts: (G,) where each group of equal scores begins in ``order``.
        truth: (N,) in that order.
        scores: (G,) falling, one for each group.
    """

    order: Int[np.ndarray, " N"]
    starts: Int[np.ndarray, " G"]
    truth: Bool[np.ndarray, " N"]
    scores: Float[np.ndarray, " G"]

    def count(self, weights: Float[np.ndarray, "R N"]) -> tuple[_Counts, _Counts]:
        """(R, G) positives and (R, G) negatives of each group in each study."""
        if not len(self.starts):
            empty = np.zeros((len(weights), 0))
            return empty, empty
        ranked = weights[:, self.order]
        groups = np.add.reduceat(ranked, self.starts, axis=1)
        positives = np.add.reduceat(ranked * self.truth, self.starts, axis=1)
        return positives, groups - positives


def rank_rows(truth: Bool[np.ndarray, " N"], scores: Float[np.ndarray, " N"]) -> Ranking:
    """Sort rows by falling score; equal scores form a group."""
    order = np.argsort(-scores, kind="stable")
    ranked = scores[order]
    starts = np.flatnonzero(np.diff(ranked, prepend=np.inf))
    return Ranking(order=order, starts=starts, truth=truth[order], scores=ranked[starts])


def auroc(ranking: Ranking) -> Statistic:
    """Share of pairs in which the positive has the higher score, ties half (Hanley, McNeil 1982).

    doi 10.1148/radiology.143.1.7063747. Equal to ``sklearn.metrics.roc_auc_score``.
    """
    return partial(_in_blocks, ranking, _auroc)


def average_precision(ranking: Ranking) -> Statistic:
    """Sum over thresholds of the gain in recall times the precision there; no interpolation.

    Equal to ``sklearn.metrics.average_precision_score``.
    """
    return partial(_in_blocks, ranking, _average_precision)


def sensitivity_at(ranking: Ranking, specificity: float) -> Statistic:
    """The highest sensitivity among the points of the ROC curve of at least this specificity.

    The points are one for each observed score (rows of this score or above are called positive,
    equal scores together) and "nothing is called positive". Nothing is interpolated.
    """
    return partial(_in_blocks, ranking, partial(_sensitivity_at, specificity))


def keeps_specificity(specificity: float, negatives: _Counts) -> Bool[np.ndarray, "R G"]:
    """Whether calling each group and all above it positive leaves enough negatives alone."""
    alarms = negatives.cumsum(axis=1)
    allowed = (1 - specificity) * negatives.sum(axis=1, keepdims=True)
    return alarms <= allowed + _SLACK


def _auroc(positives: _Counts, negatives: _Counts) -> Float[np.ndarray, " R"]:
    above = positives.cumsum(axis=1) - positives / 2
    pairs = positives.sum(axis=1) * negatives.sum(axis=1)
    return np.einsum("rg,rg->r", negatives, above) / pairs


def _average_precision(positives: _Counts, negatives: _Counts) -> Float[np.ndarray, " R"]:
    hits = positives.cumsum(axis=1)
    found = hits + negatives.cumsum(axis=1)
    precision = np.divide(hits, found, out=np.zeros_like(hits), where=found > 0)
    return np.einsum("rg,rg->r", positives, precision) / positives.sum(axis=1)


def _sensitivity_at(
    specificity: float, positives: _Counts, negatives: _Counts
) -> Float[np.ndarray, " R"]:
    kept = keeps_specificity(specificity, negatives)
    return np.where(kept, positives, 0).sum(axis=1) / positives.sum(axis=1)


def _in_blocks(
    ranking: Ranking,
    figure: Callable[[_Counts, _Counts], Float[np.ndarray, " R"]],
    weights: Float[np.ndarray, "R N"],
) -> Float[np.ndarray, " R"]:
    step = max(1, _AT_ONCE // max(1, len(ranking.order)))
    values = np.full(len(weights), np.nan)
    for start in range(0, len(weights), step):
        studies = slice(start, start + step)
        positives, negatives = ranking.count(weights[studies])
        both = (positives.sum(axis=1) > 0) & (negatives.sum(axis=1) > 0)
        values[studies][both] = figure(positives[both], negatives[both])
    return values
