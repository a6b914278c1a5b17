"""Tables beside the main ones: other levels, every threshold, every rate, every size."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tetract.evaluate.class_source import source_warning
from tetract.evaluate.pooled import PooledScores
from tetract.evaluate.result import Evaluation, Section
from tetract.evaluate.table_cells import Cells, make_table
from tetract.tasks.detection.scores import FrocScores, LesionScores
from tetract.tasks.segmentation.metrics import SizeGroup
from tetract.types import Task
from tetract.types.table import Table

FROC_NOTE = (
    "Sensitivity at 1/8 to 8 false positives, read as LUNA16 does; CPM is their mean. "
    "Slices free of lesions count. Matched at IoU {iou}."
)


def detail_tables(
    evaluation: Evaluation, pooled: Sequence[PooledScores]
) -> dict[Task, tuple[Table, ...]]:
    """The detailed tables of each task.

    Args:
        evaluation: The figures.
        pooled: The classes of series and of patients.
    """
    sections = (evaluation.overall, *evaluation.sources)
    return {
        Task.CLASSIFICATION: tuple(_levels(evaluation, pooled)),
        Task.SEGMENTATION: tuple(_mask_sizes(sections)),
        Task.DETECTION: tuple(_detection(sections)),
    }


def size_name(group: SizeGroup) -> str:
    """``6 to 10 mm`` and the like."""
    if group.high is None:
        return f"{group.low:g} {group.unit} and more"
    return f"{group.low:g} to {group.high:g} {group.unit}"


def _levels(evaluation: Evaluation, pooled: Sequence[PooledScores]) -> Iterator[Table]:
    slices = evaluation.overall.classification
    if slices is None or not pooled:
        return
    scores = [("slice", str(slices.support.slices), slices)]
    scores += [(str(one.level), str(one.units), one.scores) for one in pooled]
    yield make_table(
        "Classification of slices, series and patients",
        ["level", "units", "AUROC (macro)", "AP (macro)", "accuracy", "balanced accuracy", "MCC"],
        [
            [
                *(level, units, one.auroc_macro, one.average_precision_macro, one.accuracy),
                *(one.balanced_accuracy, one.mcc),
            ]
            for level, units, one in scores
        ],
        " ".join(dict.fromkeys(one.note for one in pooled if one.note)),
        source_warning(evaluation),
    )


def _mask_sizes(sections: Sequence[Section]) -> Iterator[Table]:
    pairs = [(s.name, s.segmentation) for s in sections if s.segmentation is not None]
    rows: list[Cells] = [
        [name, mask.name, size_name(group), str(group.lesions), group.sensitivity]
        for name, one in pairs
        for mask in one.classes
        for group in mask.lesions.by_size
        if group.lesions
    ]
    if rows:
        yield make_table(
            "Segmentation, lesions by size",
            ["rows", "class", "diameter", "lesions", "sensitivity"],
            rows,
            "Diameter of a disc of the lesion's area on the slice.",
        )


def _detection(sections: Sequence[Section]) -> Iterator[Table]:
    pairs = [(s.name, s.detection) for s in sections if s.detection is not None]
    if not pairs:
        return
    lesions = [(name, lesion) for name, one in pairs for lesion in (one.any_lesion, *one.classes)]
    yield make_table(
        "Detection, average precision by overlap",
        [*("rows", "lesion", "AP@0.1", "AP@0.2", "AP@0.3", "AP@0.4", "AP@0.5"), "COCO AP"],
        [
            [name, one.name, one.ap_10, one.ap_20, one.ap_30, one.ap_40, one.ap_50, one.ap_coco]
            for name, one in lesions
        ],
        "Each at one intersection over union (IoU); COCO: mean over 0.50, 0.55 to 0.95.",
    )
    yield _froc("slice", [(name, one, one.per_slice) for name, one in lesions], "0.3")
    yield _froc("scan", [(name, one, one.per_scan) for name, one in lesions], "0.3")
    if any(one.centre.lesions for _, one in lesions):
        yield _centres(lesions)
    if any(one.merged.lesions is not None for _, one in lesions):
        yield from _merged(lesions)


def _froc(
    unit: str, rows: Sequence[tuple[str, LesionScores, FrocScores]], iou: str, over: str = "boxes"
) -> Table:
    rates = rows[0][2].rates
    return make_table(
        f"Detection, FROC per {unit}" + (", merged boxes" if over == "merged" else ""),
        ["rows", "lesion", *(_rate(rate) for rate in rates), "CPM"],
        [[name, one.name, *froc.sensitivity, froc.cpm] for name, one, froc in rows],
        FROC_NOTE.format(iou=iou),
    )


def _rate(rate: float) -> str:
    """1/8 rather than 0.125."""
    return f"1/{round(1 / rate)}" if rate < 1 else f"{rate:g}"


def _centres(lesions: Sequence[tuple[str, LesionScores]]) -> Table:
    return make_table(
        "Detection, lesions under 6 mm matched by their centre",
        ["rows", "lesion", "under 6 mm", "their sensitivity", "sensitivity of all", "CPM"],
        [
            [
                *(name, one.name, str(one.centre.lesions), one.centre.small_sensitivity_1fp),
                *(one.centre.sensitivity_1fp, one.centre.cpm),
            ]
            for name, one in lesions
        ],
        "A lesion under 6 mm is found by a box whose centre lies in it, any other at IoU 0.3; "
        "sensitivities at 1 false positive per slice.",
    )


def _merged(lesions: Sequence[tuple[str, LesionScores]]) -> Iterator[Table]:
    yield make_table(
        "Detection, boxes merged over the slices of a scan",
        ["rows", "lesion", "scans", "lesions", "AP@0.1 (3-D)", "AP@0.3 (3-D)"],
        [
            [
                *(name, one.name, _count(one.scans), _count(one.merged.lesions)),
                *(one.merged.ap_10, one.merged.ap_30),
            ]
            for name, one in lesions
        ],
        "Predicted and reference boxes of neighbouring slices that overlap are one lesion.",
    )
    rows = [(name, one, one.merged.froc) for name, one in lesions]
    yield _froc("scan", rows, "0.1 in three dimensions", "merged")


def _count(number: int | None) -> str:
    return "unknown" if number is None else str(number)
