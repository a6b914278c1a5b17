"""Other studies that could have been: the patients of this one, drawn again.

A figure is a function of how often each slice counts. Counted once each, it is the figure itself;
counted as a bootstrap draw of the *patients* says, it is a draw of that figure (Field and Welsh
2007, doi 10.1111/j.1467-9868.2007.00593.x). So every metric is written once, for many sets of
weights at a time, and value and interval cannot disagree about its definition.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeAlias

import numpy as np
from jaxtyping import Float

from tetract.types.figure import Figure, count_support, undefined
from tetract.types.identity import GroupKey, HasIdentity, group_keys
from tetract.types.interval import LEVEL, bca_interval

# (R, N) how often each of N rows counts in each of R studies -> (R,), NaN where undefined.
Statistic: TypeAlias = Callable[[Float[np.ndarray, "R N"]], Float[np.ndarray, " R"]]

# Below this the draws are few combinations of few people, and no interval covers what it says.
FEWEST_PATIENTS: Final = 5
# Beyond this share of draws without the figure (no positive drawn, say) the rest is selected.
MOST_UNDEFINED: Final = 0.05
# Weights held at once: 32 million numbers are 256 MB.
_CHUNK: Final = 32_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Resamples:
    """How often each patient counts: as the data are, in each draw, and with one left out.

    Attributes:
        patients: Column of each patient.
        counts: (1 + draws + L, P). The first row is all ones; then the draws, patients drawn with
            replacement within each source; then each patient left out once, for the acceleration
            of the interval (L is P, or 0 where that would be too many).
        draws: Number of draws; 0: only the figures themselves are asked for.
    """

    patients: Mapping[GroupKey, int] = field(default_factory=dict[GroupKey, int])
    counts: Float[np.ndarray, "R P"] = field(default_factory=lambda: np.ones((1, 0)))
    draws: int = 0

    def weights(
        self, rows: Sequence[HasIdentity], studies: slice = slice(None)
    ) -> Float[np.ndarray, "R N"]:
        """How often each row counts in each study."""
        if not self.draws:
            return np.ones((1, len(rows)))
        columns = [self.patients[key] for key in group_keys(rows)]
        return self.counts[studies][:, columns]


AS_IS: Final = Resamples()


def estimate(
    statistic: Statistic,
    rows: Sequence[HasIdentity],
    resamples: Resamples,
    *,
    reason: str,
    behind: Sequence[HasIdentity] | None = None,
) -> Figure:
    """The figure, and where it lies for other patients of the same kind.

    Args:
        statistic: Turns weights of ``rows`` into numbers.
        rows: What the weights weigh. One row may stand for a whole patient.
        resamples: The draws; ``AS_IS`` for none.
        reason: Why the figure does not exist, should it not.
        behind: The rows to count as support, where they are more than ``rows``.

    Returns:
        With an interval where at least 5 patients stand behind it, the draws differ, and at most
        one draw in 20 leaves it undefined.
    """
    support = count_support(rows if behind is None else behind)
    values = np.concatenate([statistic(part) for part in _in_parts(rows, resamples)])
    value = float(values[0])
    if not np.isfinite(value):
        return undefined(support, reason)
    if not resamples.draws:
        return Figure(value=value, support=support)
    draws = values[1 : 1 + resamples.draws]
    groups = len(set(group_keys(rows)))
    why_not = _no_interval(draws, groups)
    return Figure(
        value=value,
        support=support,
        interval=None
        if why_not
        else bca_interval(value, draws, values[1 + resamples.draws :], level=LEVEL),
        no_interval=why_not,
        draws=draws,
    )


def weighted_mean(values: Float[np.ndarray, " N"]) -> Statistic:
    """The statistic that averages one number per row."""

    def mean(weights: Float[np.ndarray, "R N"]) -> Float[np.ndarray, " R"]:
        return ratio(weights @ values, weights.sum(axis=1))

    return mean


def ratio(
    above: Float[np.ndarray, " R"], below: Float[np.ndarray, " R"]
) -> Float[np.ndarray, " R"]:
    """``above / below``, NaN where ``below`` is 0."""
    return np.divide(above, below, out=np.full(above.shape, np.nan), where=below > 0)


def draw_resamples(
    rows: Sequence[HasIdentity], *, draws: int, seed: int, most_left_out: int = 500
) -> Resamples:
    """Draw the patients behind ``rows`` again and again, each source's among themselves.

    Args:
        rows: All rows of the evaluation.
        draws: Number of draws.
        seed: Of the draws.
        most_left_out: Beyond this many patients none is left out in turn, and intervals are of
            the bias-corrected kind.
    """
    keys = sorted(set(group_keys(rows)))
    generator = np.random.default_rng(seed)
    drawn = np.zeros((draws, len(keys)))
    for source in sorted({key[0] for key in keys}):
        columns = np.flatnonzero([key[0] == source for key in keys])
        even = np.full(len(columns), 1 / len(columns))
        drawn[:, columns] = generator.multinomial(len(columns), even, size=draws)
    left_out = 1 - np.eye(len(keys)) if len(keys) <= most_left_out else np.ones((0, len(keys)))
    return Resamples(
        patients={key: column for column, key in enumerate(keys)},
        counts=np.concatenate([np.ones((1, len(keys))), drawn, left_out]),
        draws=draws,
    )


def _in_parts(
    rows: Sequence[HasIdentity], resamples: Resamples
) -> Iterator[Float[np.ndarray, "R N"]]:
    """The weights, some studies at a time."""
    step = max(1, _CHUNK // max(1, len(rows)))
    for start in range(0, len(resamples.counts), step):
        yield resamples.weights(rows, slice(start, start + step))


def _no_interval(draws: Float[np.ndarray, " R"], groups: int) -> str:
    if groups < FEWEST_PATIENTS:
        return f"fewer than {FEWEST_PATIENTS} patients"
    known = draws[np.isfinite(draws)]
    if len(known) < (1 - MOST_UNDEFINED) * len(draws):
        return "too few patients of one kind: many draws leave the figure undefined"
    if np.ptp(known) == 0:
        return "all draws agree: too few patients to see how it varies"
    return ""
