"""How far a ratio of sums may reach: bootstrap-t beside the bias-corrected interval.

An error has no upper end, and in a small study the patients who are hardest may be missing. Those
who are there then tell too small a mean and, with it, too small a spread. The bootstrap-t (Efron
1982; Hall 1988, doi 10.1214/aos/1176350933; Hesterberg 2015, doi 10.1080/00031305.2015.1089789)
sees that the two go together: each draw is measured by its own standard error. It is as accurate in
theory as BCa and errs elsewhere, so the end that lies farther out is taken. For sums over patients
the standard error is known in closed form (the delta method; within strata, Cochran 1977, Sampling
Techniques, section 6.12). docs/results/intervals.md measures what that is worth.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from tetract.types.figure import Interval


@dataclass(frozen=True, slots=True, kw_only=True)
class Sums:
    """A figure as a ratio of two sums over rows.

    Attributes:
        above: (N,) what each row adds above the line, 0 or more.
        below: (N,) what it adds below.
        is_share: Whether the ratio lies in [0, 1]. If not it is an error, 0 or more and skewed to
            the right: its lower end is left as it is.
        then: What is made of the ratio, rising or falling throughout; None: nothing.
    """

    above: Float[np.ndarray, " N"]
    below: Float[np.ndarray, " N"]
    is_share: bool
    then: Callable[[Float[np.ndarray, " E"]], Float[np.ndarray, " E"]] | None = None


def reach_further(
    interval: Interval,
    sums: Sums,
    columns: Int[np.ndarray, " N"],
    counts: Float[np.ndarray, "R P"],
    strata: Int[np.ndarray, " P"],
) -> Interval | None:
    """The interval, its ends moved to those of the bootstrap-t where these lie farther out.

    Args:
        interval: Of the figure.
        sums: The figure over N rows.
        columns: Patient of each row.
        counts: How often each patient is drawn; at least one draw in which the ratio is known.
        strata: Stratum that each patient is drawn in.

    Returns:
        None for an error that may be of any size: so few patients err that more than one draw in
        40 is without error.
    """
    patients = counts.shape[1]
    above = np.bincount(columns, sums.above, minlength=patients)
    below = np.bincount(columns, sums.below, minlength=patients)
    low, high = studentised_ends(above, below, counts, strata, level=interval.level)
    if sums.is_share:
        ends = np.clip([low, high], 0.0, 1.0)
    elif np.isfinite(high):
        ends = np.array([max(high, 0.0)])
    else:
        return None
    reached = ends if sums.then is None else sums.then(ends)
    return Interval(
        low=min(interval.low, float(reached.min())),
        high=max(interval.high, float(reached.max())),
        level=interval.level,
    )


def studentised_ends(
    above: Float[np.ndarray, " P"],
    below: Float[np.ndarray, " P"],
    counts: Float[np.ndarray, "R P"],
    strata: Int[np.ndarray, " P"],
    *,
    level: float,
) -> tuple[float, float]:
    """Bootstrap-t interval of sum(above) / sum(below); an end is infinite where nothing tells it.

    Args:
        above: Each patient's sum.
        below: The same; some are above 0.
        counts: How often each patient is drawn.
        strata: Stratum that each patient is drawn in.
        level: Stated coverage.
    """
    (value,), (error,) = _ratio_and_error(above, below, np.ones((1, len(above))), strata)
    values, errors = _ratio_and_error(above, below, counts[counts @ below > 0], strata)
    if error == 0:
        return float(value), float(value)
    away = values - value
    # A draw without spread lies infinitely many standard errors away, or nowhere.
    beyond = np.where(away == 0, 0.0, np.copysign(np.inf, away))
    t = np.divide(away, errors, out=beyond, where=errors > 0)
    tail = (1 - level) / 2
    least = float(np.quantile(t, tail, method="lower"))
    most = float(np.quantile(t, 1 - tail, method="higher"))
    return float(value - most * error), float(value - least * error)


def _ratio_and_error(
    above: Float[np.ndarray, " P"],
    below: Float[np.ndarray, " P"],
    counts: Float[np.ndarray, "R P"],
    strata: Int[np.ndarray, " P"],
) -> tuple[Float[np.ndarray, " R"], Float[np.ndarray, " R"]]:
    """The ratio in each draw, and its standard error."""
    total = counts @ below
    values = (counts @ above) / total
    squares = np.zeros(len(counts))
    for stratum in np.unique(strata):
        own = strata == stratum
        number, drawn, one, two = int(own.sum()), counts[:, own], above[own], below[own]
        if number < 2:
            continue
        rest = drawn @ one - values * (drawn @ two)
        spread = (
            drawn @ one**2
            - 2 * values * (drawn @ (one * two))
            + values**2 * (drawn @ two**2)
            - rest**2 / number
        )
        # Differences of large numbers: what rounding leaves of nothing is nothing.
        scale = drawn @ one**2 + values**2 * (drawn @ two**2)
        squares += np.where(spread > 1e-12 * scale, spread, 0.0) * number / (number - 1)
    return values, np.sqrt(squares) / total
