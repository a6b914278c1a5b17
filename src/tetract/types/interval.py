"""Bootstrap confidence intervals that also hold with few patients.

BCa intervals are right for many patients. With few they are too narrow, for two reasons that have
nothing to do with bootstrapping: drawing n patients with replacement varies (n - 1) / n times as
much as it should, and the variance itself is only estimated. The cure for a mean is old: Student's
t in place of the normal, and a factor of sqrt(n / (n - 1)); Hesterberg (2015, doi
10.1080/00031305.2015.1089789) carries it over to bootstrap percentiles. How well a variance is
estimated depends on how many patients it rests on, and where a few large lesions decide a figure
these are fewer than were scanned; so n is counted by pull. docs/results/intervals.md measures it.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from jaxtyping import Float
from scipy.special import ndtr, ndtri, stdtrit

from tetract.types.figure import Interval

LEVEL: Final = 0.95


def bca_interval(
    value: float,
    draws: Float[np.ndarray, " R"],
    pull: Float[np.ndarray, " P"],
    *,
    level: float,
    widen: bool = True,
) -> Interval:
    """Bias-corrected and accelerated interval (Efron 1987, doi 10.1080/01621459.1987.10478410).

    Args:
        value: The figure itself.
        draws: The figure in each draw, at least one of them known; NaN is left out.
        pull: By how much each patient moves the figure, up to a common factor, centred.
            Empty where that is unknown: then neither accelerated nor widened.
        level: Stated coverage.
        widen: Whether to allow for few patients; without, it is the textbook's interval.
    """
    known = draws[np.isfinite(draws)]
    # Half of the ties count as below, so that a figure with few distinct values is not skewed.
    below = ((known < value).mean() + (known <= value).mean()) / 2
    edge = 0.5 / len(known)
    bias = ndtri(np.clip(below, edge, 1 - edge))
    reach = _reach(pull, level) if widen else ndtri((1 + level) / 2)
    tails = bias + np.array([-reach, reach])
    # Far out, the correction may turn round: there it is held at its limit.
    slope = np.maximum(1 - _acceleration(pull) * tails, 1e-3)
    low, high = np.quantile(known, ndtr(bias + tails / slope))
    return Interval(low=float(low), high=float(high), level=level)


def count_by_pull(pull: Float[np.ndarray, " P"]) -> float:
    """How many patients, all pulling alike, would tell the variance of a figure as well as these.

    One more than the degrees of freedom of a sample variance, 2 n / (kurtosis - (n - 3) / (n - 1))
    (O'Neill 2014, doi 10.1080/00031305.2014.966589): n where the pulls are normal, near 3 where
    one patient decides. Never more than n.

    Args:
        pull: As for ``bca_interval``, at least two patients.
    """
    count, spread = len(pull), float((pull**2).sum())
    if spread == 0:
        return float(count)
    kurtosis = count * float((pull**4).sum()) / spread**2
    return min(float(count), 1 + 2 * count / (kurtosis - (count - 3) / (count - 1)))


def _reach(pull: Float[np.ndarray, " P"], level: float) -> float:
    """Standard errors to either side of the figure: the normal's quantile, widened."""
    if len(pull) < 2:
        return float(ndtri((1 + level) / 2))
    count = count_by_pull(pull)
    return float(stdtrit(count - 1, (1 + level) / 2) * np.sqrt(count / (count - 1)))


def _acceleration(pull: Float[np.ndarray, " P"]) -> float:
    """How fast the spread changes with the value: the skewness of the patients' pull / 6."""
    spread = float((pull**2).sum())
    return 0.0 if spread == 0 else float((pull**3).sum()) / (6 * spread**1.5)
