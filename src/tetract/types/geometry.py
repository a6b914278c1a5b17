"""Where voxels lie in the patient."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64


@dataclass(frozen=True, slots=True, kw_only=True)
class Geometry:
    """A voxel grid in the patient's coordinates (DICOM PS3.3 C.7.6.2.1.1).

    Attributes:
        affine: (4, 4) float64. Maps the array index ``(slice, row, column, 1)`` of a voxel's
            centre to millimetres in LPS: x towards the patient's left, y towards the back, z
            towards the head. Column ``j`` is the step along array axis ``j``.
        shape: ``(D, H, W)``: slices, rows, columns.
    """

    affine: Float64[np.ndarray, "4 4"]
    shape: tuple[int, int, int]

    @property
    def spacing_mm(self) -> tuple[float, float, float]:
        """Distance in mm between neighbouring voxel centres along ``(slice, row, column)``."""
        depth, height, width = np.linalg.norm(self.affine[:3, :3], axis=0)
        return float(depth), float(height), float(width)

    @property
    def corners_mm(self) -> Float64[np.ndarray, "8 3"]:
        """Centres of the eight corner voxels in LPS mm."""
        last = np.asarray(self.shape) - 1
        picks = np.indices((2, 2, 2)).reshape(3, -1).T  # (8, 3) of 0 and 1
        return self.to_lps(picks * last)

    def to_lps(self, index: Float64[np.ndarray, "N 3"] | np.ndarray) -> Float64[np.ndarray, "N 3"]:
        """Millimetre positions in LPS of ``(slice, row, column)`` indices, (N, 3)."""
        points = np.asarray(index, dtype=np.float64)
        return points @ self.affine[:3, :3].T + self.affine[:3, 3]
