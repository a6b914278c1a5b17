"""HD95 and NSD over slices and patients, lengths in mm and in pixels apart."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tetract.tasks.segmentation.columns import NO_REFERENCE, Columns, mean_within, over_patients
from tetract.tasks.segmentation.contours import Contours, Unit
from tetract.types.figure import Figure
from tetract.types.resamples import Resamples

_NOT_MEASURED = "contours were not measured"
_NOTHING_PAINTED = "nothing painted where the reference holds pixels"
_MIXED = "slices were measured at different tolerances"
_ELSEWHERE = {"mm": "pixel spacing unknown", "px": "pixel spacing known: given in mm"}


@dataclass(frozen=True, slots=True, kw_only=True)
class ContourScores:
    """How far contours lie apart, over the slices measured in one unit.

    Attributes:
        unit: Of ``hd95`` and ``tolerance``.
        tolerance: Of ``nsd``; None where no slice was measured in this unit.
        slices: Slices measured in this unit that bear the class.
        missed: Those of them on which nothing is painted. They have no HD95, and NSD 0, so a low
            ``hd95`` says little where ``missed`` is high.
        hd95: Mean over the patients of the mean over their slices with both contours.
        nsd: Mean over the patients of the mean over their slices that bear the class.
    """

    unit: Unit
    tolerance: float | None
    slices: int
    missed: int
    hd95: Figure
    nsd: Figure


def score_contours(column: Columns, unit: Unit, resamples: Resamples) -> ContourScores:
    """HD95 and NSD of one mask class, over the slices measured in ``unit``."""
    own: list[tuple[int, Contours]] = [
        (place, row.contours)
        for place, row in enumerate(column.rows)
        if row.contours is not None and row.contours.unit == unit
    ]
    measured = np.zeros(len(column.rows), dtype=np.bool_)
    hd95, nsd = np.zeros((2, len(column.rows)))
    for place, contours in own:
        measured[place] = True
        hd95[place] = contours.hd95[column.index]
        nsd[place] = contours.nsd[column.index]
    bearing = measured & column.bears
    both = bearing & column.painted
    tolerances = {contours.tolerance for _, contours in own}
    if len(tolerances) > 1:
        nsd[:] = np.nan
    reason = _why_none(column, unit, any_borne=bool(bearing.any()))
    return ContourScores(
        unit=unit,
        tolerance=tolerances.pop() if len(tolerances) == 1 else None,
        slices=int(bearing.sum()),
        missed=int((bearing & ~column.painted).sum()),
        hd95=over_patients(
            column,
            mean_within(column, hd95, both),
            resamples,
            reason=reason or _NOTHING_PAINTED,
            behind=both,
            is_error=True,
        ),
        nsd=over_patients(
            column,
            mean_within(column, nsd, bearing),
            resamples,
            reason=reason or _MIXED,
            behind=bearing,
        ),
    )


def _why_none(column: Columns, unit: Unit, *, any_borne: bool) -> str:
    """Why no slice that bears the class was measured in this unit; "" where one was."""
    if any_borne:
        return ""
    bearing = column.pick(column.bears)
    if not bearing:
        return NO_REFERENCE
    return _NOT_MEASURED if any(row.contours is None for row in bearing) else _ELSEWHERE[unit]
