"""A score threshold for a stated number of false positives per slice, found on validation rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from jaxtyping import Bool, Float64

from tetract.tasks.detection.matching import by_iou, find_lesions, rank_detections
from tetract.tasks.detection.metrics import FROC_IOU, DetectionRow, LesionSlices, select_slices
from tetract.types.figure import Figure
from tetract.types.resamples import AS_IS, Resamples, ratio


@dataclass(frozen=True, slots=True, kw_only=True)
class BoxThreshold:
    """From which score a box is shown.

    Attributes:
        value: The score; None where no slice was looked at.
        reason: Why there is none; "".
        wanted: False positives per slice that it was to keep, IoU 0.3.
        false_positives: What it reaches per slice on the rows it was found on.
        sensitivity: Share of their lesions found.
    """

    value: float | None
    reason: str
    wanted: float
    false_positives: Figure
    sensitivity: Figure


@dataclass(frozen=True, slots=True, kw_only=True)
class BoxPoint:
    """What a threshold reaches: false positives per slice and share of the lesions found."""

    false_positives: Figure
    sensitivity: Figure


def find_box_threshold(
    rows: Sequence[DetectionRow], classes: int, *, wanted: float, resamples: Resamples = AS_IS
) -> BoxThreshold:
    """The lowest threshold with at most ``wanted`` false positives per slice on these rows.

    It lies halfway between the best false positive that may not be shown and the next better box.

    Args:
        rows: Validation rows, never those that are reported.
        classes: Number of lesion classes; boxes of all of them are one kind here.
        wanted: Above 0.
        resamples: The draws behind the intervals; the threshold is held in them.
    """
    slices = select_slices(rows, np.arange(classes), resamples)
    scores, right = scored_boxes(slices)
    value = None if not slices.rows else _place(scores, right, wanted * len(slices.boxes))
    point = score_at(rows, classes, 2.0 if value is None else value, resamples)
    return BoxThreshold(
        value=value,
        reason="" if slices.rows else "no annotated slices",
        wanted=wanted,
        false_positives=_without_studies(point.false_positives),
        sensitivity=_without_studies(point.sensitivity),
    )


def score_at(
    rows: Sequence[DetectionRow], classes: int, threshold: float, resamples: Resamples = AS_IS
) -> BoxPoint:
    """What boxes of at least ``threshold`` reach on these rows, at IoU 0.3."""
    slices = select_slices(rows, np.arange(classes), resamples)
    ranking = rank_detections(slices.boxes)
    found = find_lesions(ranking, by_iou(ranking, FROC_IOU))
    shown, units = ranking.score >= threshold, len(slices.basis.units)

    def per_unit(which: Bool[np.ndarray, " P"]) -> Float64[np.ndarray, " U"]:
        return np.bincount(ranking.unit[which], minlength=units).astype(np.float64)

    lesions = np.bincount(ranking.lesion_unit, minlength=units).astype(np.float64)
    figure = slices.basis.figure
    false, true = per_unit(shown & (found < 0)), per_unit(shown & (found >= 0))
    return BoxPoint(
        false_positives=figure(partial(_share, false, slices.per_unit(slices.boxes))),
        sensitivity=figure(partial(_share, true, lesions)),
    )


def scored_boxes(
    slices: LesionSlices,
) -> tuple[Float64[np.ndarray, " P"], Bool[np.ndarray, " P"]]:
    """(P,) scores, best first, and whether each finds a lesion at IoU 0.3."""
    ranking = rank_detections(slices.boxes)
    return ranking.score, find_lesions(ranking, by_iou(ranking, FROC_IOU)) >= 0


def _place(
    scores: Float64[np.ndarray, " P"], right: Bool[np.ndarray, " P"], allowed: float
) -> float:
    wrong = np.cumsum(~right)
    if not len(scores) or wrong[-1] <= allowed + 1e-9:
        return 0.0
    refused = float(scores[int(np.flatnonzero(wrong > allowed + 1e-9)[0])])
    better = scores[scores > refused]
    high = float(better[-1]) if len(better) else 1.0
    middle = (refused + high) / 2
    return middle if middle > refused else float(np.nextafter(refused, 2.0))


def _share(
    above: Float64[np.ndarray, " U"],
    below: Float64[np.ndarray, " U"],
    weights: Float64[np.ndarray, "R U"],
) -> Float64[np.ndarray, " R"]:
    return ratio(weights @ above, weights @ below)


def _without_studies(figure: Figure) -> Figure:
    """Without its thousand draws: this noun is saved with a model."""
    return replace(figure, studies=None, columns=None)
