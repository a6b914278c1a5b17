"""From a validation split to what may be said of a model's answers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from jaxtyping import Bool, Float64

from tetract.evaluate.collect import Collected
from tetract.evaluate.trust import limit as limits
from tetract.evaluate.trust.calibration import Calibration, Wish
from tetract.evaluate.trust.evidence import disagreements, evidence, raw_evidence, reading
from tetract.evaluate.trust.limit import Limit, find_limit
from tetract.evaluate.trust.logistic import Logistic, fit_logistic
from tetract.evaluate.trust.presence import lesion_present
from tetract.evaluate.trust.residual import (
    FEWEST_SLICES,
    Usual,
    distances_left_out,
    fit_usual,
)
from tetract.tasks.classification.operating_point import find_thresholds
from tetract.tasks.classification.pool import Level
from tetract.tasks.classification.rows import known_rows
from tetract.tasks.classification.temperature import fit_temperature, temper_rows
from tetract.tasks.detection.metrics import select_slices
from tetract.tasks.detection.operating_point import find_box_threshold, scored_boxes
from tetract.types import Task
from tetract.types.figure import count_support
from tetract.types.resamples import AS_IS, Resamples

PLAIN_NETWORK = "the network was not trained to infer hidden patches"


def fit_calibration(
    collected: Collected,
    wish: Wish,
    *,
    weights_sha256: str,
    infers: bool,
    flips: bool = False,
    resamples: Resamples = AS_IS,
) -> Calibration:
    """Find everything that the rows of a validation split allow.

    Args:
        collected: Rows that the model was not trained on and that will not be reported.
        wish: What is to be kept.
        weights_sha256: Of the model.
        infers: Whether it was trained to infer hidden patches.
        flips: Whether its answers were means over mirror images.
        resamples: Draws behind the intervals of the thresholds' figures.
    """
    names = collected.label_space
    empty = Calibration(
        weights_sha256=weights_sha256,
        split=collected.setting.split,
        flips=flips,
        cases=collected.setting.cases,
        support=count_support(collected.seen),
        wish=wish,
        healthy=tuple(name for name in names.classes if name in collected.setting.healthy),
        temperature=None,
        thresholds=None,
        box_threshold=None,
        boxes=None,
        lesion_by_class=None,
        lesion_by_mask=None,
        lesion_by_box=None,
        class_set=_limit_classes(collected, 1 - wish.coverage),
        disagreement=limits.none("fewer than two arms speak of lesions", wish.false_alarms),
        usual=None,
        residual=limits.none(PLAIN_NETWORK, wish.false_alarms),
    )
    fitted = _fit_boxes(_fit_classes(empty, collected, resamples), collected, resamples)
    fitted = _fit_agreement(fitted, collected)
    usual, residual = _fit_residual(collected, wish.false_alarms) if infers else (None, None)
    return replace(fitted, usual=usual, residual=residual or fitted.residual)


def _fit_classes(known: Calibration, collected: Collected, resamples: Resamples) -> Calibration:
    if Task.CLASSIFICATION not in collected.tasks:
        return known
    names, rows = collected.label_space.classes, collected.classification
    temperature = fit_temperature(rows, names)
    if temperature.value is not None:
        rows = temper_rows(rows, temperature.value)
    thresholds = find_thresholds(
        rows,
        names,
        level=Level.SLICE,
        specificity=known.wish.specificity,
        resamples=resamples,
    )
    return replace(known, temperature=temperature, thresholds=thresholds)


def _fit_boxes(known: Calibration, collected: Collected, resamples: Resamples) -> Calibration:
    if Task.DETECTION not in collected.tasks:
        return known
    rows, classes = collected.detection, len(collected.label_space.box_classes)
    scores, right = scored_boxes(select_slices(rows, np.arange(classes), AS_IS))
    return replace(
        known,
        box_threshold=find_box_threshold(
            rows, classes, wanted=known.wish.false_positives, resamples=resamples
        ),
        boxes=fit_logistic(scores, right),
    )


def _fit_agreement(known: Calibration, collected: Collected) -> Calibration:
    how = reading(known, collected.label_space.classes)
    present = lesion_present(collected, known.healthy)
    said = raw_evidence(collected.signals, how)
    by_class, by_mask, by_box = (_curve(said[:, arm], present) for arm in range(3))
    known = replace(known, lesion_by_class=by_class, lesion_by_mask=by_mask, lesion_by_box=by_box)
    away = disagreements(evidence(collected.signals, reading(known, how.classes)))
    speak = np.isfinite(away)
    if not speak.any():
        return known
    rows = [row for row, one in zip(collected.signals, speak, strict=True) if one]
    return replace(known, disagreement=find_limit(away[speak], rows, known.wish.false_alarms))


def _curve(
    said: Float64[np.ndarray, " N"], present: tuple[Bool[np.ndarray, " N"], Bool[np.ndarray, " N"]]
) -> Logistic | None:
    """Over the slices where the arm speaks and the truth is known."""
    truth, known = present
    both = known & np.isfinite(said)
    return fit_logistic(said[both], truth[both])


def _limit_classes(collected: Collected, rate: float) -> Limit:
    """Of 1 - P(true class), over the slices of one known class."""
    known = known_rows(collected.classification, len(collected.label_space.classes))
    if not known.rows:
        return limits.none("no slice of a known class", rate)
    return find_limit(1 - known.probabilities[known.is_class], known.rows, rate)


def _fit_residual(collected: Collected, rate: float) -> tuple[Usual | None, Limit]:
    kept = [(row, row.residual) for row in collected.signals if row.residual is not None]
    if len(kept) < FEWEST_SLICES:
        return None, limits.none(f"{len(kept)} slices with hidden patches are too few", rate)
    rows = [row for row, _ in kept]
    residuals = np.stack([residual for _, residual in kept])
    found = find_limit(distances_left_out(residuals, rows), rows, rate)
    return fit_usual(residuals), found
