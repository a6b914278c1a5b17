"""Slices onto a regular grid at right angles, where that was asked for."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, Int16

from tetract.io.dicom.geometry import (
    TILT_DEGREES,
    along_normal_mm,
    check_stack,
    is_even,
    stack_geometry,
    tilt_degrees,
)
from tetract.io.dicom.slice import CtSlice
from tetract.io.hu_checks import AIR_HU
from tetract.io.options import ReadOptions
from tetract.types import Geometry

# Positions in a header have about six decimals; what is nearer than this to a voxel is on it.
_ON_VOXEL = 1e-6
# Two slices that almost touch are no reason to make hundreds between all the others.
_FINEST_MM = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class StackPlan:
    """The grid that a stack will have, and how its slices get there.

    Attributes:
        geometry: The grid of the result.
        names: One per slice of the result; an interpolated one is named for its neighbours.
        warnings: What was done on request.
        at: (D2,) Which slice, and which share of the next one, gives each slice of the result;
            None where slices are taken as they are.
        shift_px: (D, 2) How far each slice lies down the rows and along the columns; None where
            the stack is not tilted.
        corner_px: Row and column of the result's first voxel, as the first slice counts them.
    """

    geometry: Geometry
    names: tuple[str, ...]
    warnings: tuple[str, ...] = ()
    at: Float64[np.ndarray, " D2"] | None = None
    shift_px: Float64[np.ndarray, "D 2"] | None = None
    corner_px: tuple[int, int] = (0, 0)

    @property
    def derived(self) -> bool:
        """Whether a voxel will be interpolated or padded."""
        return self.at is not None or self.shift_px is not None


def plan_stack(ordered: list[CtSlice], options: ReadOptions, where: str) -> StackPlan:
    """Check sorted slices and lay out their grid, from headers alone.

    Raises:
        GeometryError: See ``check_stack``.
    """
    geometry, notes = stack_geometry(ordered)
    names = tuple(image.name for image in ordered)
    if len(ordered) == 1:
        return StackPlan(geometry=geometry, names=names, warnings=notes)
    check_stack(ordered, where, gaps_allowed=options.resample_gaps, tilt_allowed=options.deskew)
    at = None if is_even(ordered) else _evenly(ordered)
    angle = tilt_degrees(ordered)
    shift = _shifts(ordered) if angle > TILT_DEGREES else None
    if at is None and shift is None:
        return StackPlan(geometry=geometry, names=names, warnings=notes)
    grid, corner = _grid(ordered, len(ordered) if at is None else len(at), shift)
    if at is not None:
        names = tuple(_named(ordered, place) for place in at)
        notes += (_gap_note(ordered, at, grid, where),)
    if shift is not None:
        notes += (
            f"W_DESKEWED {where}: slices were shifted back by a tilt of {angle:.2f} deg on"
            f" request; what lies outside a slice is {AIR_HU} HU",
        )
    return StackPlan(
        geometry=grid, names=names, warnings=notes, at=at, shift_px=shift, corner_px=corner
    )


def regrid(values: Int16[np.ndarray, "D H W"], plan: StackPlan) -> Int16[np.ndarray, "D2 H2 W2"]:
    """The slices on the plan's grid: linear between voxels, -1024 HU outside a slice.

    A voxel of the result that falls on a voxel of the slices keeps its value.
    """
    if not plan.derived:
        return values
    at = np.arange(len(values), dtype=np.float64) if plan.at is None else plan.at
    made = np.empty(plan.geometry.shape, dtype=np.int16)
    for index, place in enumerate(at):
        low = int(place)
        share = float(place - low)
        plane = _upright(values, low, plan)
        if share:
            plane = (1 - share) * plane + share * _upright(values, low + 1, plan)
        made[index] = np.rint(np.where(np.isnan(plane), AIR_HU, plane))
    return made


def _evenly(ordered: list[CtSlice]) -> Float64[np.ndarray, " D2"]:
    """Places of evenly spaced slices between the first and the last, which both stay.

    They lie about as close as the two closest slices, so that no slice of the series is lost.
    """
    run = along_normal_mm(ordered)
    run = run - run[0]
    step = max(_FINEST_MM, float(np.diff(run).min()))
    steps = max(1, round(float(run[-1]) / step))
    at = np.interp(np.linspace(0.0, run[-1], steps + 1), run, np.arange(len(run)))
    near = np.rint(at)
    return np.where(np.abs(at - near) < _ON_VOXEL, near, at)


def _shifts(ordered: list[CtSlice]) -> Float64[np.ndarray, "D 2"]:
    first = ordered[0]
    run = np.stack([image.position for image in ordered]) - first.position
    down = run @ first.along_column / first.spacing_mm[0]
    across = run @ first.along_row / first.spacing_mm[1]
    shift = np.stack([down, across], axis=1)
    near = np.rint(shift)
    return np.where(np.abs(shift - near) < _ON_VOXEL, near, shift)


def _grid(
    ordered: list[CtSlice], depth: int, shift: Float64[np.ndarray, "D 2"] | None
) -> tuple[Geometry, tuple[int, int]]:
    """The grid at right angles that holds every voxel of every slice."""
    first = ordered[0]
    along = along_normal_mm(ordered)
    low, high = np.zeros(2, dtype=int), np.zeros(2, dtype=int)
    if shift is not None:
        low, high = np.floor(shift.min(axis=0)), np.ceil(shift.max(axis=0))
    corner = (int(low[0]), int(low[1]))
    across = first.normal
    if shift is None:  # keeps a tilt that is too small to be one
        run = ordered[-1].position - first.position
        across = run / float(along[-1] - along[0])
    affine = np.eye(4)
    affine[:3, 0] = across * float(along[-1] - along[0]) / (depth - 1)
    affine[:3, 1] = first.along_column * first.spacing_mm[0]
    affine[:3, 2] = first.along_row * first.spacing_mm[1]
    affine[:3, 3] = first.position + affine[:3, 1:3] @ np.asarray(corner)
    height = first.pixels.rows + int(high[0]) - corner[0]
    width = first.pixels.columns + int(high[1]) - corner[1]
    return Geometry(affine=affine, shape=(depth, height, width)), corner


def _upright(
    values: Int16[np.ndarray, "D H W"], index: int, plan: StackPlan
) -> Float64[np.ndarray, "H2 W2"]:
    """One slice on the plan's rows and columns; NaN outside it."""
    plane = values[index].astype(np.float64)
    if plan.shift_px is None:
        return plane
    for axis in (0, 1):
        start = plan.corner_px[axis] - float(plan.shift_px[index, axis])
        plane = _sampled(plane, start, plan.geometry.shape[axis + 1], axis)
    return plane


