"""How well lesions are boxed: average precision and FROC, on slices and in scans.

Average precision is COCO's (Lin et al. 2014, arXiv 1405.0312), FROC is read as LUNA16 does
(Setio et al. 2017, doi 10.1016/j.media.2017.06.015). Overlaps down to IoU 0.1 count: on a lesion
of 4 px one pixel of shift already costs 0.4 IoU. Only slices whose annotators looked for a lesion
count for it. Boxes are matched once; each figure is then a function of how often patients count.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float, Float64, Int64

from tetract.errors import InputError, LabelError
from tetract.tasks.detection.froc import froc_curve
from tetract.tasks.detection.matching import (
    Detections,
    Ranking,
    by_centre,
    by_iou,
    find_lesions,
    rank_detections,
)
from tetract.tasks.detection.measure import (
    ONE_FP,
    Basis,
    missing_froc,
    score_froc,
    score_one_fp,
    score_precision,
)
from tetract.tasks.detection.merge import find_scans, merge_slices
from tetract.tasks.detection.scores import (
    CentreScores,
    DetectionScores,
    FrocScores,
    LesionScores,
    ScanScores,
    SizeScores,
)
from tetract.tasks.detection.sizes import SIZE_BINS, SMALL_MM, in_bin, lesion_sizes
from tetract.types.figure import count_support
from tetract.types.identity import Identity, group_keys
from tetract.types.resamples import AS_IS, Resamples

ANY_LESION = "any lesion"
AP_IOUS = (0.1, 0.2, 0.3, 0.4, 0.5)
COCO_IOUS = tuple(np.linspace(0.5, 0.95, 10).tolist())
FROC_IOU = 0.3
AP_IOUS_3D = (0.1, 0.3)
FROC_IOU_3D = 0.1
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
class LesionSlices:
    """The slices where one kind of lesion was looked for, and its boxes there.

    Attributes:
        rows: The slices.
        boxes: Its boxes on each, at most ``MAX_DETECTIONS`` of them predicted.
        sizes_mm_px: (T, 2) of all lesions; see ``lesion_sizes``.
        scans: Rows of each series, or why they are not whole series.
        basis: What figures stand on; a unit is a patient.
    """

    rows: Sequence[DetectionRow]
    boxes: Sequence[Detections]
    sizes_mm_px: Float64[np.ndarray, "T 2"]
    scans: list[list[int]] | str
    basis: Basis

    def per_unit(self, images: Sequence[Detections]) -> Float64[np.ndarray, " U"]:
        """How many of these images each unit has."""
        units = np.array([image.unit for image in images], dtype=np.int64)
        return np.bincount(units, minlength=len(self.basis.units)).astype(np.float64)


def score_detection(
    rows: Sequence[DetectionRow], box_classes: tuple[str, ...], *, resamples: Resamples = AS_IS
) -> DetectionScores:
    """Score all rows, per lesion and regardless of the lesion's name.

    Args:
        rows: The labelled slices, in any order.
        box_classes: Names of the K lesions.
        resamples: Draws of the patients, for intervals.

    Raises:
        InputError: ``E_PREDICTION_NOT_FINITE`` where a score or a predicted box is NaN or infinite.
        LabelError: ``E_BAD_BOX`` where a reference box is.
    """
    for row in rows:
        _check_finite(row)
    classes = np.arange(len(box_classes))
    each = tuple(
        _score_lesions(rows, classes[index : index + 1], name, resamples)
        for index, name in enumerate(box_classes)
    )
    # Of one kind of lesion, any is that one.
    return DetectionScores(
        any_lesion=replace(each[0], name=ANY_LESION)
        if len(each) == 1
        else _score_lesions(rows, classes, ANY_LESION, resamples),
        classes=each,
    )


def _check_finite(row: DetectionRow) -> None:
    where = f"source {row.identity.source}, row {row.identity.row}"
    if not (np.isfinite(row.scores).all() and np.isfinite(row.xyxy).all()):
        raise InputError(
            "E_PREDICTION_NOT_FINITE",
            "a predicted box or its score is NaN or infinite",
            where=where,
            expected="finite numbers",
            fix="The model has diverged: lower the learning rate and train again",
        )
    if not np.isfinite(row.truth_xyxy).all():
        raise LabelError(
            "E_BAD_BOX",
            "a reference box is NaN or infinite",
            where=where,
            expected="four finite numbers",
            fix="Correct the box",
        )


def _score_lesions(
    rows: Sequence[DetectionRow], classes: Int64[np.ndarray, " C"], name: str, resamples: Resamples
) -> LesionScores:
    """These classes as one kind of lesion."""
    slices = select_slices(rows, classes, resamples)
    ranking = rank_detections(slices.boxes)
    found = find_lesions(ranking, by_iou(ranking, FROC_IOU))
    images, basis = slices.per_unit(slices.boxes), slices.basis
    thresholds = [*((iou,) for iou in AP_IOUS), COCO_IOUS]
    ap_10, ap_20, ap_30, ap_40, ap_50, ap_coco = score_precision(ranking, thresholds, basis)
    per_slice = score_froc(ranking, found, images, basis)
    return LesionScores(
        name=name,
        lesions=len(ranking.lesion_unit),
        scans=None if isinstance(slices.scans, str) else len(slices.scans),
        support=count_support(slices.rows),
        ap_10=ap_10,
        ap_20=ap_20,
        ap_30=ap_30,
        ap_40=ap_40,
        ap_50=ap_50,
        ap_coco=ap_coco,
        sensitivity_1fp=per_slice.sensitivity[ONE_FP],
        froc=froc_curve(ranking, found, images=len(slices.boxes)),
        per_slice=per_slice,
        per_scan=_score_per_scan(slices, ranking, found),
        by_size=_score_sizes(slices, ranking, found, images),
        centre=_score_centre(slices, ranking, images),
        merged=_score_merged(slices),
    )


def select_slices(
    rows: Sequence[DetectionRow], classes: Int64[np.ndarray, " C"], resamples: Resamples
) -> LesionSlices:
    """The slices where any of these classes was looked for, and the boxes of those looked for."""
    annotated = [row for row in rows if row.annotated[classes].any()]
    units: dict[object, int] = {}
    stands: list[DetectionRow] = []
    boxes: list[Detections] = []
    sizes = [np.empty((0, 2))]
    for row, key in zip(annotated, group_keys(annotated), strict=True):
        if units.setdefault(key, len(stands)) == len(stands):
            stands.append(row)
        boxes.append(_keep(row, classes, units[key]))
        sizes.append(lesion_sizes(boxes[-1].truth, row.identity.spacing_mm))
    return LesionSlices(
        rows=annotated,
        boxes=boxes,
        sizes_mm_px=np.concatenate(sizes),
        scans=find_scans(annotated),
        basis=Basis(
            units=stands,
            behind=annotated,
            resamples=resamples,
            reason="no reference lesions" if annotated else "no annotated slices",
        ),
    )


def _keep(row: DetectionRow, classes: Int64[np.ndarray, " C"], unit: int) -> Detections:
    """The boxes of those of these classes that were looked for, the best of the predicted ones."""
    wanted = np.zeros_like(row.annotated)
    wanted[classes] = row.annotated[classes]
    said, true = wanted[row.labels], wanted[row.truth_labels]
    best = np.argsort(-row.scores[said], kind="stable")[:MAX_DETECTIONS]
    return Detections(
        boxes=row.xyxy[said][best],
        scores=row.scores[said][best],
        truth=row.truth_xyxy[true],
        unit=unit,
    )


def _score_per_scan(
    slices: LesionSlices, ranking: Ranking, found: Int64[np.ndarray, " P"]
) -> FrocScores:
    """Boxes on slices, false positives counted per scan."""
    if isinstance(slices.scans, str):
        return missing_froc(slices.basis, slices.scans)
    firsts = [slices.boxes[scan[0]] for scan in slices.scans]
    return score_froc(ranking, found, slices.per_unit(firsts), slices.basis)


def _score_sizes(
    slices: LesionSlices,
    ranking: Ranking,
    found: Int64[np.ndarray, " P"],
    images: Float64[np.ndarray, " U"],
) -> tuple[SizeScores, ...]:
    basis = replace(slices.basis, reason="no reference lesions of this size")
    scores: list[SizeScores] = []
    for one in SIZE_BINS:
        counted = in_bin(slices.sizes_mm_px, one)
        figure = (
            score_one_fp(ranking, found, counted, images, basis)
            if counted.any()
            else basis.missing(basis.reason)
        )
        scores.append(SizeScores(name=one.name, lesions=int(counted.sum()), sensitivity_1fp=figure))
    return tuple(scores)


def _score_centre(
    slices: LesionSlices, ranking: Ranking, images: Float64[np.ndarray, " U"]
) -> CentreScores:
    basis, small = slices.basis, slices.sizes_mm_px[:, 0] < SMALL_MM
    if not small.any():
        none = basis.missing("no reference lesions known to be under 6 mm")
        return CentreScores(lesions=0, small_sensitivity_1fp=none, sensitivity_1fp=none, cpm=none)
    found = find_lesions(ranking, by_centre(ranking, small, FROC_IOU))
    froc = score_froc(ranking, found, images, basis)
    return CentreScores(
        lesions=int(small.sum()),
        small_sensitivity_1fp=score_one_fp(ranking, found, small, images, basis),
        sensitivity_1fp=froc.sensitivity[ONE_FP],
        cpm=froc.cpm,
    )


def _score_merged(slices: LesionSlices) -> ScanScores:
    """Boxes of neighbouring slices as boxes of the scan."""
    basis = slices.basis
    if isinstance(slices.scans, str):
        none = basis.missing(slices.scans)
        return ScanScores(
            lesions=None, ap_10=none, ap_30=none, froc=missing_froc(basis, none.reason)
        )
    merged = [_merge(slices, scan) for scan in slices.scans]
    ranking = rank_detections(merged)
    found = find_lesions(ranking, by_iou(ranking, FROC_IOU_3D))
    ap_10, ap_30 = score_precision(ranking, [(iou,) for iou in AP_IOUS_3D], basis)
    return ScanScores(
        lesions=len(ranking.lesion_unit),
        ap_10=ap_10,
        ap_30=ap_30,
        froc=score_froc(ranking, found, slices.per_unit(merged), basis),
    )


def _merge(slices: LesionSlices, scan: Sequence[int]) -> Detections:
    """One series as one image."""
    parts = [slices.boxes[index] for index in scan]
    first = slices.rows[scan[0]].identity.slice_index
    boxes, scores = merge_slices(
        [part.boxes for part in parts], [part.scores for part in parts], first_slice=first
    )
    truth, _ = merge_slices(
        [part.truth for part in parts],
        [np.ones(len(part.truth)) for part in parts],
        first_slice=first,
    )
    return Detections(boxes=boxes, scores=scores, truth=truth, unit=parts[0].unit)
