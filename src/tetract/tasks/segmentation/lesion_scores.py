"""Lesion by lesion: how many are found, how many are made up, by size; each lesion counts once."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import Final

import numpy as np
from jaxtyping import Bool, Float, Int64

from tetract.tasks.segmentation.columns import Columns, columns, share
from tetract.tasks.segmentation.contours import Unit
from tetract.tasks.segmentation.lesions import diameters
from tetract.tasks.segmentation.measure import SegmentationRow
from tetract.types.figure import Figure, count_support, undefined
from tetract.types.resamples import Resamples, estimate, ratio

# Limits of the size groups: the diameter of a disc of the same area.
SIZES: Final = (0.0, 6.0, 10.0, 30.0, math.inf)
_NO_LESIONS = "no reference lesions"
_NOT_LOOKED_AT = "single lesions were not looked at"
_NOTHING_SAID = "no lesion found and none made up"


@dataclass(frozen=True, slots=True, kw_only=True)
class LesionPoints:
    """Every reference lesion whose size is known in one unit, for plots.

    Attributes:
        unit: Of ``diameter``.
        diameter: (L,) of a disc of the same area.
        found: (L,) whether it was found.
    """

    unit: Unit
    diameter: Float[np.ndarray, " L"]
    found: Bool[np.ndarray, " L"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SizeGroup:
    """The lesions of one size.

    Attributes:
        unit: Of the limits.
        low: Least diameter.
        high: The diameter from which on a lesion is in the next group; None: no limit.
        lesions: Number of reference lesions.
        sensitivity: Share of them that is found.
    """

    unit: Unit
    low: float
    high: float | None
    lesions: int
    sensitivity: Figure


@dataclass(frozen=True, slots=True, kw_only=True)
class LesionwiseScores:
    """How the single lesions of one mask class were found.

    Attributes:
        lesions: Number of reference lesions.
        found: Those that are found.
        false_positives: Painted parts that touch no found lesion, on all annotated slices.
        sensitivity: found / lesions.
        precision: found / (found + false_positives).
        f1: 2 found / (lesions + found + false_positives).
        by_size: Sensitivity by diameter, over the slices of known spacing in mm, then over the
            others in pixels.
    """

    lesions: int
    found: int
    false_positives: int
    sensitivity: Figure
    precision: Figure
    f1: Figure
    by_size: tuple[SizeGroup, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Flat:
    """The lesions of all slices in a row: which slice, how large in mm or else px, found or not."""

    rows: tuple[SegmentationRow, ...]
    slice_of: Int64[np.ndarray, " L"]
    diameter: Float[np.ndarray, " L"]
    in_mm: Bool[np.ndarray, " L"]
    found: Bool[np.ndarray, " L"]
    false_parts: Float[np.ndarray, " N"]
    all_looked_at: bool

    def per_slice(self, chosen: Bool[np.ndarray, " L"]) -> Float[np.ndarray, " N"]:
        """How many of the chosen lesions each slice holds."""
        return np.bincount(self.slice_of[chosen], minlength=len(self.rows)).astype(np.float64)

    def pick(self, chosen: Bool[np.ndarray, " N"]) -> list[SegmentationRow]:
        """The slices that are chosen."""
        return [self.rows[row] for row in np.flatnonzero(chosen)]


def lesion_points(rows: Sequence[SegmentationRow], index: int) -> tuple[LesionPoints, ...]:
    """The lesions of one mask channel: those measured in mm, and those measured in pixels."""
    flat = _flatten(columns(rows, index))
    return tuple(
        LesionPoints(unit=unit, diameter=flat.diameter[own], found=flat.found[own])
        for unit, own in _by_unit(flat)
    )


def score_lesions(column: Columns, resamples: Resamples) -> LesionwiseScores:
    """Score the single lesions, pooled over all slices on which they were looked at."""
    flat = _flatten(column)
    lesions = flat.per_slice(np.ones(len(flat.found), dtype=np.bool_))
    found, made_up = flat.per_slice(flat.found), flat.false_parts
    shares = (
        (found, lesions),
        (found, found + made_up),
        (2 * found, lesions + found + made_up),
    )
    sensitivity, precision, f1 = (
        _figure(flat, above, below, lesions, resamples) for above, below in shares
    )
    return LesionwiseScores(
        lesions=len(flat.found),
        found=int(flat.found.sum()),
        false_positives=int(made_up.sum()),
        sensitivity=sensitivity,
        precision=precision,
        f1=f1,
        by_size=tuple(
            _size_group(flat, unit, own, limits, resamples)
            for unit, own in _by_unit(flat)
            for limits in pairwise(SIZES)
        ),
    )


def _figure(
    flat: _Flat,
    above: Float[np.ndarray, " N"],
    below: Float[np.ndarray, " N"],
    lesions: Float[np.ndarray, " N"],
    resamples: Resamples,
) -> Figure:
    """Sum of ``above`` over sum of ``below``, undefined where there is no lesion to find."""
    if not lesions.any():
        reason = _NO_LESIONS if flat.all_looked_at else _NOT_LOOKED_AT
        return undefined(count_support(flat.rows), reason)
    marked = (lesions > 0) | (below > 0)
    return estimate(
        partial(_share, above=above[marked], below=below[marked], lesions=lesions[marked]),
        flat.pick(marked),
        resamples,
        reason=_NOTHING_SAID,
        behind=flat.rows,
    )


def _size_group(
    flat: _Flat,
    unit: Unit,
    own: Bool[np.ndarray, " L"],
    limits: tuple[float, float],
    resamples: Resamples,
) -> SizeGroup:
    low, high = limits
    group = own & (flat.diameter >= low) & (flat.diameter < high)
    lesions, found = flat.per_slice(group), flat.per_slice(group & flat.found)
    holding = lesions > 0
    return SizeGroup(
        unit=unit,
        low=low,
        high=high if math.isfinite(high) else None,
        lesions=int(group.sum()),
        sensitivity=share(
            found[holding],
            lesions[holding],
            flat.pick(holding),
            resamples,
            reason="no lesions of this size",
        ),
    )


def _share(
    weights: Float[np.ndarray, "R N"],
    *,
    above: Float[np.ndarray, " N"],
    below: Float[np.ndarray, " N"],
    lesions: Float[np.ndarray, " N"],
) -> Float[np.ndarray, " R"]:
    shares = ratio(weights @ above, weights @ below)
    return np.where(weights @ lesions > 0, shares, np.nan)


def _by_unit(flat: _Flat) -> tuple[tuple[Unit, Bool[np.ndarray, " L"]], ...]:
    return ("mm", flat.in_mm), ("px", ~flat.in_mm)


def _flatten(column: Columns) -> _Flat:
    """The lesions of the slices on which they were looked at."""
    rows = tuple(row for row in column.rows if row.lesions is not None)
    slices: list[int] = []
    areas: list[float] = []
    known: list[bool] = []
    found: list[bool] = []
    made_up: list[int] = []
    for place, row in enumerate(rows):
        if row.lesions is None:
            continue
        own = row.lesions.channel == column.index
        pixels = row.lesions.area_px[own]
        slices += [place] * len(pixels)
        areas += (pixels * (1.0 if row.pixel_mm2 is None else row.pixel_mm2)).tolist()
        known += [row.pixel_mm2 is not None] * len(pixels)
        found += row.lesions.found[own].tolist()
        made_up.append(int(row.lesions.false_parts[column.index]))
    return _Flat(
        rows=rows,
        slice_of=np.array(slices, dtype=np.int64),
        diameter=diameters(np.array(areas, dtype=np.float64)),
        in_mm=np.array(known, dtype=np.bool_),
        found=np.array(found, dtype=np.bool_),
        false_parts=np.array(made_up, dtype=np.float64),
        all_looked_at=len(rows) == len(column.rows),
    )
