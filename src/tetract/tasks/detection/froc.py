"""Free-response ROC: sensitivity against false positives per slice or per scan.

Bunch et al. 1978 (doi 10.1117/12.955926), read as LUNA16 does (Setio et al. 2017, doi
10.1016/j.media.2017.06.015): equal scores enter together, and between two thresholds the curve is
linear.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Float64, Int64

from tetract.tasks.detection.matching import Ranking
from tetract.tasks.detection.running import Statistics, count_matrix, in_parts, running_totals


@dataclass(frozen=True, slots=True, kw_only=True)
class FrocCurve:
    """Operating points from the strictest to the loosest score threshold.

    Points inside a straight horizontal run are left out; interpolating linearly gives them back.

    Attributes:
        false_positives: (P,) mean per image, not decreasing, starting at 0.
        sensitivity: (P,) share of the lesions found, not decreasing, starting at 0.
        threshold: (P,) predictions of at least this score are kept; the first is above 1.
    """

    false_positives: Float[np.ndarray, " P"]
    sensitivity: Float[np.ndarray, " P"]
    threshold: Float[np.ndarray, " P"]

    def at(self, false_positives: float) -> float:
        """Sensitivity at a mean number of false positives per image.

        Linear between neighbouring points; past the last point the last sensitivity, which is
        all that this model finds at any threshold.
        """
        last = int(np.searchsorted(self.false_positives, false_positives, side="right")) - 1
        if last + 1 == len(self.false_positives):
            return float(self.sensitivity[last])
        pair = slice(last, last + 2)
        return float(np.interp(false_positives, self.false_positives[pair], self.sensitivity[pair]))


def froc_curve(
    ranking: Ranking, found: Int64[np.ndarray, " P"], *, images: int
) -> FrocCurve | None:
    """The curve, every unit counted once; None without a lesion.

    Args:
        ranking: The predictions, best first.
        found: The lesion that each finds, or -1.
        images: Number of slices or scans, lesion-free ones included.
    """
    lesions, hits, scores = len(ranking.lesion_unit), found >= 0, ranking.score
    if lesions == 0:
        return None
    # A threshold keeps or drops equal scores together: only the last of each is a point.
    ends = np.flatnonzero(np.append(scores[1:] != scores[:-1], [True] * bool(len(scores))))
    right = np.append(0, np.cumsum(hits)[ends])
    wrong = np.append(0, np.cumsum(~hits)[ends])
    kept = _corners(right)
    return FrocCurve(
        false_positives=wrong[kept] / images,
        sensitivity=right[kept] / lesions,
        threshold=np.append(np.nextafter(1.0, 2.0), scores[ends])[kept],
    )


def froc_sensitivities(
    ranking: Ranking,
    found: Int64[np.ndarray, " P"],
    rates: Sequence[float],
    *,
    images: Float64[np.ndarray, " U"],
    counted: Bool[np.ndarray, " T"] | None = None,
) -> Statistics:
    """Sensitivity at each mean number of false positives per image, as a function of weights.

    Args:
        ranking: The predictions, best first.
        found: The lesion that each finds, or -1.
        rates: False positives per image.
        images: Number of slices or scans of each unit, lesion-free ones included.
        counted: Lesions whose sensitivity is asked for; None: all. The others are found without
            being counted, and false positives are those of all.

    Returns:
        (R, rates); NaN without a lesion to count.
    """
    counted = np.ones(len(ranking.lesion_unit), dtype=np.bool_) if counted is None else counted
    tally = _Tally(
        *_steps(ranking, found, counted, len(images)),
        lesions=np.bincount(ranking.lesion_unit[counted], minlength=len(images)),
        images=images,
    )
    statistics = partial(_sensitivities, tally, np.array(rates))
    return lambda weights: in_parts(statistics, weights, places=tally.wrong.shape[0])


@dataclass(frozen=True, slots=True)
class _Tally:
    """What each unit has: (2 K, U) and (K, U) counts, and (U,) of lesions and of images."""

    wrong: Any
    right: Any
    lesions: Int64[np.ndarray, " U"]
    images: Float64[np.ndarray, " U"]


def _sensitivities(
    tally: _Tally, rates: Float64[np.ndarray, " C"], weights: Float[np.ndarray, "R U"]
) -> Float64[np.ndarray, "R C"]:
    false = running_totals(tally.wrong, weights)
    true = np.concatenate([np.zeros((1, len(weights))), running_totals(tally.right, weights)])
    allowed = weights @ tally.images
    hits = np.stack(
        [_read(false[0::2], false[1::2], true, allowed * rate) for rate in rates], axis=1
    )
    total = (weights @ tally.lesions)[:, None]
    return np.divide(hits, total, out=np.full_like(hits, np.nan), where=total > 0)


def _steps(
    ranking: Ranking, found: Int64[np.ndarray, " P"], counted: Bool[np.ndarray, " T"], units: int
) -> tuple[Any, Any]:
    """False positives before and within each step (2 K places), and lesions found there (K).

    A step is a score at which something is found; equal scores are one step.
    """
    hit = found >= 0
    step_scores = np.unique(-ranking.score[hit])
    steps = len(step_scores)
    place = np.searchsorted(step_scores, -ranking.score)
    within = ~hit & (place < steps)
    at_step = step_scores[place[within]] == -ranking.score[within]
    hit[hit] = counted[found[hit]]
    return (
        count_matrix(
            ranking.unit[within], 2 * place[within] + at_step, units=units, places=2 * steps
        ),
        count_matrix(ranking.unit[hit], place[hit], units=units, places=steps),
    )


def _read(
    before: Float64[np.ndarray, "K R"],
    after: Float64[np.ndarray, "K R"],
    true: Float64[np.ndarray, "K1 R"],
    allowed: Float64[np.ndarray, " R"],
) -> Float64[np.ndarray, " R"]:
    """Lesions found when so many false positives are allowed.

    At a jump the upper end; within a step of equal scores a share of it; past the last step all.
    """
    steps, studies = after.shape[0], np.arange(len(allowed))
    if steps == 0:
        return np.zeros(len(allowed))
    passed = (after <= allowed).sum(axis=0)
    following = np.minimum(passed, steps - 1)
    low, high = before[following, studies], after[following, studies]
    share = np.divide(allowed - low, high - low, out=np.zeros(len(allowed)), where=high > low)
    base = true[passed, studies]
    rise = true[following + 1, studies] - base
    return base + np.where(passed < steps, share.clip(0, 1) * rise, 0.0)


def _corners(found: Int64[np.ndarray, " P"]) -> Bool[np.ndarray, " P"]:
    """Points that end a horizontal run, on either side."""
    flat = found[1:] == found[:-1]
    return ~(np.append(False, flat) & np.append(flat, False))
