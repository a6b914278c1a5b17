"""Bootstrap confidence intervals."""

from __future__ import annotations

from typing import Final

import numpy as np
from jaxtyping import Float
from scipy.stats import norm

from tetract.types.figure import Interval

LEVEL: Final = 0.95


def bca_interval(
    value: float,
    draws: Float[np.ndarray, " R"],
    left_out: Float[np.ndarray, " P"],
    *,
    level: float,
) -> Interval:
    """Bias-corrected and accelerated interval (Efron 1987, doi 10.1080/01621459.1987.10478410).

    Args:
        value: The figure itself.
        draws: The figure in each draw; NaN is left out.
        left_out: The figure without each patient; NaN is left out. Empty: no acceleration.
        level: Stated coverage.
    """
    known = draws[np.isfinite(draws)]
    # Half of the ties count as below, so that a figure with few distinct values is not skewed.
    below = ((known < value).mean() + (known <= value).mean()) / 2
    edge = 0.5 / len(known)
    bias = norm.ppf(np.clip(below, edge, 1 - edge))
    tails = norm.ppf([(1 - level) / 2, (1 + level) / 2]) + bias
    # Far out, the correction may turn round: there it is held at its limit.
    slope = np.maximum(1 - _acceleration(left_out) * tails, 1e-3)
    low, high = np.quantile(known, norm.cdf(bias + tails / slope))
    return Interval(low=float(low), high=float(high), level=level)


def _acceleration(left_out: Float[np.ndarray, " P"]) -> float:
    """How fast the spread changes with the value: the skewness of the patients' influence / 6."""
    known = left_out[np.isfinite(left_out)]
    if len(known) == 0:
        return 0.0
    pull = known.mean() - known
    spread = float((pull**2).sum())
    return 0.0 if spread == 0 else float((pull**3).sum()) / (6 * spread**1.5)
