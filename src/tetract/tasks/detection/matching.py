"""Which prediction finds which lesion: worked out once, whatever is then counted.

The rules are COCO's (Lin et al. 2014, arXiv 1405.0312): best score first, each prediction takes
the lesion not yet found that it overlaps most, if it overlaps it enough; of two lesions that it
overlaps equally, the later. So a second box on a found lesion is a false positive, unlike in
LUNA16 (Setio et al. 2017, doi 10.1016/j.media.2017.06.015), which leaves it out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Float64, Int64

from tetract.tasks.detection.boxes import box_iou, centre_inside

# Pairs that overlap less find nothing under any rule that we report.
LOWEST_IOU = 0.1
# As pycocotools has it: an IoU of exactly 1 suffices for a threshold of 1 despite rounding.
_HIGHEST_IOU = 1 - 1e-10


@dataclass(frozen=True, slots=True, kw_only=True)
class Detections:
    """Predicted and reference boxes of one image, one kind of lesion.

    An image is a slice (S is 4: ``x0 y0 x1 y1``) or a scan (S is 6: ``x0 y0 z0 x1 y1 z1``).

    Attributes:
        boxes: (N, S) predicted, half-open.
        scores: (N,) finite.
        truth: (T, S) reference, half-open.
        unit: What is weighted with it: images of one patient share a unit.
    """

    boxes: Float[np.ndarray, "N S"]
    scores: Float[np.ndarray, " N"]
    truth: Float[np.ndarray, "T S"]
    unit: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranking:
    """All predictions of all images, best score first, and the lesions each may find.

    Predictions of equal score stand in the order of the images, and within an image in their own
    order, as in pycocotools. Lesions are numbered in the order of the images.

    Attributes:
        unit: (P,) unit of each prediction.
        score: (P,) not increasing.
        lesion_unit: (T,) unit of each lesion.
        pair_prediction: (M,) not decreasing; pairs of one prediction: largest overlap first.
        pair_lesion: (M,)
        pair_iou: (M,)
        pair_centred: (M,) whether the prediction's centre lies in the lesion's box.
    """

    unit: Int64[np.ndarray, " P"]
    score: Float64[np.ndarray, " P"]
    lesion_unit: Int64[np.ndarray, " T"]
    pair_prediction: Int64[np.ndarray, " M"]
    pair_lesion: Int64[np.ndarray, " M"]
    pair_iou: Float64[np.ndarray, " M"]
    pair_centred: Bool[np.ndarray, " M"]


def rank_detections(images: Sequence[Detections]) -> Ranking:
    """Bring the predictions of all images, lesion-free ones included, into one order."""
    scores = _joined([image.scores for image in images], np.float64)
    order = np.argsort(-scores, kind="stable")
    place = np.empty_like(order)
    place[order] = np.arange(len(order))
    units = np.array([image.unit for image in images], dtype=np.int64)
    prediction, lesion, iou, centred = _pairs(images)
    prediction = place[prediction]
    best_first = np.lexsort((-lesion, -iou, prediction))
    return Ranking(
        unit=np.repeat(units, [len(image.scores) for image in images])[order],
        score=scores[order],
        lesion_unit=np.repeat(units, [len(image.truth) for image in images]),
        pair_prediction=prediction[best_first],
        pair_lesion=lesion[best_first],
        pair_iou=iou[best_first],
        pair_centred=centred[best_first],
    )


def find_lesions(ranking: Ranking, eligible: Bool[np.ndarray, " M"]) -> Int64[np.ndarray, " P"]:
    """The lesion that each prediction finds, or -1 for a false positive.

    Args:
        ranking: The predictions.
        eligible: Which pairs may be made.
    """
    found = [-1] * len(ranking.score)
    free = [True] * len(ranking.lesion_unit)
    predictions, lesions = ranking.pair_prediction[eligible], ranking.pair_lesion[eligible]
    for prediction, lesion in zip(predictions.tolist(), lesions.tolist(), strict=True):
        if free[lesion] and found[prediction] < 0:
            found[prediction] = lesion
            free[lesion] = False
    return np.array(found, dtype=np.int64)


def by_iou(ranking: Ranking, iou: float) -> Bool[np.ndarray, " M"]:
    """Pairs that overlap by at least ``iou``, which must be ``LOWEST_IOU`` or more."""
    return ranking.pair_iou >= min(iou, _HIGHEST_IOU)


def by_centre(
    ranking: Ranking, small: Bool[np.ndarray, " T"], iou: float
) -> Bool[np.ndarray, " M"]:
    """By the prediction's centre for small lesions, by ``iou`` for the others.

    On a lesion of 4 px, one pixel of shift already costs 0.4 IoU; whether the centre lies in the
    lesion is the flat counterpart of LUNA16's distance below the radius.
    """
    return np.where(small[ranking.pair_lesion], ranking.pair_centred, by_iou(ranking, iou))


def _pairs(
    images: Sequence[Detections],
) -> tuple[
    Int64[np.ndarray, " M"],
    Int64[np.ndarray, " M"],
    Float64[np.ndarray, " M"],
    Bool[np.ndarray, " M"],
]:
    """Prediction, lesion, IoU and centre of every pair that some rule may make."""
    predictions: list[Int64[np.ndarray, " _"]] = []
    lesions: list[Int64[np.ndarray, " _"]] = []
    overlaps: list[Float64[np.ndarray, " _"]] = []
    centres: list[Bool[np.ndarray, " _"]] = []
    first_prediction = first_lesion = 0
    for image in images:
        if len(image.scores) and len(image.truth):
            iou = box_iou(image.boxes, image.truth)
            centred = centre_inside(image.boxes, image.truth)
            near = (iou >= LOWEST_IOU) | centred
            prediction, lesion = np.nonzero(near)
            predictions.append(prediction + first_prediction)
            lesions.append(lesion + first_lesion)
            overlaps.append(iou[near])
            centres.append(centred[near])
        first_prediction += len(image.scores)
        first_lesion += len(image.truth)
    return (
        _joined(predictions, np.int64),
        _joined(lesions, np.int64),
        _joined(overlaps, np.float64),
        _joined(centres, np.bool_),
    )


def _joined(
    parts: Sequence[np.ndarray], kind: type[np.float64 | np.int64 | np.bool_]
) -> np.ndarray:
    return np.concatenate([np.empty(0, dtype=kind), *parts]).astype(kind, copy=False)
