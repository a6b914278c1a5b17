"""What is painted where nothing is: per slice and per patient that is free of the class."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from tetract.tasks.segmentation.columns import Columns, mean, over_patients
from tetract.tasks.segmentation.measure import SegmentationRow
from tetract.types.figure import Figure
from tetract.types.resamples import Resamples

_NO_FREE_SLICE = "no slices free of it"
_NO_FREE_PATIENT = "no patients free of it"
# Why pixels, mm2 and parts may be unknown where there are slices free of the class.
_WHY_NOT = ("", "pixel spacing unknown", "single lesions were not looked at")


@dataclass(frozen=True, slots=True, kw_only=True)
class FreeScores:
    """What is painted where the class is not.

    Attributes:
        px: Mean number of pixels.
        mm2: The same in mm2, where the spacing is known.
        lesions: Mean number of painted 8-connected parts.
    """

    px: Figure
    mm2: Figure
    lesions: Figure


def score_free_slices(column: Columns, resamples: Resamples) -> FreeScores:
    """What is painted per slice that is free of the class."""
    free = ~column.bears
    painted = [np.where(free, values, np.nan) for values in _painted(column)]
    px, mm2, lesions = (
        mean(
            values[np.isfinite(values)],
            column.pick(np.isfinite(values)),
            resamples,
            reason=why_not if free.any() else _NO_FREE_SLICE,
            is_error=True,
        )
        for values, why_not in zip(painted, _WHY_NOT, strict=True)
    )
    return FreeScores(px=px, mm2=mm2, lesions=lesions)


def score_free_patients(column: Columns, resamples: Resamples) -> FreeScores:
    """What is painted per patient that is free of the class, all annotated slices together.

    A patient with a slice of unknown spacing has no area in mm2.
    """
    free = column.per_patient(column.bears.astype(np.float64)) == 0
    px, mm2, lesions = (
        over_patients(
            column,
            np.where(free, column.per_patient(values), np.nan),
            resamples,
            reason=why_not if free.any() else _NO_FREE_PATIENT,
            is_error=True,
        )
        for values, why_not in zip(_painted(column), _WHY_NOT, strict=True)
    )
    return FreeScores(px=px, mm2=mm2, lesions=lesions)


def _painted(
    column: Columns,
) -> tuple[Float[np.ndarray, " N"], Float[np.ndarray, " N"], Float[np.ndarray, " N"]]:
    """Wrong pixels, their area in mm2 and wrong parts of each slice, NaN where unknown."""
    pixels = column.false_positive
    parts = [
        np.nan if row.lesions is None else row.lesions.false_parts[column.index]
        for row in column.rows
    ]
    return pixels, pixels * _pixel_mm2(column.rows), np.array(parts, dtype=np.float64)


def _pixel_mm2(rows: Sequence[SegmentationRow]) -> Float[np.ndarray, " N"]:
    """Area of a pixel of each slice, NaN where it is unknown."""
    return np.array([np.nan if row.pixel_mm2 is None else row.pixel_mm2 for row in rows])
