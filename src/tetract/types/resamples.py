"""Other studies that could have been: the patients of this one, drawn again.

A figure is a function of how often each slice counts. Counted once each, it is the figure itself;
counted as a bootstrap draw of the *patients* says, it is a draw of that figure (Field and Welsh
2007, doi 10.1111/j.1467-9868.2007.00593.x). So every metric is written once, for many sets of
weights at a time, and value and interval cannot disagree about its definition.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, TypeAlias

import numpy as np
from jaxtyping import Float, Int

from tetract.types.figure import Figure, Support, count_support, undefined
from tetract.types.identity import GroupKey, HasIdentity, group_keys
from tetract.types.interval import LEVEL, bca_interval
from tetract.types.studentised import Sums, reach_further

# (R, N) how often each of N rows counts in each of R studies -> (R,), NaN where undefined.
Statistic: TypeAlias = Callable[[Float[np.ndarray, "R N"]], Float[np.ndarray, " R"]]

# Below this the draws are few combinations of few people, and no interval covers what it says.
FEWEST_PATIENTS: Final = 5
# Where k patients bear a figure, exp(-k) of the draws are without any: 5 patients once more.
MOST_UNDEFINED: Final = 0.01
# Weights held at once: 8 million numbers are 64 MB, and a metric may need several times that.
_CHUNK: Final = 8_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Resamples:
    """How often each patient counts: as the data are, in each draw, and with one left out.

    Attributes:
        patients: Column of each patient.
        counts: (1 + draws + L, P). The first row is all ones; then the draws, patients drawn with
            replacement within each stratum; then each patient left out once, to see how much
            each pulls at the figure (L is P, or 0 where that would be too many).
        draws: Number of draws; 0: only the figures themselves are asked for.
        strata: (P,) number of the stratum each patient is drawn in: his source, or several
            sources of few patients together.
    """

    patients: Mapping[GroupKey, int] = field(default_factory=dict[GroupKey, int])
    counts: Float[np.ndarray, "R P"] = field(default_factory=lambda: np.ones((1, 0)))
    draws: int = 0
    strata: Int[np.ndarray, " P"] = field(default_factory=lambda: np.zeros(0, dtype=np.int64))

    def weights(
        self, rows: Sequence[HasIdentity], studies: slice = slice(None)
    ) -> Float[np.ndarray, "R N"]:
        """How often each row counts in each study."""
        if not self.draws:
            return np.ones((1, len(rows)))
        return self.counts[studies][:, self.columns(rows)]

    def columns(self, rows: Sequence[HasIdentity]) -> list[int]:
        """Column of each row's patient."""
        return [self.patients[key] for key in group_keys(rows)]


AS_IS: Final = Resamples()


def estimate(
    statistic: Statistic,
    rows: Sequence[HasIdentity],
    resamples: Resamples,
    *,
    reason: str,
    behind: Sequence[HasIdentity] | None = None,
    sums: Sums | None = None,
) -> Figure:
    """The figure, and where it lies for other patients of the same kind.

    Args:
        statistic: Turns weights of ``rows`` into numbers.
        rows: What the weights weigh. One row may stand for a whole patient.
        resamples: The draws; ``AS_IS`` for none.
        reason: Why the figure does not exist, should it not.
        behind: The rows to count as support, where they are more than ``rows``.
        sums: The same figure as a ratio of sums over ``rows``, for errors without an upper end and
            for what few large patients decide; see ``reach_further``.

    Returns:
        With an interval where at least 5 patients stand behind it, the draws differ, and at most
        one draw in 100 leaves it undefined; see ``bca_interval``.
    """
    support = count_support(rows if behind is None else behind)
    studies = np.concatenate([statistic(part) for part in _in_parts(rows, resamples)])
    if resamples.draws:
        columns = np.array(resamples.columns(rows), dtype=np.int64)
        found = conclude(studies, np.unique(columns), resamples, support=support, reason=reason)
        return found if sums is None else _farther(found, sums, columns, resamples)
    value = float(studies[0])
    return (
        Figure(value=value, support=support) if np.isfinite(value) else undefined(support, reason)
    )


def conclude(
    studies: Float[np.ndarray, " R"],
    patients: Int[np.ndarray, " G"],
    resamples: Resamples,
    *,
    support: Support,
    reason: str,
) -> Figure:
    """The figure and its interval, from what it is in every study.

    Args:
        studies: In the order of ``resamples.counts``; NaN where undefined.
        patients: Columns of the patients behind it.
        resamples: The draws; not ``AS_IS``.
        support: The data behind it.
        reason: Why the figure does not exist, should it not.
    """
    value = float(studies[0])
    if not np.isfinite(value):
        return undefined(support, reason)
    draws = studies[1 : 1 + resamples.draws]
    why_not = _no_interval(value, draws, len(patients))
    interval = None
    if not why_not:
        pull = _known(_pull(studies, resamples)[patients])
        interval = bca_interval(value, draws, pull, level=LEVEL)
    return Figure(
        value=value,
        support=support,
        interval=interval,
        no_interval=why_not,
        studies=studies,
        columns=patients,
    )


