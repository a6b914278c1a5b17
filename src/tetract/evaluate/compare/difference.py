"""One figure of two arms: how far apart, how sure, how large against the patients' spread."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from jaxtyping import Float, Int

from tetract.types.figure import Figure, undefined
from tetract.types.resamples import Resamples, conclude

FLIPS = 10_000


class Verdict(StrEnum):
    """What may be said of a difference."""

    BETTER = "better"
    WORSE = "worse"
    TIE = "tie"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """A figure of one arm against the same figure of the baseline, on the same patients.

    Attributes:
        name: Of the figure, such as ``detection/any_lesion/ap_30``.
        lower_is_better: Whether less of it is better.
        baseline: The baseline's figure, seeds averaged.
        arm: The arm's figure, seeds averaged.
        gain: Arm minus baseline, turned round where less is better.
        relative: ``gain`` over the baseline's figure, in percent.
        p: Of no difference: the larger of ``flip_test`` and ``share_beyond``; None where unknown.
        p_holm: ``p`` corrected for all figures of the family; None outside of it.
        effect: Mean over patients of the gain, over its standard deviation among patients
            (Cohen's d of pairs, from jackknife pseudo-values); None where unknown.
        verdict: Better or worse only where the interval of the gain leaves out 0.
    """

    name: str
    lower_is_better: bool
    baseline: Figure
    arm: Figure
    gain: Figure
    relative: Figure
    p: float | None
    p_holm: float | None
    effect: float | None
    verdict: Verdict


def average_seeds(figures: Sequence[Figure], resamples: Resamples, seed: int) -> Figure:
    """The mean over repeats of a training, with the seeds drawn again in each draw.

    So the interval holds for other patients *and* other seeds. With one repeat there is no
    telling how seeds vary; the caller must say so.
    """
    known = [one for one in figures if one.studies is not None]
    if len(known) < len(figures) or not known:
        missing = next((one for one in figures if one.value is None), figures[0])
        return undefined(missing.support, missing.reason or "no draws were made")
    studies = np.stack([one.studies for one in known if one.studies is not None])
    drawn = studies.mean(axis=0)
    generator = np.random.default_rng(seed)
    picked = generator.integers(len(studies), size=(len(studies), resamples.draws))
    columns = np.arange(1, 1 + resamples.draws)
    drawn[columns] = studies[picked, columns].mean(axis=0)
    return conclude(
        drawn,
        _together(known),
        resamples,
        support=known[0].support,
        reason="undefined in one of the runs",
    )


def difference(
    name: str, baseline: Figure, arm: Figure, resamples: Resamples, *, lower_is_better: bool
) -> Difference:
    """Compare one figure; both must come from the same draws."""
    gain, relative, p, effect = _undefined_gain(baseline, arm), None, None, None
    if baseline.studies is not None and arm.studies is not None:
        turned = -1.0 if lower_is_better else 1.0
        behind = _together([baseline, arm])
        apart = turned * (arm.studies - baseline.studies)
        reason = "undefined in one of the arms"
        gain = conclude(apart, behind, resamples, support=arm.support, reason=reason)
        share = 100 * np.divide(
            apart,
            np.abs(baseline.studies),
            out=np.full_like(apart, np.nan),
            where=baseline.studies != 0,
        )
        relative = conclude(
            share, behind, resamples, support=arm.support, reason="the baseline is 0"
        )
        own = pseudo_values(apart, behind, resamples)
        p = _least_sure(flip_test(own), share_beyond(apart[1 : 1 + resamples.draws]))
        effect = _effect(own)
    return Difference(
        name=name,
        lower_is_better=lower_is_better,
        baseline=baseline,
        arm=arm,
        gain=gain,
        relative=relative or gain,
        p=p,
        p_holm=None,
        effect=effect,
        verdict=_verdict(gain),
    )


def pseudo_values(
    studies: Float[np.ndarray, " R"], patients: Int[np.ndarray, " G"], resamples: Resamples
) -> Float[np.ndarray, " N"]:
    """Each patient's own value of a figure, whatever the figure: Tukey's jackknife.

    n times the figure less (n - 1) times the figure without him. For a mean over patients these
    are the patients' values; for AUROC they carry the same information as the components of
    DeLong et al. 1988 (doi 10.2307/2531595).

    Returns:
        Empty where no patient was left out in turn, or leaving one out undefines the figure.
    """
    left_out = studies[1 + resamples.draws :]
    if len(left_out) == 0:
        return np.zeros(0)
    without = left_out[patients]
    if not np.isfinite(without).all():
        return np.zeros(0)
    count = len(patients)
    return count * studies[0] - (count - 1) * without


def flip_test(own: Float[np.ndarray, " G"], *, flips: int = FLIPS, seed: int = 0) -> float | None:
    """Two-sided p of a paired permutation test: which arm a patient's value came from is random.

    All sign patterns where there are few patients, else ``flips`` drawn ones; the pattern that
    was seen counts among them, so p is never 0 (Phipson and Smyth 2010, doi
    10.2202/1544-6115.1585).

    Args:
        own: Each patient's own difference.
        flips: Patterns to draw.
        seed: Of the drawing.

    Returns:
        None for fewer than 5 patients: then not even the clearest difference is significant.
    """
    count = len(own)
    if count < 5:
        return None
    if 2**count <= flips:
        signs = 1.0 - 2.0 * ((np.arange(2**count)[:, None] >> np.arange(count)) & 1)
        sums, extra = np.abs(signs @ own), 0
    else:
        generator = np.random.default_rng(seed)
        signs = generator.integers(0, 2, size=(flips, count), dtype=np.int8) * 2.0 - 1.0
        sums, extra = np.abs(signs @ own), 1
    # A rounding error must not make the seen pattern differ from itself.
    reached = int((sums >= abs(own.sum()) * (1 - 1e-12) - 1e-15).sum())
    return (reached + extra) / (len(sums) + extra)


def share_beyond(draws: Float[np.ndarray, " R"]) -> float | None:
    """Two-sided p by the draws: how often a study of other patients and seeds had no gain.

    The flip test alone is too sure of a figure that few patients bear, such as AP: whoever has no
    pull at it has the whole difference as his pseudo-value, and counts as one more vote for it. It
    leaves out the seeds, too. The draws hold both.

    Args:
        draws: The difference in each draw; NaN where undefined.

    Returns:
        Never below 2 / (R + 1); None without a draw.
    """
    known = draws[np.isfinite(draws)]
    if len(known) == 0:
        return None
    fewer = min(int((known <= 0).sum()), int((known >= 0).sum()))
    return min(1.0, 2 * (fewer + 1) / (len(known) + 1))


def _least_sure(one: float | None, other: float | None) -> float | None:
    """The larger; None where either is unknown."""
    return None if one is None or other is None else max(one, other)


def _effect(own: Float[np.ndarray, " G"]) -> float | None:
    if len(own) < 2:
        return None
    spread = float(own.std(ddof=1))
    return None if spread == 0 else float(own.mean()) / spread


def _together(figures: Sequence[Figure]) -> Int[np.ndarray, " G"]:
    """Patients behind any of the figures."""
    return np.unique(np.concatenate([one.columns for one in figures if one.columns is not None]))


def _undefined_gain(baseline: Figure, arm: Figure) -> Figure:
    missing = baseline if baseline.value is None else arm
    return undefined(missing.support, missing.reason or "no draws were made")


def _verdict(gain: Figure) -> Verdict:
    if gain.interval is None:
        return Verdict.UNKNOWN
    if gain.interval.low > 0:
        return Verdict.BETTER
    return Verdict.WORSE if gain.interval.high < 0 else Verdict.TIE
