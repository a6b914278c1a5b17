"""FROC curves with their bands, sensitivity by size."""

from __future__ import annotations

from collections.abc import Iterator

from tetract.evaluate.charts.marks import behind, make_mark
from tetract.evaluate.result import Section
from tetract.tasks.detection.scores import DetectionScores, FrocBand
from tetract.types.chart import Axis, Line, LineChart, RowChart


def detection_lines(section: Section) -> tuple[LineChart, ...]:
    """FROC per slice and per scan; nothing where no lesion was annotated."""
    return () if section.detection is None else tuple(_froc(section.detection))


def detection_rows(section: Section) -> tuple[RowChart, ...]:
    """Sensitivity by size over all kinds of lesions."""
    if section.detection is None:
        return ()
    marks = [
        make_mark(
            one.name,
            one.sensitivity_1fp,
            detail=f"{one.lesions} {'lesion' if one.lesions == 1 else 'lesions'}",
        )
        for one in section.detection.any_lesion.by_size
        if one.lesions
    ]
    if not marks:
        return ()
    return (
        RowChart(
            title="Lesions boxed, by size",
            caption=(
                "Sensitivity at 1 false positive per slice, IoU 0.3, by the longest side of the "
                "reference box; bars: 95 % intervals of patients."
            ),
            axis=Axis(label="sensitivity"),
            marks=tuple(marks),
        ),
    )


def _froc(scores: DetectionScores) -> Iterator[LineChart]:
    kinds = (scores.any_lesion, *(scores.classes if len(scores.classes) > 1 else ()))
    for unit in ("slice", "scan"):
        bands = [(k.name, k.per_slice.band if unit == "slice" else k.per_scan.band) for k in kinds]
        lines = [_line(name, band) for name, band in bands if band is not None]
        if lines:
            yield LineChart(
                title=f"FROC per {unit}",
                caption=(
                    f"{scores.any_lesion.lesions} reference boxes on "
                    f"{behind(scores.any_lesion.support)}, IoU 0.3. Bands: 95 % intervals of "
                    "patients."
                ),
                x=Axis(label=f"false positives per {unit}", low=0.125, high=8.0, is_log=True),
                y=Axis(label="sensitivity"),
                lines=tuple(lines),
            )


def _line(name: str, band: FrocBand) -> Line:
    has_band = any(end is not None for end in band.low)
    return Line(
        name=name,
        x=band.false_positives,
        y=band.sensitivity,
        low=band.low if has_band else (),
        high=band.high if has_band else (),
    )
