"""A segmentation on the voxels of its CT: exact, or refused; nothing is resampled."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64, Shaped

from tetract.errors import ReadError
from tetract.io.labels.ct_grid import CtGrid
from tetract.io.labels.dicom_object import (
    MOST_REGIONS,
    Drawn,
    check_same_frame,
    check_same_slice,
    off_grid,
)
from tetract.io.labels.dicom_seg import FramePlane, SegFrame, Segmentation
from tetract.types import Geometry

FRACTION = 0.5
IN_PLANE_PX = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class _Placement:
    """Which voxels a frame covers: one slice, from ``(row, column)`` on, after turning it."""

    index: int
    corner: tuple[int, int]
    transposed: bool
    flips: tuple[bool, bool]


def draw_segments(found: Segmentation, grid: CtGrid, numbers: tuple[int, ...]) -> Drawn:
    """Segments of a segmentation on the grid of a CT.

    A frame goes where its position says, or, without a position, onto the slice it references; a
    position and a reference must agree. It may be cropped, flipped or transposed against the
    slice. Its plane must lie within 1 % of the slice spacing (at least 0.01 mm), its pixels
    within 0.1 px of the CT's. A fraction of at least 0.5 counts as inside.

    Args:
        found: The segmentation.
        grid: The CT it was drawn on.
        numbers: The segments wanted. Where two of them overlap, the earlier one keeps the voxel.

    Raises:
        LabelError: ``E_OTHER_FRAME`` or ``E_OTHER_SLICE``.
        GeometryError: ``E_OFF_GRID``.
        ReadError: What makes a frame unreadable; ``E_SEG_FRAMES`` for pixels of no segment.
        MachineError: ``E_CODEC_MISSING``.
    """
    check_same_frame(found.references, grid, found.name)
    places = [_place(frame, i, found, grid) for i, frame in enumerate(found.frames)]
    labels = np.zeros(grid.geometry.shape, dtype=np.uint8)
    overlap = 0
    for order, number in enumerate(numbers, 1):
        value = order if len(numbers) <= MOST_REGIONS else 1
        inside = np.zeros(grid.geometry.shape, dtype=bool)
        for i, (frame, place) in enumerate(zip(found.frames, places, strict=True)):
            if frame.segment in (number, None):
                _put(inside, _inside(found, i, number), place)
        overlap += int((inside & (labels > 0)).sum())
        labels[inside & (labels == 0)] = value
    return Drawn(labels=labels, notes=_notes(found, overlap))


def _inside(found: Segmentation, index: int, number: int) -> Bool[np.ndarray, "H W"]:
    values = found.pixels.frame(index)
    if found.kind == "LABELMAP":
        known = np.array([0, *(region.number for region in found.regions)])
        strangers = np.setdiff1d(values, known)
        if strangers.size:
            raise ReadError(
                "E_SEG_FRAMES",
                "a pixel names a segment that is not described",
                where=found.name,
                expected=f"0 or one of {len(found.regions)} segments",
                found=str(int(strangers[0])),
                fix="Export the segmentation again",
            )
        return values == number
    return values != 0 if found.kind == "BINARY" else values >= FRACTION * found.full


def _put(
    inside: Bool[np.ndarray, "D H W"], frame: Shaped[np.ndarray, "H2 W2"], at: _Placement
) -> None:
    block = frame.T if at.transposed else frame
    block = block[:: -1 if at.flips[0] else 1, :: -1 if at.flips[1] else 1]
    row, column = at.corner
    inside[at.index, row : row + block.shape[0], column : column + block.shape[1]] |= block


def _place(frame: SegFrame, number: int, found: Segmentation, grid: CtGrid) -> _Placement:
    rows, columns = found.pixels.format.rows, found.pixels.format.columns
    where = f"{found.name} frame {number + 1}"
    if frame.plane is not None:
        place = _by_position(frame.plane, (rows, columns), grid.geometry, where)
        check_same_slice(frame.sources, place.index, grid, where)
        return place
    known = {grid.instances[uid] for uid in frame.sources if uid in grid.instances}
    if len(known) != 1 or (rows, columns) != grid.geometry.shape[1:]:
        raise off_grid(where, "a position, or one slice of the CT with as many pixels", "neither")
    return _Placement(index=known.pop(), corner=(0, 0), transposed=False, flips=(False, False))


def _by_position(
    plane: FramePlane, size: tuple[int, int], geometry: Geometry, where: str
) -> _Placement:
    corners = _corners(plane, size, geometry)
    spacing = geometry.spacing_mm[0]
    nearest = np.rint(corners)
    off = np.abs(corners - nearest).max(axis=0)
    limit_mm = max(0.01, 0.01 * spacing)
    if off[0] * spacing > limit_mm or np.ptp(nearest[:, 0]) > 0:
        told = f"{np.abs(corners[:, 0] - nearest[0, 0]).max() * spacing:.3f} mm off"
        raise off_grid(where, f"a plane within {limit_mm:.3f} mm of a slice", told)
    if off[1:].max() > IN_PLANE_PX:
        told = f"{off[1:].max():.2f} px off"
        raise off_grid(where, f"pixels within {IN_PLANE_PX:g} px of the CT's", told)
    low, high = nearest.min(axis=0), nearest.max(axis=0)
    extent = tuple(int(n) + 1 for n in (high - low)[1:])
    down = nearest[1] - nearest[0]  # the step along a column of the frame
    transposed = bool(down[2] != 0) if size[0] > 1 else bool((nearest[2] - nearest[0])[1] != 0)
    if extent != (size[::-1] if transposed else size):
        raise off_grid(where, "the pixel size of the CT", f"{extent[0]} x {extent[1]} px covered")
    if low.min() < 0 or any(high >= np.array(geometry.shape)):
        raise off_grid(where, "a frame inside the CT", "pixels beyond its edge")
    ends = nearest[3] - nearest[0]  # last pixel minus first, on the grid
    return _Placement(
        index=int(nearest[0, 0]),
        corner=(int(low[1]), int(low[2])),
        transposed=transposed,
        flips=(bool(ends[1] < 0), bool(ends[2] < 0)),
    )


def _corners(
    plane: FramePlane, size: tuple[int, int], geometry: Geometry
) -> Float64[np.ndarray, "4 3"]:
    """Grid indices of first pixel, last in its column, last in its row, and the last of all."""
    down = plane.along_column * plane.spacing_mm[0] * (size[0] - 1)
    across = plane.along_row * plane.spacing_mm[1] * (size[1] - 1)
    points = plane.position + np.stack([np.zeros(3), down, across, down + across])
    into_grid = np.linalg.inv(geometry.affine)
    return points @ into_grid[:3, :3].T + into_grid[:3, 3]


def _notes(found: Segmentation, overlap: int) -> tuple[str, ...]:
    notes: list[str] = []
    if found.kind == "FRACTIONAL":
        notes.append(f"fractions of at least {FRACTION:g} taken as inside")
    if overlap:
        notes.append(f"segments of one class overlap in {overlap} voxels")
    return tuple(notes)
