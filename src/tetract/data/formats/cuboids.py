"""Boxes drawn in a volume, in millimetres, as boxes on its slices."""

from __future__ import annotations

import math
from collections.abc import Sequence
from enum import StrEnum

import numpy as np
from jaxtyping import Float64

from tetract.data.cells import BoxEntry, check_box
from tetract.errors import LabelError
from tetract.types import Geometry

# cos of 0.1 deg: beyond it a cuboid along the patient's axes is none along the voxels'.
_PARALLEL = 0.9999985


class BoxMode(StrEnum):
    """How the numbers of a box are meant.

    ``xyxy``: corners of a picture in pixels, half-open. ``xyzxyz`` and ``cccwhd``: two corners, or
    centre and sizes, of a cuboid in mm in the patient (LPS, as DICOM and LUNA16 count).
    """

    XYXY = "xyxy"
    XYZXYZ = "xyzxyz"
    CCCWHD = "cccwhd"


def corners_lps(
    numbers: Sequence[float], mode: BoxMode, where: str
) -> tuple[Float64[np.ndarray, " 3"], Float64[np.ndarray, " 3"]]:
    """Lower and upper corner of a cuboid in LPS mm.

    Raises:
        LabelError: ``E_BAD_BOX`` unless there are six finite numbers that enclose a volume.
    """
    first = np.asarray(numbers[:3], dtype=np.float64)
    second = np.asarray(numbers[3:], dtype=np.float64)
    low, high = (first, second)
    if mode == BoxMode.CCCWHD and len(numbers) == 6:
        low, high = first - second / 2, first + second / 2
    if len(numbers) != 6 or not np.isfinite(numbers).all() or not (low < high).all():
        raise LabelError(
            "E_BAD_BOX",
            "not a box in a volume",
            where=where,
            expected=f"six finite numbers in mm that enclose a volume, read as {mode}",
            found=", ".join(f"{number:g}" for number in numbers),
        )
    return low, high


def boxes_on_slices(
    label: str,
    low: Float64[np.ndarray, " 3"],
    high: Float64[np.ndarray, " 3"],
    geometry: Geometry,
    where: str,
) -> dict[int, BoxEntry]:
    """The cross-section of a cuboid on each slice whose plane it meets.

    A voxel reaches half its size beyond its centre, so a cuboid edge at a voxel's centre lies at
    ``index + 0.5`` in half-open pixels. A cuboid between two planes is given to the nearer one.

    Args:
        label: Name of the lesion.
        low: Lower corner in LPS mm.
        high: Upper corner in LPS mm.
        geometry: Grid of the volume; its axes must be the patient's within 0.1 deg.
        where: Base name for errors.

    Returns:
        Slice to its box in pixels.

    Raises:
        LabelError: ``E_BAD_BOX`` on an oblique grid; ``E_BOX_OUTSIDE`` beyond the volume.
    """
    _check_upright(geometry, where)
    inverse = np.linalg.inv(geometry.affine)
    ends = np.stack([low, high]) @ inverse[:3, :3].T + inverse[:3, 3]
    lower, upper = ends.min(axis=0), ends.max(axis=0)  # slice, row, column
    depth, height, width = geometry.shape
    middle = round(float(lower[0] + upper[0]) / 2)
    first, last = math.ceil(lower[0] - 1e-6), math.floor(upper[0] + 1e-6)
    planes = range(first, last + 1) if first <= last else range(middle, middle + 1)
    x0, y0 = float(lower[2]) + 0.5, float(lower[1]) + 0.5
    x1, y1 = float(upper[2]) + 0.5, float(upper[1]) + 0.5
    if planes[0] < 0 or planes[-1] >= depth or min(x0, y0) < 0 or x1 > width or y1 > height:
        raise LabelError(
            "E_BOX_OUTSIDE",
            "a box leaves its volume",
            where=where,
            expected=f"slices 0 to {depth - 1}, x up to {width} px, y up to {height} px",
            found=f"slices {planes[0]} to {planes[-1]}, x {x0:g} to {x1:g}, y {y0:g} to {y1:g}",
            fix="Check --box-mode, and that the boxes are in LPS millimetres",
        )
    corners = tuple(round(number, 3) for number in (x0, y0, x1, y1))
    xyxy = (corners[0], corners[1], corners[2], corners[3])
    check_box(xyxy)
    return {index: BoxEntry(label=label, xyxy=xyxy) for index in planes}


def _check_upright(geometry: Geometry, where: str) -> None:
    steps = geometry.affine[:3, :3] / np.asarray(geometry.spacing_mm)
    if float(np.abs(steps).max(axis=0).min()) < _PARALLEL:
        raise LabelError(
            "E_BAD_BOX",
            "the volume's axes are turned against the patient's, so boxes in mm have no upright"
            " cross-section",
            where=where,
            expected="axes parallel within 0.1 deg",
            fix="Give boxes per slice, for instance with import csv",
        )
