"""Dice of every patient, lesions found by size."""

from __future__ import annotations

from collections.abc import Sequence

from tetract.evaluate.charts.marks import make_mark
from tetract.evaluate.detail_tables import size_name
from tetract.evaluate.result import Section
from tetract.evaluate.score import ANATOMY
from tetract.tasks.segmentation.metrics import SegmentationRow, patient_dice
from tetract.types.chart import Axis, Mark, RowChart


def segmentation_rows(section: Section, rows: Sequence[SegmentationRow]) -> tuple[RowChart, ...]:
    """Charts over all rows; a class without reference pixels has no row."""
    scores = section.segmentation
    if scores is None:
        return ()
    dice = [
        make_mark(mask.name, mask.dice, dots=patient_dice(rows, index).dice.tolist())
        for index, mask in enumerate(scores.classes)
        if mask.slices_with
    ]
    sizes = [
        make_mark(
            f"{mask.name}, {size_name(group)}",
            group.sensitivity,
            detail=f"{group.lesions} {'lesion' if group.lesions == 1 else 'lesions'}",
        )
        for mask in scores.classes
        if mask.name not in ANATOMY
        for group in mask.lesions.by_size
        if group.lesions
    ]
    return tuple(chart for chart in (_dice(dice), _sizes(sizes)) if chart.marks)


def _dice(marks: Sequence[Mark]) -> RowChart:
    return RowChart(
        title="Dice, one dot per patient",
        caption=(
            "Patients that bear the class, pixels pooled within the patient; diamond and bar: "
            "their mean and its 95 % interval."
        ),
        axis=Axis(label="Dice"),
        marks=tuple(marks),
    )


def _sizes(marks: Sequence[Mark]) -> RowChart:
    return RowChart(
        title="Lesions outlined, by size",
        caption=(
            "Share of the reference lesions of each diameter that are found, with 95 % intervals "
            "of patients."
        ),
        axis=Axis(label="sensitivity"),
        marks=tuple(marks),
    )
