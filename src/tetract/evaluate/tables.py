"""An evaluation as tables of text: every number with what stands behind it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tetract.evaluate.class_source import source_warning
from tetract.evaluate.result import Evaluation, Section
from tetract.evaluate.table_cells import Cells, make_table
from tetract.evaluate.trust.tables import trust_tables
from tetract.tasks.classification.metrics import ClassScores
from tetract.tasks.detection.metrics import LesionScores
from tetract.tasks.segmentation.contour_scores import ContourScores
from tetract.tasks.segmentation.metrics import MaskScores
from tetract.types import Task
from tetract.types.table import Table

SEGMENTATION_NOTE = (
    "Dice and IoU are means over the patients that bear the class, pixels pooled within the "
    "patient; slices free of it enter no slice's Dice but are counted as false positives (FP)."
)
CONTOUR_NOTE = (
    "Means over patients of their slices. A missed slice, on which nothing is painted, has NSD 0 "
    "and no HD95: read HD95 together with the number missed."
)
LESIONWISE = ("sensitivity", "precision", "F1", "false parts per free slice")
DETECTION_NOTE = (
    "AP as COCO defines it (101 recall levels, at most 100 boxes per slice); sensitivity at 1 "
    "false positive (FP) per slice at IoU 0.3; slices free of lesions count."
)


def evaluation_tables(evaluation: Evaluation) -> tuple[Table, ...]:
    """All tables, in the order of ``Task``, then trust; what the model does not have has none."""
    of_tasks = (table for tables in task_tables(evaluation).values() for table in tables)
    return (*of_tasks, *trust_tables(evaluation.trust))


def task_tables(evaluation: Evaluation) -> dict[Task, tuple[Table, ...]]:
    """The main tables of each task."""
    sections = (evaluation.overall, *evaluation.sources)
    return {
        Task.CLASSIFICATION: tuple(_classification(evaluation, sections)),
        Task.SEGMENTATION: tuple(_segmentation(sections)),
        Task.RECONSTRUCTION: tuple(_reconstruction(evaluation, sections)),
        Task.DETECTION: tuple(_detection(sections)),
    }


def _classification(evaluation: Evaluation, sections: Sequence[Section]) -> Iterator[Table]:
    pairs = [(s.name, s.classification) for s in sections if s.classification is not None]
    if not pairs:
        return
    yield make_table(
        "Classification",
        [
            *("rows", "AUROC (macro)", "AUROC within sources (macro)", "the same, pooled"),
            *("AP (macro)", "accuracy", "balanced accuracy", "F1 (macro)", "MCC", "Brier", "ECE"),
        ],
        [
            [
                *(name, one.auroc_macro, one.auroc_within_macro, one.auroc_within_pooled),
                *(one.average_precision_macro, one.accuracy, one.balanced_accuracy),
                *(one.f1_macro, one.mcc, one.brier, one.ece),
            ]
            for name, one in pairs
        ],
        "AUROC over the slices that decide a class, the others over those of one known class. "
        "Within sources: only slices of one source are compared, so that knowing the source is "
        "worth 0.5.",
        source_warning(evaluation),
    )
    figures = [
        *("AUROC", "AUROC within sources", "AP", "accuracy", "F1", "MCC", "sensitivity"),
        *("specificity", "sensitivity at 95 % specificity", "Brier", "ECE"),
    ]
    yield make_table(
        "Classification, each class against the rest",
        ["rows", "class", "positive", "negative", *figures],
        [_class_row(name, c) for name, one in pairs for c in one.classes],
        "Over the slices that decide the class; threshold 0.5.",
        source_warning(evaluation),
    )


def _class_row(name: str, one: ClassScores) -> Cells:
    counts = (str(one.positives), str(one.negatives))
    return [
        *(name, one.name, *counts),
        *(one.auroc, one.auroc_within, one.average_precision, one.accuracy, one.f1, one.mcc),
        *(one.sensitivity, one.specificity, one.sensitivity_at_95, one.brier, one.ece),
    ]


def _segmentation(sections: Sequence[Section]) -> Iterator[Table]:
    pairs = [(s.name, s.segmentation) for s in sections if s.segmentation is not None]
    if not pairs:
        return
    yield make_table(
        "Segmentation",
        ["rows", "Dice (lesions)", "Dice, lesion pixels", "Dice (macro)", "IoU (macro)"],
        [
            [name, one.dice_lesions, one.dice_lesions_pooled, one.dice_macro, one.iou_macro]
            for name, one in pairs
        ],
        SEGMENTATION_NOTE,
    )
    pooled = ["Dice, all pixels", "IoU, all pixels", "Dice, per slice"]
    painted = ["FP px per free slice", "FP mm2 per free slice"]
    yield make_table(
        "Segmentation, each class",
        ["rows", "class", "slices with", "slices without", "Dice", "IoU", *pooled, *painted],
        [_mask_row(name, mask) for name, one in pairs for mask in one.classes],
    )
    yield make_table(
        "Segmentation, contours",
        ["rows", "class", "unit", "slices", "missed", "HD95", "NSD"],
        [
            _contour_row(name, mask.name, contours)
            for name, one in pairs
            for mask in one.classes
            for contours in (mask.contours_mm, mask.contours_px)
            if contours.slices
        ],
        CONTOUR_NOTE,
    )
    yield make_table(
        "Segmentation, lesion by lesion",
        [*("rows", "class", "lesions", "found", "false parts"), *LESIONWISE],
        [
            [
                *(name, mask.name, str(mask.lesions.lesions), str(mask.lesions.found)),
                str(mask.lesions.false_positives),
                *(mask.lesions.sensitivity, mask.lesions.precision, mask.lesions.f1),
                mask.false_lesions,
            ]
            for name, one in pairs
            for mask in one.classes
        ],
        "8-connected parts on a slice; what counts as found: docs/reference/metrics.md.",
    )


def _contour_row(name: str, mask: str, one: ContourScores) -> Cells:
    within = "" if one.tolerance is None else f" at {one.tolerance:g} {one.unit}"
    return [name, mask, f"{one.unit}{within}", str(one.slices), str(one.missed), one.hd95, one.nsd]


def _mask_row(name: str, one: MaskScores) -> Cells:
    counts = (str(one.slices_with), str(one.slices_without))
    return [
        *(name, one.name, *counts, one.dice, one.iou),
        *(one.dice_pooled, one.iou_pooled, one.dice_slices),
        *(one.false_positive_px, one.false_positive_mm2),
    ]


def _reconstruction(evaluation: Evaluation, sections: Sequence[Section]) -> Iterator[Table]:
    pairs = [(s.name, s.reconstruction) for s in sections if s.reconstruction is not None]
    if not pairs:
        return
    hiding, width = evaluation.setting.hiding, evaluation.setting.hu_window_width
    window = "of unknown width in HU" if width is None else f"{width:g} HU wide"
    figures = ["MAE in HU", "RMSE", "PSNR in dB", "SSIM"]
    yield make_table(
        "Reconstruction, the whole slice shown",
        ["rows", "MAE", *figures],
        [[name, r.mae, r.mae_hu, r.rmse, r.psnr_db, r.ssim] for name, r in pairs],
        f"In units of the window ({window}), data range 1.0; means over slices.",
    )
    yield make_table(
        "Reconstruction, hidden pixels",
        ["rows", "MAE", "MAE of a mean filter", *figures],
        [
            [
                *(name, r.masked_mae, r.mean_filter_mae, r.masked_mae_hu),
                *(r.masked_rmse, r.masked_psnr_db, r.masked_ssim),
            ]
            for name, r in pairs
        ],
        f"{hiding.fraction:.0%} of the {hiding.patch_px} px patches withheld, seed {hiding.seed}; "
        "SSIM of the whole slice with those pixels filled in.",
    )
    yield make_table(
        "Reconstruction, whether it copies",
        ["rows", "noise", "closer than the noise", "grain kept", "grain left out", "copies"],
        [
            [
                *(name, r.copying.noise, r.copying.below_noise, r.copying.grain_kept),
                *(r.copying.grain_correlation, "likely" if r.copying.likely else "not shown"),
            ]
            for name, r in pairs
        ],
        "The whole slice shown. Noise cannot be inferred from anatomy: a network that gives it "
        "back lets pixels through.",
        next((r.copying.warning for _, r in pairs if r.copying.warning), ""),
    )


def _detection(sections: Sequence[Section]) -> Iterator[Table]:
    pairs = [(s.name, s.detection) for s in sections if s.detection is not None]
    if not pairs:
        return
    figures = [
        *("AP@0.1", "AP@0.3", "AP@0.5", "COCO AP", "sensitivity at 1 FP per slice"),
        *("CPM per slice", "CPM per scan"),
    ]
    yield make_table(
        "Detection",
        ["rows", "lesion", "lesions", *figures],
        [
            _lesion_row(name, lesion)
            for name, one in pairs
            for lesion in (one.any_lesion, *one.classes)
        ],
        DETECTION_NOTE,
    )
    yield make_table(
        "Detection, by size",
        ["rows", "lesion", "size", "lesions", "sensitivity at 1 FP per slice"],
        [
            [name, one.any_lesion.name, size.name, str(size.lesions), size.sensitivity_1fp]
            for name, one in pairs
            for size in one.any_lesion.by_size
            if size.lesions
        ],
    )


def _lesion_row(name: str, one: LesionScores) -> Cells:
    return [
        *(name, one.name, str(one.lesions)),
        *(one.ap_10, one.ap_30, one.ap_50, one.ap_coco, one.sensitivity_1fp),
        *(one.per_slice.cpm, one.per_scan.cpm),
    ]
