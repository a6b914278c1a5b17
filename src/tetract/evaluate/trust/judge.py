"""What a calibrated model says about its own answers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from jaxtyping import Float64

from tetract.evaluate.signals import Signals
from tetract.evaluate.trust.calibration import Calibration
from tetract.evaluate.trust.evidence import ARMS, disagreements, evidence, reading
from tetract.types.judgement import Doubt, Judgement

# A study is judged by as many slices as its class is pooled from; see classification.pool.WORST.
MOST_SLICES: Final = 3


def judge_slices(
    signals: Sequence[Signals], calibration: Calibration, classes: tuple[str, ...]
) -> list[Judgement]:
    """One judgement per slice."""
    found = evidence(signals, reading(calibration, classes))
    away = disagreements(found)
    return [
        _judge(one, found[row], float(away[row]), calibration, classes)
        for row, one in enumerate(signals)
    ]


def judge_study(
    signals: Sequence[Signals], calibration: Calibration, classes: tuple[str, ...]
) -> Judgement:
    """Evidence and agreement of a study: each arm's mean over its three strongest slices.

    No doubt is raised: the limits hold for slices.
    """
    pooled = pool_evidence(evidence(signals, reading(calibration, classes)))
    away = float(disagreements(pooled[None])[0])
    return Judgement(
        evidence=_named(pooled),
        agreement=1 - away if np.isfinite(away) else None,
        class_set=None,
        doubts=(),
        unchecked=tuple(Doubt),
    )


def pool_evidence(found: Float64[np.ndarray, "N 3"]) -> Float64[np.ndarray, " 3"]:
    """(3,) mean of the three highest of each column; NaN where an arm is silent."""
    highest = -np.sort(-found, axis=0)[:MOST_SLICES]
    return np.asarray(highest.mean(axis=0))


def _judge(
    one: Signals,
    found: Float64[np.ndarray, " 3"],
    away: float,
    calibration: Calibration,
    classes: tuple[str, ...],
) -> Judgement:
    allowed = class_set(one, calibration, classes)
    doubts = {
        Doubt.UNDECIDED: None if allowed is None else len(allowed) != 1,
        Doubt.DISAGREEMENT: _above(away, calibration.disagreement.value),
        Doubt.UNLIKE_VALIDATION: _above(distance(one, calibration), calibration.residual.value),
    }
    return Judgement(
        evidence=_named(found),
        agreement=1 - away if np.isfinite(away) else None,
        class_set=allowed,
        doubts=tuple(doubt for doubt, raised in doubts.items() if raised),
        unchecked=tuple(doubt for doubt, raised in doubts.items() if raised is None),
    )


def class_set(
    one: Signals, calibration: Calibration, classes: tuple[str, ...]
) -> tuple[str, ...] | None:
    """The classes that cannot be ruled out at the stated coverage; None: nothing is promised."""
    limit = calibration.class_set.value
    if limit is None or one.probabilities is None:
        return None
    # In double precision, as the limit was found.
    kept = 1 - one.probabilities.astype(np.float64) <= limit
    return tuple(name for name, keep in zip(classes, kept, strict=True) if keep)


def distance(one: Signals, calibration: Calibration) -> float:
    """From usual residuals, in standard deviations; NaN where unknown."""
    if one.residual is None or calibration.usual is None:
        return float("nan")
    return float(calibration.usual.distance(one.residual[None])[0])


def _above(number: float, limit: float | None) -> bool | None:
    return None if limit is None or not np.isfinite(number) else number > limit


def _named(found: Float64[np.ndarray, " 3"]) -> dict[str, float]:
    return {
        str(arm): float(number)
        for arm, number in zip(ARMS, found, strict=True)
        if np.isfinite(number)
    }
