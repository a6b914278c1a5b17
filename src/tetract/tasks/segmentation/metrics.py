"""How well masks fit: overlap, contours and single lesions, per slice and over patients.

An empty reference never enters Dice, IoU, HD95, NSD or the finding of lesions: with nothing to
find there is nothing to measure. What a model paints there is told apart, as false positives per
slice and per patient free of the class (Metrics Reloaded, Maier-Hein et al. 2024, doi
10.1038/s41592-023-02151-z).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from tetract.tasks.segmentation.columns import Columns, columns, dice_of, iou_of
from tetract.tasks.segmentation.contour_scores import ContourScores, score_contours
from tetract.tasks.segmentation.free_scores import (
    FreeScores,
    score_free_patients,
    score_free_slices,
)
from tetract.tasks.segmentation.lesion_scores import (
    LesionPoints,
    LesionwiseScores,
    SizeGroup,
    lesion_points,
    score_lesions,
)
from tetract.tasks.segmentation.measure import SegmentationRow, count_pixels, measure_masks
from tetract.tasks.segmentation.overlap_scores import (
    PatientDice,
    mean_dice,
    mean_over_classes,
    patient_dice,
    pooled_over_classes,
    score_patients,
    score_pooled,
    score_slices,
)
from tetract.types.figure import Figure, Support, count_support
from tetract.types.resamples import AS_IS, Resamples

__all__ = [
    "ContourScores",
    "FreeScores",
    "LesionPoints",
    "LesionwiseScores",
    "MaskScores",
    "PatientDice",
    "SegmentationRow",
    "SegmentationScores",
    "SizeGroup",
    "count_pixels",
    "lesion_points",
    "mean_dice",
    "measure_masks",
    "patient_dice",
    "score_segmentation",
]


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
        contours_mm: HD95 and NSD over the slices of known spacing.
        contours_px: The same over the slices of unknown spacing, in pixels.
        lesions: How the single lesions were found.
        false_positive_px: Mean number of pixels painted on a slice free of it.
        false_positive_mm2: The same in mm2, over the slices of known spacing.
        false_lesions: Mean number of parts painted on a slice free of it.
        free_patients: What is painted per patient free of it.
    """

    name: str
    slices_with: int
    slices_without: int
    dice: Figure
    iou: Figure
    dice_pooled: Figure
    iou_pooled: Figure
    dice_slices: Figure
    contours_mm: ContourScores
    contours_px: ContourScores
    lesions: LesionwiseScores
    false_positive_px: Figure
    false_positive_mm2: Figure
    false_lesions: Figure
    free_patients: FreeScores


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentationScores:
    """All mask classes.

    Attributes:
        support: All rows with an annotated class.
        dice_lesions: Plain mean of the defined ``dice`` of the classes that are no anatomy; of all
            where all are.
        dice_lesions_pooled: Dice over all pixels of these classes at once.
        dice_macro: Plain mean of the classes' defined ``dice``.
        iou_macro: Plain mean of the classes' defined ``iou``.
        classes: One entry per mask class, in label order.
    """

    support: Support
    dice_lesions: Figure
    dice_lesions_pooled: Figure
    dice_macro: Figure
    iou_macro: Figure
    classes: tuple[MaskScores, ...]


def score_segmentation(
    rows: Sequence[SegmentationRow],
    mask_classes: tuple[str, ...],
    *,
    resamples: Resamples = AS_IS,
    anatomy: Collection[str] = (),
) -> SegmentationScores:
    """Score all rows, per class and as a macro mean.

    Args:
        rows: The labelled slices, in any order.
        mask_classes: Names of the M mask channels.
        resamples: Draws of the patients for the intervals; ``AS_IS`` for none.
        anatomy: Classes that are organs: large, easy, and no lesions.
    """
    each = [columns(rows, index) for index in range(len(mask_classes))]
    lesions = [at for at, name in enumerate(mask_classes) if name not in anatomy]
    counted = lesions or list(range(len(mask_classes)))
    return SegmentationScores(
        support=count_support([row for row in rows if row.annotated.any()]),
        dice_lesions=mean_over_classes([each[at] for at in counted], rows, dice_of, resamples),
        dice_lesions_pooled=pooled_over_classes(rows, counted, dice_of, resamples),
        dice_macro=mean_over_classes(each, rows, dice_of, resamples),
        iou_macro=mean_over_classes(each, rows, iou_of, resamples),
        classes=tuple(
            _score_mask(column, name, resamples)
            for column, name in zip(each, mask_classes, strict=True)
        ),
    )


def _score_mask(column: Columns, name: str, resamples: Resamples) -> MaskScores:
    free_slices = score_free_slices(column, resamples)
    return MaskScores(
        name=name,
        slices_with=int(column.bears.sum()),
        slices_without=int((~column.bears).sum()),
        dice=score_patients(column, dice_of, resamples),
        iou=score_patients(column, iou_of, resamples),
        dice_pooled=score_pooled(column, dice_of, resamples),
        iou_pooled=score_pooled(column, iou_of, resamples),
        dice_slices=score_slices(column, dice_of, resamples),
        contours_mm=score_contours(column, "mm", resamples),
        contours_px=score_contours(column, "px", resamples),
        lesions=score_lesions(column, resamples),
        false_positive_px=free_slices.px,
        false_positive_mm2=free_slices.mm2,
        false_lesions=free_slices.lesions,
        free_patients=score_free_patients(column, resamples),
    )
