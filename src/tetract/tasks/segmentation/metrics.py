"""How well masks fit, counted in pixels per slice and averaged over patients.

An empty reference never enters Dice or IoU: no pixel to find has no overlap to measure. What a
model paints there is told apart, as false-positive pixels per lesion-free slice (Metrics
Reloaded, Maier-Hein et al. 2024, doi 10.1038/s41592-023-02151-z).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int64

from tetract.types.figure import Figure, Support, count_support, mean_figure
from tetract.types.identity import GroupKey, Identity, group_keys

THRESHOLD = 0.5
NO_REFERENCE = "no reference pixels"


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentationRow:
    """Pixel counts of one slice.

    Attributes:
        true_positive: (M,) pixels in prediction and reference.
        false_positive: (M,) pixels in the prediction only.
        false_negative: (M,) pixels in the reference only.
        annotated: (M,) bool; counts of a False channel are not read.
        pixel_mm2: Area of a pixel in mm2, or None where the spacing is unknown.
        identity: Who the slice is.
    """

    true_positive: Int64[np.ndarray, " M"]
    false_positive: Int64[np.ndarray, " M"]
    false_negative: Int64[np.ndarray, " M"]
    annotated: Bool[np.ndarray, " M"]
    pixel_mm2: float | None
    identity: Identity


@dataclass(frozen=True, slots=True, kw_only=True)
class MaskScores:
    """One mask class, over the slices whose annotators looked for it.

    Attributes:
        name: Name of the class.
        slices_with: Annotated slices that bear it.
        slices_without: Annotated slices free of it.
        dice: Mean over the patients that bear it, pixels pooled within the patient.
        iou: The same for intersection over union.
        dice_pooled: Over all pixels of all annotated slices at once.
        iou_pooled: The same for intersection over union.
        dice_slices: Mean over the slices that bear it.
        false_positive_px: Mean number of pixels painted on a slice free of it.
        false_positive_mm2: The same in mm2, over the slices of known spacing.
    """

    name: str
    slices_with: int
    slices_without: int
    dice: Figure
    iou: Figure
    dice_pooled: Figure
    iou_pooled: Figure
    dice_slices: Figure
    false_positive_px: Figure
    false_positive_mm2: Figure


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentationScores:
    """All mask classes.

    Attributes:
        support: All rows with an annotated class.
        dice_macro: Plain mean of the classes' defined ``dice``.
        iou_macro: Plain mean of the classes' defined ``iou``.
        classes: One entry per mask class, in label order.
    """

    support: Support
    dice_macro: Figure
    iou_macro: Figure
    classes: tuple[MaskScores, ...]


def count_pixels(
    probabilities: Float[np.ndarray, "M H W"], reference: Bool[np.ndarray, "M H W"]
) -> tuple[Int64[np.ndarray, " M"], Int64[np.ndarray, " M"], Int64[np.ndarray, " M"]]:
    """True positive, false positive and false negative pixels at probability 0.5.

    Returns:
        Three (M,) counts.
    """
    said = probabilities >= THRESHOLD

    def count(pixels: Bool[np.ndarray, "M H W"]) -> Int64[np.ndarray, " M"]:
        return pixels.sum(axis=(1, 2), dtype=np.int64)

    return count(said & reference), count(said & ~reference), count(~said & reference)


def score_segmentation(
    rows: Sequence[SegmentationRow], mask_classes: tuple[str, ...]
) -> SegmentationScores:
    """Score all rows, per class and as a macro mean.

    Args:
        rows: The labelled slices, in any order.
        mask_classes: Names of the M mask channels.
    """
    per_class = tuple(_score_mask(rows, index, name) for index, name in enumerate(mask_classes))
    support = count_support([row for row in rows if row.annotated.any()])
    dice = [one.dice.value for one in per_class if one.dice.value is not None]
    iou = [one.iou.value for one in per_class if one.iou.value is not None]
    return SegmentationScores(
        support=support,
        dice_macro=mean_figure(dice, support, reason=NO_REFERENCE),
        iou_macro=mean_figure(iou, support, reason=NO_REFERENCE),
        classes=per_class,
    )


def _score_mask(rows: Sequence[SegmentationRow], index: int, name: str) -> MaskScores:
    """Channel ``index`` over the rows where it was annotated."""
    annotated = [row for row in rows if row.annotated[index]]
    counts = np.array(
        [
            (row.true_positive[index], row.false_positive[index], row.false_negative[index])
            for row in annotated
        ],
        dtype=np.int64,
    ).reshape(-1, 3)
    bears = (counts[:, 0] + counts[:, 2]) > 0
    by_patient: defaultdict[GroupKey, list[int]] = defaultdict(list)
    for position, key in enumerate(group_keys(annotated)):
        by_patient[key].append(position)
    groups = [members for members in by_patient.values() if bears[members].any()]
    # The slices of these patients that are free of the class count too: what is painted there is
    # part of the patient's volume.
    behind = count_support([annotated[i] for members in groups for i in members])
    pooled = [counts[members].sum(axis=0) for members in groups]
    whole = [counts.sum(axis=0)] if bears.any() else []
    everything = count_support(annotated)
    with_it = [row for row, bearing in zip(annotated, bears, strict=True) if bearing]
    free = [row for row, bearing in zip(annotated, bears, strict=True) if not bearing]
    painted_px, painted_mm2 = _false_positives(free, index)
    return MaskScores(
        name=name,
        slices_with=len(with_it),
        slices_without=len(free),
        dice=mean_figure([_dice(c) for c in pooled], behind, reason=NO_REFERENCE),
        iou=mean_figure([_iou(c) for c in pooled], behind, reason=NO_REFERENCE),
        dice_pooled=mean_figure([_dice(c) for c in whole], everything, reason=NO_REFERENCE),
        iou_pooled=mean_figure([_iou(c) for c in whole], everything, reason=NO_REFERENCE),
        dice_slices=mean_figure(
            [_dice(c) for c in counts[bears]], count_support(with_it), reason=NO_REFERENCE
        ),
        false_positive_px=painted_px,
        false_positive_mm2=painted_mm2,
    )


def _false_positives(free: Sequence[SegmentationRow], index: int) -> tuple[Figure, Figure]:
    """What is painted on slices that are free of the class, in pixels and in mm2."""
    measured = [(row, row.pixel_mm2) for row in free if row.pixel_mm2 is not None]
    none = "no slices free of it"
    pixels = mean_figure(
        [float(row.false_positive[index]) for row in free], count_support(free), reason=none
    )
    area = mean_figure(
        [float(row.false_positive[index]) * pixel_mm2 for row, pixel_mm2 in measured],
        count_support([row for row, _ in measured]),
        reason="pixel spacing unknown" if free else none,
    )
    return pixels, area


def _dice(counts: Int64[np.ndarray, " 3"]) -> float:
    """2 TP / (2 TP + FP + FN); Dice 1945. The reference holds pixels, so never 0 / 0."""
    true_positive, false_positive, false_negative = counts.tolist()
    return 2 * true_positive / (2 * true_positive + false_positive + false_negative)


def _iou(counts: Int64[np.ndarray, " 3"]) -> float:
    """TP / (TP + FP + FN)."""
    true_positive, false_positive, false_negative = counts.tolist()
    return true_positive / (true_positive + false_positive + false_negative)
