"""Risk and coverage: how wrong a classifier is on the slices that it keeps.

El-Yaniv and Wiener 2010; the area under the curve as in Geifman et al. 2019 (arXiv 1805.08206).
The slices are kept from the least to the most doubtful. Counts are taken as continuous, so equal
doubts enter evenly, and a slice that counts twice is worth two slices:
AURC = 1/n * integral over 0..n of (errors among the first x) / x dx.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np
from jaxtyping import Bool, Float, Float64

from tetract.types.resamples import Statistic

MOST_POINTS = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskCurve:
    """Share of errors at each share kept, for drawing.

    Attributes:
        coverage: (P,) increasing to 1.
        risk: (P,) share of errors among those kept.
    """

    coverage: tuple[float, ...]
    risk: tuple[float, ...]


def aurc(doubt: Float[np.ndarray, " N"], wrong: Bool[np.ndarray, " N"]) -> Statistic:
    """The statistic: area under the risk-coverage curve, lower is better; NaN of no slices."""
    values, block = np.unique(doubt, return_inverse=True)
    return partial(_aurc, block, len(values), wrong)


def risk_curve(doubt: Float[np.ndarray, " N"], wrong: Bool[np.ndarray, " N"]) -> RiskCurve:
    """The curve at the end of each run of equal doubts, thinned to at most 100 points."""
    values, block = np.unique(doubt, return_inverse=True)
    kept = np.cumsum(np.bincount(block, minlength=len(values)))
    errors = np.cumsum(np.bincount(block, wrong, minlength=len(values)))
    if not len(values):
        return RiskCurve(coverage=(), risk=())
    points = np.unique(np.linspace(0, len(kept) - 1, MOST_POINTS).round().astype(np.int64))
    return RiskCurve(
        coverage=tuple((kept[points] / kept[-1]).tolist()),
        risk=tuple((errors[points] / kept[points]).tolist()),
    )


def _aurc(
    block: np.ndarray,
    blocks: int,
    wrong: Bool[np.ndarray, " N"],
    weights: Float[np.ndarray, "R N"],
) -> Float64[np.ndarray, " R"]:
    order = np.argsort(block, kind="stable")
    starts = np.searchsorted(block[order], np.arange(blocks))
    if not blocks:
        return np.full(len(weights), np.nan)
    width = np.add.reduceat(weights[:, order], starts, axis=1)
    error = np.add.reduceat(weights[:, order] * wrong[order], starts, axis=1)
    end, errors = np.cumsum(width, axis=1), np.cumsum(error, axis=1)
    start, before = end - width, errors - error
    rate = np.divide(error, width, out=np.zeros_like(error), where=width > 0)
    # Within a block: integral of (before + rate * (x - start)) / x from start to end.
    grown = np.log(np.divide(end, start, out=np.ones_like(end), where=start > 0))
    area = (rate * width + (before - rate * start) * grown).sum(axis=1)
    total = end[:, -1]
    return np.divide(area, total, out=np.full(len(weights), np.nan), where=total > 0)