def _farther(
    found: Figure, sums: Sums, columns: Int[np.ndarray, " N"], resamples: Resamples
) -> Figure:
    """With the ends of the bootstrap-t where these lie farther out."""
    if found.interval is None:
        return found
    drawn = resamples.counts[1 : 1 + resamples.draws]
    interval = reach_further(found.interval, sums, columns, drawn, resamples.strata)
    why_not = "" if interval else "so few patients err that nothing tells how far it may reach"
    return replace(found, interval=interval, no_interval=why_not)


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

    A source of fewer than 5 patients would hardly vary by itself, one of a single patient not at
    all: such sources are drawn together with others (collapsed strata: Cochran 1977, Sampling
    Techniques, section 5A.12).

    Args:
        rows: All rows of the evaluation.
        draws: Number of draws.
        seed: Of the draws.
        most_left_out: Beyond this many patients none is left out in turn; how much each pulls
            at a figure is then read from the draws, which is less exact.
    """
    keys = sorted(set(group_keys(rows)))
    strata = _strata(keys)
    generator = np.random.default_rng(seed)
    drawn = np.zeros((draws, len(keys)))
    for stratum in np.unique(strata):
        columns = np.flatnonzero(strata == stratum)
        even = np.full(len(columns), 1 / len(columns))
        drawn[:, columns] = generator.multinomial(len(columns), even, size=draws)
    left_out = 1 - np.eye(len(keys)) if len(keys) <= most_left_out else np.ones((0, len(keys)))
    return Resamples(
        patients={key: column for column, key in enumerate(keys)},
        counts=np.concatenate([np.ones((1, len(keys))), drawn, left_out]),
        draws=draws,
        strata=strata,
    )


def _strata(keys: Sequence[GroupKey]) -> Int[np.ndarray, " P"]:
    """Number of each patient's stratum: small sources are put together until they are enough."""
    sizes = Counter(source for source, *_ in keys)
    number, size, stratum = dict[str, int](), 0, 0
    for source in sorted(sizes, key=lambda name: (sizes[name], name)):
        if size >= FEWEST_PATIENTS:
            stratum, size = stratum + 1, 0
        number[source] = stratum
        size += sizes[source]
    if size < FEWEST_PATIENTS:  # the last ones found no others: they join those before
        number = {source: min(one, max(0, stratum - 1)) for source, one in number.items()}
    return np.array([number[source] for source, *_ in keys], dtype=np.int64)


def _in_parts(
    rows: Sequence[HasIdentity], resamples: Resamples
) -> Iterator[Float[np.ndarray, "R N"]]:
    """The weights, some studies at a time."""
    step = max(1, _CHUNK // max(1, len(rows)))
    for start in range(0, len(resamples.counts), step):
        yield resamples.weights(rows, slice(start, start + step))


def _pull(values: Float[np.ndarray, " R"], resamples: Resamples) -> Float[np.ndarray, " P"]:
    """How much each patient pulls at the figure, up to a common factor, NaN where unknown."""
    left_out = values[1 + resamples.draws :]
    if not len(left_out):
        # The infinitesimal jackknife: how the draws go with the number of times he is drawn
        # (Efron 2014, doi 10.1080/01621459.2013.823775).
        draws = values[1 : 1 + resamples.draws]
        known = np.isfinite(draws)
        return (draws[known] - draws[known].mean()) @ resamples.counts[1:][known]
    pull = values[0] - left_out
    for stratum in np.unique(resamples.strata):
        columns = resamples.strata == stratum
        known = _known(pull[columns])
        # Against the others that could be drawn instead.
        pull[columns] -= known.mean() if len(known) else 0.0
    return pull


def _known(values: Float[np.ndarray, " L"]) -> Float[np.ndarray, " K"]:
    return values[np.isfinite(values)]


def _no_interval(value: float, draws: Float[np.ndarray, " R"], groups: int) -> str:
    if groups < FEWEST_PATIENTS:
        return f"fewer than {FEWEST_PATIENTS} patients"
    known = _known(draws)
    if len(known) < (1 - MOST_UNDEFINED) * len(draws):
        return "too few patients of one kind: many draws leave the figure undefined"
    # Rounding is no spread: sums of equal numbers depend a little on how they are grouped.
    if np.ptp(known) <= 1e-12 * max(1.0, abs(value)):
        return "all draws agree: the patients do not differ in it"
    return ""
