"""Between storage orders and the patient, without changing a voxel."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float64, Shaped

from tetract.types import Geometry

# RAS, as NIfTI has it, to LPS, as DICOM has it; and (i, j, k) to (slice, row, column).
_FLIP_XY = np.diag([-1.0, -1.0, 1.0, 1.0])
_REVERSE_AXES = [2, 1, 0, 3]


def lps_from_ras(ras: Float64[np.ndarray, "4 4"]) -> Float64[np.ndarray, "4 4"]:
    """An ``(i, j, k)`` to RAS mm affine as a ``(k, j, i)`` to LPS mm one, and back again."""
    return (_FLIP_XY @ ras)[:, _REVERSE_AXES]


def canonical(
    values: Shaped[np.ndarray, "D H W"], geometry: Geometry
) -> tuple[Shaped[np.ndarray, "D2 H2 W2"], Geometry]:
    """Permute and flip to axial order, as a scanner stores a supine axial series.

    Slices run from the feet to the head, rows from front to back, columns from right to left.
    Every voxel keeps its value and its place in the patient; the result is a view.
    """
    axes, signs = _axial_order(geometry.affine)
    turned = values.transpose(axes)
    turned = turned[tuple(slice(None, None, sign) for sign in signs)]
    affine = geometry.affine.copy()
    affine[:, :3] = geometry.affine[:, list(axes)]
    for axis, sign in enumerate(signs):
        if sign < 0:
            affine[:, 3] += affine[:, axis] * (turned.shape[axis] - 1)
            affine[:, axis] *= -1
    depth, height, width = turned.shape
    return turned, Geometry(affine=affine, shape=(depth, height, width))


def _axial_order(
    affine: Float64[np.ndarray, "4 4"],
) -> tuple[tuple[int, int, int], tuple[int, int, int]]:
    """Which stored axis becomes slice, row and column, and the sign of each.

    Axes are dealt out greedily, the one that lies closest to a patient axis first.
    """
    cosines = affine[:3, :3] / np.linalg.norm(affine[:3, :3], axis=0)  # (xyz, axis)
    left = np.abs(cosines)
    found: dict[int, int] = {}
    for _ in range(3):
        patient, axis = np.unravel_index(int(np.argmax(left)), left.shape)
        found[int(patient)] = int(axis)
        left[patient, :] = -1.0
        left[:, axis] = -1.0
    # slice = z, row = y, column = x, all increasing in LPS
    axes = (found[2], found[1], found[0])
    signs = tuple(1 if cosines[p, a] >= 0 else -1 for p, a in zip((2, 1, 0), axes, strict=True))
    return axes, (signs[0], signs[1], signs[2])
