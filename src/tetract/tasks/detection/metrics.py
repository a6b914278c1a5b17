"""How well lesions are boxed: average precision and sensitivity at 1 false positive per slice.

Average precision is COCO's (Lin et al. 2014, arXiv 1405.0312), computed by pycocotools, at IoU
0.1, 0.3 and 0.5: on a lesion of 4 px one pixel of shift already costs 0.4 IoU. Only slices whose
annotators looked for a lesion count for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass
from io import StringIO
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int64
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from tetract.tasks.detection.froc import Detections, FrocCurve, froc_curve
from tetract.types.figure import Figure, Support, count_support
from tetract.types.identity import Identity

ANY_LESION = "any lesion"
AP_IOUS = (0.1, 0.3, 0.5)
FROC_IOU = 0.3
MAX_DETECTIONS = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class DetectionRow:
    """One labelled slice; lesion-free ones count.

    Attributes:
        xyxy: (N, 4) predicted, pixels, half-open.
        scores: (N,) in [0, 1].
        labels: (N,) from 0.
        truth_xyxy: (T, 4) reference, pixels, half-open.
        truth_labels: (T,) from 0.
        annotated: (K,) bool: which lesions were looked for.
        identity: Who the slice is.
    """

    xyxy: Float[np.ndarray, "N 4"]
    scores: Float[np.ndarray, " N"]
    labels: Int64[np.ndarray, " N"]
    truth_xyxy: Float[np.ndarray, "T 4"]
    truth_labels: Int64[np.ndarray, " T"]
    annotated: Bool[np.ndarray, " K"]
    identity: Identity


@dataclass(frozen=True, slots=True, kw_only=True)
class LesionScores:
    """One kind of lesion, or all kinds without telling them apart.

    Attributes:
        name: Name of the lesion, or "any lesion".
        lesions: Reference boxes.
        support: Slices where it was looked for.
        ap_10: Average precision at IoU 0.1.
        ap_30: Average precision at IoU 0.3.
        ap_50: Average precision at IoU 0.5.
        sensitivity_1fp: Sensitivity at 1 false positive per slice, IoU 0.3.
        froc: The curve it was read from, or None without a lesion.
    """

    name: str
    lesions: int
    support: Support
    ap_10: Figure
    ap_30: Figure
    ap_50: Figure
    sensitivity_1fp: Figure
    froc: FrocCurve | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DetectionScores:
    """All lesions.

    Attributes:
        any_lesion: Classes ignored: any box on any lesion. On each slice only the lesions looked
            for there, both predicted and reference.
        classes: One entry per lesion, in label order.
    """

    any_lesion: LesionScores
    classes: tuple[LesionScores, ...]


def score_detection(rows: Sequence[DetectionRow], box_classes: tuple[str, ...]) -> DetectionScores:
    """Score all rows, per lesion and regardless of the lesion's name.

    Args:
        rows: The labelled slices, in any order.
        box_classes: Names of the K lesions.
    """
    classes = np.arange(len(box_classes))
    return DetectionScores(
        any_lesion=_score_lesions(rows, classes, ANY_LESION),
        classes=tuple(
            _score_lesions(rows, classes[index : index + 1], name)
            for index, name in enumerate(box_classes)
        ),
    )


def _score_lesions(
    rows: Sequence[DetectionRow], classes: Int64[np.ndarray, " C"], name: str
) -> LesionScores:
    """These classes as one kind of lesion."""
    annotated = [row for row in rows if row.annotated[classes].any()]
    boxes = [_keep(row, classes[row.annotated[classes]]) for row in annotated]
    lesions = sum(len(row.truth) for row in boxes)
    support = count_support(annotated)
    curve = froc_curve(boxes, iou=FROC_IOU)
    if curve is None:
        reason = "no reference lesions" if annotated else "no annotated slices"
        values: list[Figure] = [Figure(value=None, support=support, reason=reason)] * 4
    else:
        numbers = [*_average_precision(boxes), curve.at(1.0)]
        values = [Figure(value=number, support=support) for number in numbers]
    return LesionScores(
        name=name,
        lesions=lesions,
        support=support,
        ap_10=values[0],
        ap_30=values[1],
        ap_50=values[2],
        sensitivity_1fp=values[3],
        froc=curve,
    )


def _keep(row: DetectionRow, classes: Int64[np.ndarray, " C"]) -> Detections:
    """The boxes of these classes."""
    said, true = np.isin(row.labels, classes), np.isin(row.truth_labels, classes)
    return Detections(xyxy=row.xyxy[said], scores=row.scores[said], truth=row.truth_xyxy[true])


def _average_precision(rows: Sequence[Detections]) -> list[float]:
    """COCO average precision at ``AP_IOUS``; there must be at least one lesion."""
    # pycocotools reports its progress on standard output, where only results belong.
    with redirect_stdout(StringIO()):
        judge: Any = COCOeval(_coco([row.truth for row in rows], None), _predicted(rows), "bbox")
        judge.params.imgIds = list(range(len(rows)))
        judge.params.catIds = [1]
        judge.params.iouThrs = np.array(AP_IOUS)
        judge.params.maxDets = [MAX_DETECTIONS]
        judge.params.areaRng = [[0.0, float("inf")]]
        judge.params.areaRngLbl = ["all"]
        judge.evaluate()
        judge.accumulate()
    # (thresholds, 101 recall levels, one class, one area range, one limit)
    precision: Float[np.ndarray, "3 101"] = judge.eval["precision"][:, :, 0, 0, 0]
    return [float(value) for value in precision.mean(axis=1)]


def _predicted(rows: Sequence[Detections]) -> COCO:
    return _coco([row.xyxy for row in rows], [row.scores for row in rows])


def _coco(
    boxes: Sequence[Float[np.ndarray, "_ 4"]], scores: Sequence[Float[np.ndarray, " _"]] | None
) -> COCO:
    """Boxes as pycocotools holds them: one image per row, one category, ``x y width height``."""
    annotations: list[dict[str, Any]] = []
    for image, row in enumerate(boxes):
        for index, (x0, y0, x1, y1) in enumerate(row.astype(np.float64).tolist()):
            score = {} if scores is None else {"score": float(scores[image][index])}
            annotations.append(
                {
                    # From 1: pycocotools reads a match with annotation 0 as no match.
                    "id": len(annotations) + 1,
                    "image_id": image,
                    "category_id": 1,
                    "bbox": [x0, y0, x1 - x0, y1 - y0],
                    "area": (x1 - x0) * (y1 - y0),
                    "iscrowd": 0,
                    **score,
                }
            )
    table: Any = COCO()
    table.dataset = {
        "images": [{"id": image} for image in range(len(boxes))],
        "categories": [{"id": 1}],
        "annotations": annotations,
    }
    table.createIndex()
    return table
