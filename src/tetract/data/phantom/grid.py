"""The grid a phantom is drawn on, and the two brushes everything is drawn with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float, Int
from scipy import ndimage

from tetract.types import Geometry


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """A slab of axial slices, foot to head, centred on the field of view.

    Attributes:
        shape: ``(D, H, W)``.
        pixel_mm: Side of a pixel.
        slice_mm: Distance between slices, which is also their thickness.
        bottom_mm: Height of slice 0 above the tracheal bifurcation; negative below it.
    """

    shape: tuple[int, int, int]
    pixel_mm: float
    slice_mm: float
    bottom_mm: float

    @property
    def z(self) -> Float[np.ndarray, "D 1 1"]:
        """Height of each slice in mm above the tracheal bifurcation."""
        return (self.bottom_mm + self.slice_mm * np.arange(self.shape[0]))[:, None, None]

    @property
    def y(self) -> Float[np.ndarray, "1 H 1"]:
        """Row centres in mm, towards the back."""
        height = self.shape[1]
        return (self.pixel_mm * (np.arange(height) - (height - 1) / 2))[None, :, None]

    @property
    def x(self) -> Float[np.ndarray, "1 1 W"]:
        """Column centres in mm, towards the patient's left."""
        width = self.shape[2]
        return (self.pixel_mm * (np.arange(width) - (width - 1) / 2))[None, None, :]

    @property
    def voxel_mm(self) -> tuple[float, float, float]:
        """Spacing along ``(slice, row, column)`` in mm."""
        return self.slice_mm, self.pixel_mm, self.pixel_mm

    @property
    def geometry(self) -> Geometry:
        """The same grid in LPS mm."""
        affine = np.zeros((4, 4))
        affine[2, 0], affine[1, 1], affine[0, 2] = self.voxel_mm
        # Ten decimals hide float noise, so that DICOM's decimal strings keep the numbers exactly.
        origin = (self.x.flat[0], self.y.flat[0], self.z.flat[0])
        affine[:3, 3] = np.round(np.asarray(origin, dtype=np.float64), 10)
        affine[3, 3] = 1
        return Geometry(affine=affine, shape=self.shape)


def cover(depth_mm: np.ndarray, edge_mm: float) -> Float[np.ndarray, "..."]:
    """How much of each voxel a shape fills, 0 to 1.

    Args:
        depth_mm: Depth of the voxel's centre below the shape's surface in mm, negative outside.
        edge_mm: Width of the linear ramp across the surface in mm: a pixel for a sharp shape
            seen with partial volume, more for one that fades out.
    """
    return np.clip(0.5 + depth_mm / edge_mm, 0.0, 1.0)


def paint(hu: np.ndarray, amount: np.ndarray, value_hu: np.ndarray | float) -> np.ndarray:
    """``hu`` with ``amount`` (0 to 1) of each voxel replaced by ``value_hu``."""
    return hu + amount * (value_hu - hu)


def ellipse_depth(
    dx: np.ndarray, dy: np.ndarray, rx: np.ndarray | float, ry: np.ndarray | float
) -> np.ndarray:
    """Approximate depth in mm below an ellipse with half-axes ``rx`` and ``ry`` in mm."""
    # Clamped so that a half-axis may shrink to nothing over z: the shape then just vanishes.
    rx, ry = np.maximum(rx, 1e-3), np.maximum(ry, 1e-3)
    return (1 - np.sqrt((dx / rx) ** 2 + (dy / ry) ** 2)) * np.minimum(rx, ry)


def smooth_field(
    rng: np.random.Generator, grid: Grid, length_mm: float
) -> Float[np.ndarray, "D H W"]:
    """Gaussian random field with mean 0, variance 1 and correlation length ``length_mm``."""
    sigma = [length_mm / step for step in grid.voxel_mm]
    field = ndimage.gaussian_filter(rng.standard_normal(grid.shape), sigma, mode="wrap")
    return (field - field.mean()) / field.std()


def regions(
    plane: np.ndarray,
) -> tuple[Int[np.ndarray, "H W"], Int[np.ndarray, " N"]]:
    """Connected regions of a slice: their numbers, 0 outside, and the pixels of each number.

    The outside counts as no region, so its pixels are given as 0.
    """
    found: Any = ndimage.label(plane)
    numbers: np.ndarray = found[0]
    sizes = np.bincount(numbers.ravel())
    sizes[0] = 0
    return numbers, sizes
