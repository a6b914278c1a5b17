"""Whether a network copies what it is shown, judged by the noise that it repeats."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from tetract.tasks.reconstruction.grain import Grain
from tetract.types.figure import Figure
from tetract.types.identity import Identity
from tetract.types.resamples import AS_IS, Resamples, estimate, weighted_mean

# A network that knew the anatomy perfectly would leave exactly the noise behind. So a residual
# below the noise accuses only where some of the noise came back; half of it does so by itself.
MOST_BELOW_NOISE: Final = 0.5
SOME_GRAIN_KEPT: Final = 0.25
MOST_GRAIN_KEPT: Final = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class CopyingScores:
    """What became of the noise when the whole slice was shown; means over slices.

    Attributes:
        noise: Its standard deviation, in units of the model's window.
        below_noise: Share of slices given back more closely than their own noise.
        grain_kept: Share of the fine grain that the reconstruction holds too.
        grain_correlation: Of the residual's fine grain with the slice's.
        likely: Whether the network copies, as far as noise can tell.
        warning: Why its errors on visible pixels prove nothing; "" where it is not ``likely``.
    """

    noise: Figure
    below_noise: Figure
    grain_kept: Figure
    grain_correlation: Figure
    likely: bool
    warning: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Noisy:
    """A slice whose noise is seen."""

    identity: Identity
    grain: Grain


def score_copying(
    slices: Sequence[tuple[Identity, Grain | None]], *, resamples: Resamples = AS_IS
) -> CopyingScores:
    """Judge a network by all slices whose noise can be seen.

    Copying is called likely where at least half of the fine grain comes back, and where a quarter
    does and more than half of the slices are given back more closely than their own noise.

    Args:
        slices: Who each slice is, and what became of its noise.
        resamples: Draws of the patients for the intervals.
    """
    noisy = [_Noisy(identity=who, grain=grain) for who, grain in slices if grain is not None]
    related = [(row, row.grain.correlation) for row in noisy if row.grain.correlation is not None]
    nothing = "no noise to be seen" if slices else "no rows"

    def mean(values: Sequence[float], rows: Sequence[_Noisy], reason: str) -> Figure:
        statistic = weighted_mean(np.array(values, dtype=np.float64))
        return estimate(statistic, rows, resamples, reason=reason)

    below = mean([float(row.grain.residual < row.grain.noise) for row in noisy], noisy, nothing)
    kept = mean([row.grain.kept for row in noisy], noisy, nothing)
    warning = _warning(below.value, kept.value)
    return CopyingScores(
        noise=mean([row.grain.noise for row in noisy], noisy, nothing),
        below_noise=below,
        grain_kept=kept,
        grain_correlation=mean(
            [correlation for _, correlation in related],
            [row for row, _ in related],
            "nothing was left out" if noisy else nothing,
        ),
        likely=bool(warning),
        warning=warning,
    )


def _warning(below: float | None, kept: float | None) -> str:
    if below is None or kept is None:
        return ""
    enough = SOME_GRAIN_KEPT if below > MOST_BELOW_NOISE else MOST_GRAIN_KEPT
    if kept < enough:
        return ""
    return (
        f"The network copies what it is shown: {below:.0%} of the slices come back more closely "
        f"than their own noise, and {kept:.0%} of their fine grain comes back. Noise "
        "cannot be inferred from anatomy, so the errors on visible pixels say nothing about what "
        "was learnt; those on hidden pixels do."
    )
