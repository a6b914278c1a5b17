"""Curves of one class for a report: few points, plain arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from tetract.tasks.classification.calibration import BINS, bin_of
from tetract.tasks.classification.ranking import rank_rows
from tetract.tasks.classification.rows import ClassificationRow, deciding_rows, known_rows


@dataclass(frozen=True, slots=True, kw_only=True)
class RocCurve:
    """Sensitivity against the share of false alarms; straight between its points.

    Attributes:
        false_positive_rate: (P,) 1 - specificity, from 0 to 1.
        sensitivity: (P,) from 0 to 1.
    """

    false_positive_rate: Float[np.ndarray, " P"]
    sensitivity: Float[np.ndarray, " P"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PrecisionRecallCurve:
    """Precision against recall: a step from the last recall to each point, at its precision.

    The area under these steps is the average precision.

    Attributes:
        recall: (P,) rising to 1; the first step begins at 0.
        precision: (P,) in [0, 1].
        prevalence: Share of positives: the precision of guessing.
    """

    recall: Float[np.ndarray, " P"]
    precision: Float[np.ndarray, " P"]
    prevalence: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ReliabilityCurve:
    """What was said against what was so, in the bins that hold any row.

    Attributes:
        confidence: (B,) mean probability in the bin.
        frequency: (B,) share of rows in which it was so.
        rows: (B,) number of rows.
        low: (B,) the bin is from here, exclusive but for 0, ...
        high: (B,) ... to here, inclusive.
    """

    confidence: Float[np.ndarray, " B"]
    frequency: Float[np.ndarray, " B"]
    rows: Int[np.ndarray, " B"]
    low: Float[np.ndarray, " B"]
    high: Float[np.ndarray, " B"]


def roc_curve(rows: Sequence[ClassificationRow], index: int) -> RocCurve | None:
    """Of class ``index``; None without positives or without negatives."""
    decided = deciding_rows(rows, index)
    if decided.one_kind:
        return None
    hits, alarms = _cumulated(decided.truth, decided.scores)
    hits, alarms = np.concatenate([[0], hits]), np.concatenate([[0], alarms])
    kept = _corners(alarms, hits)
    return RocCurve(
        false_positive_rate=alarms[kept] / alarms[-1], sensitivity=hits[kept] / hits[-1]
    )


def precision_recall_curve(
    rows: Sequence[ClassificationRow], index: int
) -> PrecisionRecallCurve | None:
    """Of class ``index``; None without positives or without negatives."""
    decided = deciding_rows(rows, index)
    if decided.one_kind:
        return None
    hits, alarms = _cumulated(decided.truth, decided.scores)
    gains = np.diff(hits, prepend=0) > 0
    hits, alarms = hits[gains], alarms[gains]
    # A run of steps at one precision is one step.
    kept = np.append(hits[1:] * alarms[:-1] != hits[:-1] * alarms[1:], True)
    hits, alarms = hits[kept], alarms[kept]
    return PrecisionRecallCurve(
        recall=hits / hits[-1],
        precision=hits / (hits + alarms),
        prevalence=float(decided.truth.mean()),
    )


def reliability_curve(rows: Sequence[ClassificationRow], index: int) -> ReliabilityCurve | None:
    """Of class ``index``; None without positives or without negatives."""
    decided = deciding_rows(rows, index)
    return None if decided.one_kind else _reliability(decided.truth, decided.scores)


def top_label_reliability(
    rows: Sequence[ClassificationRow], classes: int
) -> ReliabilityCurve | None:
    """Of the most probable class; None with fewer than two classes among the known rows."""
    known = known_rows(rows, classes)
    return None if known.one_kind else _reliability(known.right, known.confidence)


def _cumulated(
    truth: Bool[np.ndarray, " N"], scores: Float[np.ndarray, " N"]
) -> tuple[Int[np.ndarray, " G"], Int[np.ndarray, " G"]]:
    """True and false positives at each score, from the strictest on."""
    positives, negatives = rank_rows(truth, scores).count(np.ones((1, len(truth))))
    return positives[0].cumsum().astype(np.int64), negatives[0].cumsum().astype(np.int64)


def _corners(across: Int[np.ndarray, " P"], up: Int[np.ndarray, " P"]) -> Bool[np.ndarray, " P"]:
    """The points at which the direction changes, and both ends. Exact: counts are integers."""
    dx, dy = np.diff(across), np.diff(up)
    turns = dx[:-1] * dy[1:] != dx[1:] * dy[:-1]
    return np.concatenate([[True], turns, [True]])


def _reliability(
    truth: Bool[np.ndarray, " N"], confidences: Float[np.ndarray, " N"]
) -> ReliabilityCurve:
    of_row = bin_of(confidences)
    rows = np.bincount(of_row, minlength=BINS)
    held = np.flatnonzero(rows)
    edges = np.linspace(0, 1, BINS + 1)
    return ReliabilityCurve(
        confidence=np.bincount(of_row, weights=confidences, minlength=BINS)[held] / rows[held],
        frequency=np.bincount(of_row, weights=truth, minlength=BINS)[held] / rows[held],
        rows=rows[held],
        low=edges[held],
        high=edges[held + 1],
    )
