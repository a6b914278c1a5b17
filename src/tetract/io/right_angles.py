"""Grids whose axes are a rounding error off right angles."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float64

# Cosines of this size are the rounding of 32-bit headers and of printed numbers.
ROUNDING = 1e-4
# The same angle as a gantry tilt. Setting such axes right moves no direction cosine by 1e-3.
MAX_SHEAR = float(np.sin(np.deg2rad(0.1)))


def shear_of(affine: Float64[np.ndarray, "4 4"]) -> float:
    """The largest cosine between two axes (columns 0 to 2): 0 at right angles."""
    cosines = _unit(affine)
    return float(np.abs(cosines.T @ cosines - np.eye(3)).max())


def is_slightly_sheared(affine: Float64[np.ndarray, "4 4"]) -> bool:
    """Whether the axes are off right angles by more than rounding, and not by more than 0.1 deg."""
    return ROUNDING < shear_of(affine) <= MAX_SHEAR


def at_right_angles(affine: Float64[np.ndarray, "4 4"]) -> Float64[np.ndarray, "4 4"]:
    """The nearest grid at right angles with the same spacing and the same first voxel.

    The axes become the orthogonal factor of their polar decomposition: no other rotation or
    reflection lies nearer (Higham, SIAM J. Sci. Stat. Comput. 7:1160, 1986). NIfTI's own way of
    turning an sform into a qform gives the same.
    """
    left, _, right = np.linalg.svd(_unit(affine))
    mended = affine.copy()
    mended[:3, :3] = (left @ right) * np.linalg.norm(affine[:3, :3], axis=0)
    return mended


def _unit(affine: Float64[np.ndarray, "4 4"]) -> Float64[np.ndarray, "3 3"]:
    return affine[:3, :3] / np.linalg.norm(affine[:3, :3], axis=0)
