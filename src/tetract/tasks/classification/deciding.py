"""Figures of one class at one threshold, from how many rows were decided rightly and wrongly."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TypeAlias

import numpy as np
from jaxtyping import Bool, Float

from tetract.types.resamples import Statistic, ratio

_Count: TypeAlias = Float[np.ndarray, " R"]
# Of the numbers of true positives, false positives, false negatives and true negatives.
Decision: TypeAlias = Callable[[_Count, _Count, _Count, _Count], _Count]


def decided(
    truth: Bool[np.ndarray, " N"], said: Bool[np.ndarray, " N"], figure: Decision
) -> Statistic:
    """The statistic of what was ``said`` of rows whose ``truth`` is known."""
    kinds = np.stack([truth & said, ~truth & said, truth & ~said, ~truth & ~said], axis=1)
    return partial(_count, kinds.astype(np.float64), figure)


def sensitivity(hits: _Count, _alarms: _Count, missed: _Count, _left_alone: _Count) -> _Count:
    """Share of the positives found; NaN without positives."""
    return ratio(hits, hits + missed)


def specificity(_hits: _Count, alarms: _Count, _missed: _Count, left_alone: _Count) -> _Count:
    """Share of the negatives left alone; NaN without negatives."""
    return ratio(left_alone, left_alone + alarms)


def accuracy(hits: _Count, alarms: _Count, missed: _Count, left_alone: _Count) -> _Count:
    """Share decided rightly; NaN without positives or without negatives."""
    both = (hits + missed > 0) & (alarms + left_alone > 0)
    return np.where(both, ratio(hits + left_alone, hits + alarms + missed + left_alone), np.nan)


def balanced_accuracy(hits: _Count, alarms: _Count, missed: _Count, left_alone: _Count) -> _Count:
    """Mean of sensitivity and specificity; NaN without positives or without negatives."""
    return (ratio(hits, hits + missed) + ratio(left_alone, left_alone + alarms)) / 2


def f1(hits: _Count, alarms: _Count, missed: _Count, left_alone: _Count) -> _Count:
    """2 TP / (2 TP + FP + FN); NaN without positives or without negatives.

    Without negatives "yes" to every row would score 1.
    """
    both = (hits + missed > 0) & (alarms + left_alone > 0)
    return np.where(both, ratio(2 * hits, 2 * hits + alarms + missed), np.nan)


def mcc(hits: _Count, alarms: _Count, missed: _Count, left_alone: _Count) -> _Count:
    """Matthews' correlation coefficient (1975, doi 10.1016/0005-2795(75)90109-9), in [-1, 1].

    NaN without positives or without negatives. 0 where the same is said of every row: that tells
    nothing apart, and is a result.
    """
    positives, negatives = hits + missed, alarms + left_alone
    called, not_called = hits + alarms, missed + left_alone
    # Square roots one by one: the product of four numbers of rows could lose digits.
    spread = np.sqrt(positives * negatives) * np.sqrt(called * not_called)
    agreement = hits * left_alone - alarms * missed
    found = np.divide(agreement, spread, out=np.zeros_like(spread), where=spread > 0)
    return np.where((positives > 0) & (negatives > 0), found, np.nan)


def _count(
    kinds: Float[np.ndarray, "N 4"], figure: Decision, weights: Float[np.ndarray, "R N"]
) -> Float[np.ndarray, " R"]:
    hits, alarms, missed, left_alone = (weights @ kinds).T
    return figure(hits, alarms, missed, left_alone)
