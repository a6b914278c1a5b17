"""A lesion known by its centre and diameter, as boxes on the slices it reaches."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from tetract.errors import LabelError
from tetract.types import Geometry

_DECIMALS = 3  # of a pixel; coordinates are no better
Corners = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sphere:
    """A ball in the patient.

    Attributes:
        centre_mm: (3,) in LPS.
        diameter_mm: Its diameter.
    """

    centre_mm: Float64[np.ndarray, " 3"]
    diameter_mm: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SphereCuts:
    """What slices show of a ball.

    Attributes:
        boxes: Slice to the box ``x0 y0 x1 y1`` in px, half-open, around its disc there.
        slivers: Slices that cut off less than a pixel: too little to be boxed, no negative either.
    """

    boxes: Mapping[int, Corners]
    slivers: frozenset[int]


def voxel_of(
    point_mm: Float64[np.ndarray, " 3"], geometry: Geometry, where: str
) -> Float64[np.ndarray, " 3"]:
    """The ``(slice, row, column)`` of a point, fractions kept.

    Raises:
        LabelError: ``E_POINT_OUTSIDE`` when it lies outside the volume's voxels.
    """
    into_grid = np.linalg.inv(geometry.affine)
    voxel = into_grid[:3, :3] @ point_mm + into_grid[:3, 3]
    if (voxel < -0.5).any() or (voxel > np.array(geometry.shape) - 0.5).any():
        raise LabelError(
            "E_POINT_OUTSIDE",
            "a finding lies outside its volume",
            where=where,
            expected="slice, row and column within " + " x ".join(map(str, geometry.shape)),
            found=", ".join(f"{n:.1f}" for n in voxel),
            fix="Check that coordinates are world LPS mm, and that this is the volume they are of",
        )
    return voxel


def cut_sphere(sphere: Sphere, geometry: Geometry, where: str) -> SphereCuts:
    """Boxes of a ball on the slices that it reaches, smaller away from its centre.

    A slice ``h`` mm off the centre shows a disc of radius ``sqrt(R^2 - h^2)``. Boxes end at the
    edge of the image. Pixel ``i`` spans ``[i, i + 1)``, so its centre is at ``i + 0.5``.

    Raises:
        LabelError: ``E_POINT_OUTSIDE`` when the centre lies outside the volume.
    """
    at = voxel_of(sphere.centre_mm, geometry, where)
    _, height, width = geometry.shape
    step, rows_mm, columns_mm = geometry.spacing_mm
    radius = sphere.diameter_mm / 2
    boxes: dict[int, Corners] = {}
    slivers: set[int] = set()
    for k in reached(float(at[0]), radius, geometry):
        off = abs(k - float(at[0])) * step
        disc = math.sqrt(max(0.0, radius**2 - off**2))
        if 2 * disc < min(rows_mm, columns_mm):
            slivers.add(k)
            continue
        half = disc / columns_mm, disc / rows_mm
        x, y = float(at[2]) + 0.5, float(at[1]) + 0.5
        boxes[k] = (
            round(max(0.0, x - half[0]), _DECIMALS),
            round(max(0.0, y - half[1]), _DECIMALS),
            round(min(float(width), x + half[0]), _DECIMALS),
            round(min(float(height), y + half[1]), _DECIMALS),
        )
    return SphereCuts(boxes=boxes, slivers=frozenset(slivers))


def reached(slice_index: float, radius_mm: float, geometry: Geometry) -> range:
    """The slices within a distance of a point; at least the one that the point is nearest to."""
    depth, step = geometry.shape[0], geometry.spacing_mm[0]
    nearest = min(max(round(slice_index), 0), depth - 1)
    low = min(nearest, math.ceil(slice_index - radius_mm / step))
    high = max(nearest, math.floor(slice_index + radius_mm / step))
    return range(max(0, low), min(depth - 1, high) + 1)
