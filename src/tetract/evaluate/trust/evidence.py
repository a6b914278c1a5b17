"""Do box, mask and class agree that there is a lesion?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float64

from tetract.evaluate.signals import Signals
from tetract.evaluate.trust.calibration import Calibration
from tetract.evaluate.trust.logistic import Logistic
from tetract.tasks.classification.temperature import apply_temperature
from tetract.types import Task

ARMS = (Task.CLASSIFICATION, Task.SEGMENTATION, Task.DETECTION)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """How signals become probabilities of a lesion; no curve: as they are.

    Attributes:
        classes: Names of the classes.
        healthy: Those that mean no disease. Without them a class says nothing about lesions.
        temperature: Of class probabilities.
        curves: One per arm, in the order of ``ARMS``.
    """

    classes: tuple[str, ...]
    healthy: tuple[str, ...]
    temperature: float | None = None
    curves: tuple[Logistic | None, Logistic | None, Logistic | None] = (None, None, None)


def reading(calibration: Calibration, classes: tuple[str, ...]) -> Reading:
    """As calibrated."""
    found = calibration.temperature
    return Reading(
        classes=classes,
        healthy=calibration.healthy,
        temperature=None if found is None else found.value,
        curves=(
            calibration.lesion_by_class,
            calibration.lesion_by_mask,
            calibration.lesion_by_box,
        ),
    )


def raw_evidence(signals: Sequence[Signals], how: Reading) -> Float64[np.ndarray, "N 3"]:
    """(N, 3) what each arm says before its curve, columns as ``ARMS``; NaN where it is silent."""
    healthy = [i for i, name in enumerate(how.classes) if name in how.healthy]
    found = np.full((len(signals), len(ARMS)), np.nan)
    for row, one in enumerate(signals):
        if one.probabilities is not None and healthy and len(healthy) < len(how.classes):
            found[row, 0] = 1 - tempered(one.probabilities, how.temperature)[healthy].sum()
        found[row, 1] = np.nan if one.mask is None else one.mask
        found[row, 2] = np.nan if one.box is None else one.box
    return found.clip(0, 1)


def evidence(signals: Sequence[Signals], how: Reading) -> Float64[np.ndarray, "N 3"]:
    """(N, 3) probability of a lesion by each arm, columns as ``ARMS``; NaN where it is silent."""
    found = raw_evidence(signals, how)
    for column, curve in enumerate(how.curves):
        if curve is not None:
            found[:, column] = curve.apply(found[:, column])
    return found


def disagreements(found: Float64[np.ndarray, "N 3"]) -> Float64[np.ndarray, " N"]:
    """(N,) largest less smallest evidence; NaN where fewer than two arms speak."""
    speak = np.isfinite(found).sum(axis=1) >= 2
    away = np.full(len(found), np.nan)
    away[speak] = np.nanmax(found[speak], axis=1) - np.nanmin(found[speak], axis=1)
    return away


def tempered(
    probabilities: Float[np.ndarray, " K"], temperature: float | None
) -> Float64[np.ndarray, " K"]:
    """Class probabilities at a temperature; None: as they are."""
    if temperature is None:
        return probabilities.astype(np.float64)
    return np.asarray(apply_temperature(probabilities[None], temperature)[0])
