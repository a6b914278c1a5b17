"""Where the slices of a series lie: from position and orientation only.

Neither Slice Thickness, Spacing Between Slices nor the gantry tilt attribute is used: vendors
fill them differently, and only Image Position (Patient) can be relied on (PS3.3 C.7.6.2.1.1).
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float64

from tetract.errors import GeometryError
from tetract.io.dicom.slice import CtSlice
from tetract.types import Geometry

TILT_DEGREES = 0.1
SAME_POSITION_MM = 0.01
# Beyond these, what was asked for would invent anatomy: no gantry tilts further, and a nodule
# fits between slices that lie further apart.
MOST_TILT_DEGREES = 45.0
WIDEST_GAP_MM = 10.0
# Drift that no single gap shows, as a share of a voxel.
_DRIFT = 0.1
_UNKNOWN_STEP_MM = 1.0


def along_normal_mm(slices: list[CtSlice]) -> Float64[np.ndarray, " N"]:
    """(N,) Position of each slice along the first one's normal, in mm."""
    return np.stack([s.position for s in slices]) @ slices[0].normal


def usual_gap_mm(ordered: list[CtSlice]) -> float:
    """The gap between sorted slices that half of them do not exceed: one that occurs."""
    return float(np.quantile(np.diff(along_normal_mm(ordered)), 0.5, method="lower"))


def check_uniform(slices: list[CtSlice], where: str) -> None:
    """Refuse slices that do not share one grid.

    Raises:
        GeometryError: ``E_MIXED_MATRIX``, ``E_MIXED_SPACING``, ``E_MIXED_ORIENTATION`` or
            ``E_MIXED_FRAME`` naming the first slice that differs.
    """
    first = slices[0]
    for image in slices[1:]:
        size = (first.pixels.rows, first.pixels.columns), (image.pixels.rows, image.pixels.columns)
        if size[0] != size[1]:
            told = [f"{rows} x {columns}" for rows, columns in size]
            raise _mixed("E_MIXED_MATRIX", "matrix size", (told[0], told[1]), image, where)
        if not np.allclose(first.spacing_mm, image.spacing_mm, rtol=1e-4, atol=0):
            told = [f"{s.spacing_mm[0]:g} x {s.spacing_mm[1]:g} mm" for s in (first, image)]
            raise _mixed("E_MIXED_SPACING", "pixel spacing", (told[0], told[1]), image, where)
        apart = max(
            float(np.abs(first.along_row - image.along_row).max()),
            float(np.abs(first.along_column - image.along_column).max()),
        )
        if apart > 1e-4:
            told = ("one direction", f"cosines off by {apart:.4f}")
            raise _mixed("E_MIXED_ORIENTATION", "orientation", told, image, where)
        if first.frame_of_reference != image.frame_of_reference:
            told = ("one frame", "a second one")
            raise _mixed("E_MIXED_FRAME", "frame of reference", told, image, where)


def check_stack(
    ordered: list[CtSlice], where: str, *, gaps_allowed: bool = False, tilt_allowed: bool = False
) -> None:
    """Refuse sorted slices that are not evenly stacked at right angles.

    Tolerances: max(0.01 mm, 1 % of the spacing) per gap, a tenth of a voxel for drift, 0.1 deg
    for tilt. What is allowed has an end too: 10 mm between slices, 45 deg.

    Raises:
        GeometryError: ``E_GANTRY_TILT``, ``E_NONUNIFORM_SPACING`` or ``E_SHIFTED_SLICE``. A
            tilted series whose spacing varies too is told in one message.
    """
    uneven = None if gaps_allowed else _uneven(ordered)
    angle = tilt_degrees(ordered)
    allowed = MOST_TILT_DEGREES if tilt_allowed else TILT_DEGREES
    if angle > allowed:
        also = f"; moreover the slice spacing is not constant: {uneven[1]}" if uneven else ""
        raise GeometryError(
            "E_GANTRY_TILT",
            f"slices are not stacked at right angles (tilted gantry){also}",
            where=where,
            expected=f"0 deg within {allowed:g} deg",
            found=f"{angle:.2f} deg",
            fix="Have the series reconstructed without tilt, or shift it back with --deskew",
        )
    if uneven:
        raise GeometryError(
            "E_NONUNIFORM_SPACING",
            "slice spacing is not constant; a slice is probably missing",
            where=where,
            expected=uneven[0],
            found=uneven[1],
            fix="Export the whole series again, or interpolate with --gaps=resample",
        )
    if gaps_allowed:
        _check_widest(ordered, where)
    _check_drift(ordered, where, gaps_allowed=gaps_allowed)


def is_even(ordered: list[CtSlice]) -> bool:
    """Whether sorted slices are evenly spaced, jitter and drift within tolerance."""
    along = _drift_mm(ordered)[0]
    step = stack_geometry(ordered)[0].spacing_mm[0]
    return _uneven(ordered) is None and float(along.max()) <= max(SAME_POSITION_MM, _DRIFT * step)