def _sampled(
    plane: Float64[np.ndarray, "H W"], start: float, count: int, axis: int
) -> Float64[np.ndarray, "H2 W2"]:
    """``count`` samples from ``start`` on, one voxel apart, along one axis."""
    last = plane.shape[axis] - 1
    at = start + np.arange(count)
    low = np.clip(np.floor(at).astype(int), 0, last)
    share = np.expand_dims(np.clip(at - low, 0.0, 1.0), 1 - axis)
    high = np.minimum(low + 1, last)
    made = (1 - share) * plane.take(low, axis=axis) + share * plane.take(high, axis=axis)
    outside = np.expand_dims((at < 0) | (at > last), 1 - axis)
    return np.where(outside, np.nan, made)


def _named(ordered: list[CtSlice], place: float) -> str:
    low = int(place)
    return ordered[low].name if place == low else f"{ordered[low].name}~{ordered[low + 1].name}"


def _gap_note(
    ordered: list[CtSlice], at: Float64[np.ndarray, " D2"], grid: Geometry, where: str
) -> str:
    made = int((at != np.rint(at)).sum())
    widest = float(np.diff(along_normal_mm(ordered)).max())
    return (
        f"W_GAPS_RESAMPLED {where}: {made} of {len(at)} slices were interpolated onto"
        f" {grid.spacing_mm[0]:.3f} mm on request; the widest gap was {widest:.3f} mm"
    )
