"""Whether a mask lies on its volume's voxels."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from tetract.errors import LabelError
from tetract.io.labels.label_map import LabelMap
from tetract.io.orientation import canonical
from tetract.io.right_angles import at_right_angles, is_slightly_sheared
from tetract.types import Geometry, Volume

CORNER_TOLERANCE_MM = 1e-3


def check_same_grid(volume: Volume, labels: LabelMap) -> None:
    """Refuse a mask whose voxels are not those of ``volume``, one by one.

    Shapes must be equal; where both have a geometry, so must the eight corners, within 1e-3 mm. A
    shear of at most 0.1 deg, which readers of volume files set right and DICOM keeps, does not
    count.

    Raises:
        LabelError: ``E_SHAPE_MISMATCH``, or ``E_AFFINE_MISMATCH`` with the distance in mm.
    """
    if volume.values.shape != labels.values.shape:
        raise LabelError(
            "E_SHAPE_MISMATCH",
            "the mask has another size than its image",
            where=labels.name,
            expected=_times(volume.values.shape),
            found=_times(labels.values.shape),
            fix="Give the mask that was drawn on this image",
        )
    if volume.geometry is None or labels.geometry is None:
        return
    apart = min(
        corners_apart_mm(volume.geometry, labels.geometry),
        _apart_without_shear_mm(volume.geometry, labels.geometry),
    )
    if apart > CORNER_TOLERANCE_MM:
        raise LabelError(
            "E_AFFINE_MISMATCH",
            "the mask lies elsewhere in the patient than its image",
            where=labels.name,
            expected=f"corners within {CORNER_TOLERANCE_MM:g} mm",
            found=f"{apart:.3f} mm apart",
            fix="Resample the mask to the image's grid with nearest neighbour",
        )


def labels_on_grid(volume: Volume, labels: LabelMap) -> LabelMap:
    """The mask in the volume's own storage order: flipped and permuted, never resampled.

    Needed for DICOM series that are not stored in axial order (feet first, sagittal): their
    volumes keep the file's order, whereas a mask read from NIfTI is in axial order.

    Raises:
        LabelError: As ``check_same_grid``, when no flip or permutation makes the grids equal.
    """
    if volume.geometry is None or labels.geometry is None:
        check_same_grid(volume, labels)
        return labels
    index = np.arange(volume.values.size, dtype=np.int64).reshape(volume.values.shape)
    turned, grid = canonical(index, volume.geometry)
    axial, axial_grid = canonical(labels.values, labels.geometry)
    as_axial = replace(volume, values=turned, geometry=grid)
    check_same_grid(as_axial, replace(labels, values=axial, geometry=axial_grid))
    values = np.empty_like(axial, shape=volume.values.size)
    values[turned.ravel()] = axial.ravel()
    return replace(labels, values=values.reshape(volume.values.shape), geometry=volume.geometry)


def corners_apart_mm(one: Geometry, other: Geometry) -> float:
    """Largest distance in mm between the corners of two grids of equal shape."""
    return float(np.linalg.norm(one.corners_mm - other.corners_mm, axis=1).max())


def _apart_without_shear_mm(one: Geometry, other: Geometry) -> float:
    """As ``corners_apart_mm`` after both were set right about the corner that they share.

    A reader that sets a shear right keeps the file's first voxel, which is any corner here.
    """
    ends = one.corners_mm, other.corners_mm
    shared = int(np.linalg.norm(ends[0] - ends[1], axis=1).argmin())
    runs = [_square(grid).corners_mm for grid in (one, other)]
    moved = [run - run[shared] + end[shared] for run, end in zip(runs, ends, strict=True)]
    return float(np.linalg.norm(moved[0] - moved[1], axis=1).max())


def _square(grid: Geometry) -> Geometry:
    if not is_slightly_sheared(grid.affine):
        return grid
    return replace(grid, affine=at_right_angles(grid.affine))


def _times(shape: tuple[int, ...]) -> str:
    return " x ".join(str(n) for n in shape)