def tilt_degrees(ordered: list[CtSlice]) -> float:
    """Angle in degrees between the stacking direction and the slices' normal."""
    across = ordered[-1].position - ordered[0].position
    along = float(across @ ordered[0].normal)
    aside = float(np.linalg.norm(across - along * ordered[0].normal))
    return float(np.degrees(np.arctan2(aside, abs(along))))


def stack_geometry(ordered: list[CtSlice]) -> tuple[Geometry, tuple[str, ...]]:
    """The grid of sorted, checked slices, and warnings.

    The slice step is the mean one, so that the outermost slices lie exactly where their headers
    say. A single slice gets its nominal thickness as step, or 1 mm with a warning: its through-
    plane spacing is unknown.
    """
    first, count = ordered[0], len(ordered)
    notes: tuple[str, ...] = ()
    if count > 1:
        step = (ordered[-1].position - first.position) / (count - 1)
    else:
        if first.thickness_mm is None:
            notes = (
                f"W_UNKNOWN_SLICE_STEP {first.name}: one slice without thickness; its"
                f" through-plane spacing is unknown and set to {_UNKNOWN_STEP_MM:g} mm",
            )
        step = first.normal * (first.thickness_mm or _UNKNOWN_STEP_MM)
    affine = np.eye(4)
    affine[:3, 0] = step
    affine[:3, 1] = first.along_column * first.spacing_mm[0]
    affine[:3, 2] = first.along_row * first.spacing_mm[1]
    affine[:3, 3] = first.position
    return Geometry(affine=affine, shape=(count, first.pixels.rows, first.pixels.columns)), notes


def _uneven(ordered: list[CtSlice]) -> tuple[str, str] | None:
    """What was expected and found where a gap is off, or None."""
    gaps = np.diff(along_normal_mm(ordered))
    expected = usual_gap_mm(ordered)
    off = np.abs(gaps - expected)
    if float(off.max()) <= max(0.01, 0.01 * expected):
        return None
    worst = int(off.argmax())
    before, after = ordered[worst], ordered[worst + 1]
    found = (
        f"{gaps[worst]:.3f} mm between {before.name} (z={before.position[2]:.3f})"
        f" and {after.name} (z={after.position[2]:.3f})"
    )
    return f"{expected:.3f} mm", found


def _check_widest(ordered: list[CtSlice], where: str) -> None:
    gaps = np.diff(along_normal_mm(ordered))
    worst = int(gaps.argmax())
    if gaps[worst] > WIDEST_GAP_MM:
        raise GeometryError(
            "E_NONUNIFORM_SPACING",
            "the gap between two slices is too wide to be interpolated",
            where=where,
            expected=f"at most {WIDEST_GAP_MM:g} mm",
            found=f"{gaps[worst]:.3f} mm between {ordered[worst].name} and"
            f" {ordered[worst + 1].name}",
            fix="Export the whole series again",
        )


def _drift_mm(
    ordered: list[CtSlice],
) -> tuple[Float64[np.ndarray, " N"], Float64[np.ndarray, " N"]]:
    """How far each slice lies off its place along the normal, and off the line in its plane."""
    normal = ordered[0].normal
    positions = np.stack([s.position for s in ordered])
    run = positions - positions[0]
    along = run @ normal
    share = along / along[-1]
    even = np.linspace(0.0, along[-1], len(ordered))
    aside = run - np.outer(along, normal)
    return np.abs(along - even), np.linalg.norm(aside - np.outer(share, aside[-1]), axis=1)


def _check_drift(ordered: list[CtSlice], where: str, *, gaps_allowed: bool) -> None:
    along, aside = _drift_mm(ordered)
    spacing = stack_geometry(ordered)[0].spacing_mm
    checks = [("E_SHIFTED_SLICE", "a slice is shifted in its plane", aside, min(spacing[1:]))]
    if not gaps_allowed:
        checks.insert(0, ("E_NONUNIFORM_SPACING", "slice spacing drifts", along, spacing[0]))
    for code, what, off, voxel in checks:
        allowed = max(SAME_POSITION_MM, _DRIFT * voxel)
        if float(off.max()) > allowed:
            raise GeometryError(
                code,
                what,
                where=where,
                expected=f"positions on one line within {allowed:.3f} mm",
                found=f"{float(off.max()):.3f} mm off at {ordered[int(off.argmax())].name}",
                fix="Export the series again, one reconstruction at a time",
            )


def _mixed(
    code: str, what: str, told: tuple[str, str], image: CtSlice, where: str
) -> GeometryError:
    return GeometryError(
        code,
        f"slices differ in {what}",
        where=where,
        expected=f"{told[0]} throughout",
        found=f"{told[1]} in {image.name}",
        fix="Give one reconstruction per folder",
    )
