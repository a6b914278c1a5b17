"""RT Structure Sets (DICOM PS3.3 A.19, C.8.8.5 and C.8.8.6): outlines, and their voxels on a CT."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from jaxtyping import Float64
from pydicom.dataset import Dataset

from tetract.errors import ReadError
from tetract.io.dicom.header import integer, numbers, text
from tetract.io.guard import reading
from tetract.io.labels.ct_grid import CtGrid
from tetract.io.labels.dicom_object import (
    MOST_REGIONS,
    Drawn,
    References,
    Region,
    check_same_frame,
    check_same_slice,
    clean,
    items,
    off_grid,
    read_object,
)
from tetract.io.labels.polygon import fill_polygon

_TAGS: Final = (
    "StructureSetROISequence",
    "ROIContourSequence",
    "ReferencedFrameOfReferenceSequence",
    "FrameOfReferenceUID",
)
# Both are filled by the even-odd rule: the older kind has no other way to draw a hole.
_CLOSED: Final = ("CLOSED_PLANAR", "CLOSEDPLANAR_XOR")
_OUT_OF_PLANE: Final = 0.01
_EDGE_PX: Final = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Contour:
    """One outline.

    Attributes:
        kind: Contour Geometric Type (3006,0042); only closed ones have an inside.
        points_mm: (N, 3) in LPS mm.
        sources: SOP Instance UIDs of the slices it was drawn on; may be empty.
    """

    kind: str
    points_mm: Float64[np.ndarray, "N 3"]
    sources: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class StructureSet:
    """A structure set as read; ``draw_rois`` puts it on the grid of a CT.

    Attributes:
        name: Base name of the file.
        regions: Its regions of interest, in the order of the object.
        references: The CT it was drawn on.
        contours: ROI Number to outlines; without an entry where a region has none.
    """

    name: str
    regions: tuple[Region, ...]
    references: References
    contours: Mapping[int, tuple[Contour, ...]]


def read_structure_set(path: Path) -> StructureSet:
    """Read an RT Structure Set.

    Raises:
        ReadError: ``E_LABEL_OBJECT``, ``E_BAD_CONTOUR``, ``E_BAD_ATTRIBUTE``, ``E_BAD_DICOM``,
            ``E_TOO_LARGE`` or ``E_TRANSFER_SYNTAX``.
    """
    found = read_object(path, _TAGS, "RTSTRUCT")
    where = path.name
    with reading(where, code="E_BAD_DICOM", what="the structure set is damaged"):
        listed = items(found, "StructureSetROISequence")
        frames = {text(item, "ReferencedFrameOfReferenceUID") for item in listed} - {""}
        regions = tuple(
            Region(number=_number(item, "ROINumber", where), name=clean(text(item, "ROIName")))
            for item in listed
        )
        if len({region.number for region in regions}) != len(regions):
            raise _bad(where, "a number of its own for each region", "one that stands twice")
        contours: dict[int, tuple[Contour, ...]] = {}
        for item in items(found, "ROIContourSequence"):
            number = _number(item, "ReferencedROINumber", where)
            drawn = tuple(_contour(c, where) for c in items(item, "ContourSequence"))
            contours[number] = contours.get(number, ()) + drawn
        return StructureSet(
            name=where,
            regions=regions,
            references=_references(found, frames),
            contours=contours,
        )


def draw_rois(found: StructureSet, grid: CtGrid, numbers: tuple[int, ...]) -> Drawn:
    """Regions of a structure set on the grid of a CT.

    A pixel is inside where its centre is, by the even-odd rule over all outlines of a region on
    one slice, so that an outline within another cuts a hole. Each outline must lie in a slice
    within 1 % of the slice spacing. Points, lines and open outlines have no inside and are
    counted in ``skipped``.

    Args:
        found: The structure set.
        grid: The CT it was drawn on.
        numbers: ROI Numbers wanted. Where two of them overlap, the earlier one keeps the voxel.

    Raises:
        LabelError: ``E_OTHER_FRAME`` or ``E_OTHER_SLICE``.
        GeometryError: ``E_OFF_GRID``.
    """
    check_same_frame(found.references, grid, found.name)
    names = {region.number: region.name for region in found.regions}
    labels = np.zeros(grid.geometry.shape, dtype=np.uint8)
    overlap = clipped = 0
    skipped: list[str] = []
    for order, number in enumerate(numbers, 1):
        value = order if len(numbers) <= MOST_REGIONS else 1
        inside = np.zeros(grid.geometry.shape, dtype=bool)
        left_out: Counter[str] = Counter()
        for contour in found.contours.get(number, ()):
            if contour.kind not in _CLOSED or len(contour.points_mm) < 3:
                left_out[contour.kind] += 1
                continue
            index, points = _on_slice(contour, grid, f"{found.name} ROI {number}")
            clipped += _leaves(points, grid)
            inside[index] ^= fill_polygon(points, grid.geometry.shape[1:])
        skipped += [f"{names[number]}: {n} x {kind}" for kind, n in sorted(left_out.items())]
        overlap += int((inside & (labels > 0)).sum())
        labels[inside & (labels == 0)] = value
    notes = [f"regions of one class overlap in {overlap} voxels"] if overlap else []
    notes += [f"{clipped} outlines cut at the edge of the image"] if clipped else []
    return Drawn(labels=labels, notes=tuple(notes), skipped=tuple(skipped))


def _on_slice(contour: Contour, grid: CtGrid, where: str) -> tuple[int, Float64[np.ndarray, "N 2"]]:
    into_grid = np.linalg.inv(grid.geometry.affine)
    voxels = contour.points_mm @ into_grid[:3, :3].T + into_grid[:3, 3]
    index = int(np.rint(voxels[0, 0]))
    spacing = grid.geometry.spacing_mm[0]
    off = float(np.abs(voxels[:, 0] - index).max())
    if off > _OUT_OF_PLANE or not 0 <= index < grid.geometry.shape[0]:
        raise off_grid(
            where,
            f"an outline within {_OUT_OF_PLANE * spacing:.3f} mm of a slice",
            f"{off * spacing:.3f} mm off slice {index}",
        )
    check_same_slice(contour.sources, index, grid, where)
    return index, voxels[:, [2, 1]]


def _leaves(points: Float64[np.ndarray, "N 2"], grid: CtGrid) -> bool:
    _, height, width = grid.geometry.shape
    limit = np.array([width - 1, height - 1]) + _EDGE_PX
    return bool((points < -_EDGE_PX).any() or (points > limit).any())


def _contour(item: Dataset, where: str) -> Contour:
    values = numbers(item, "ContourData", where)
    stated = integer(item, "NumberOfContourPoints", where)
    if len(values) % 3 or stated not in (None, len(values) // 3):
        told = f"{len(values)} numbers for {stated} points"
        raise _bad(where, "three coordinates per point", told)
    images = items(item, "ContourImageSequence")
    return Contour(
        kind=text(item, "ContourGeometricType").upper()[:24] or "contour of no kind",
        points_mm=np.array(values, dtype=np.float64).reshape(-1, 3),
        sources=tuple(uid for i in images if (uid := text(i, "ReferencedSOPInstanceUID"))),
    )


def _references(found: Dataset, of_rois: set[str]) -> References:
    frames = items(found, "ReferencedFrameOfReferenceSequence")
    studies = [s for frame in frames for s in items(frame, "RTReferencedStudySequence")]
    series = [s for study in studies for s in items(study, "RTReferencedSeriesSequence")]
    uids = {text(item, "SeriesInstanceUID") for item in series} - {""}
    images = [image for item in series for image in items(item, "ContourImageSequence")]
    named = of_rois or {text(frame, "FrameOfReferenceUID") for frame in frames} - {""}
    return References(
        # Regions in several frames cannot all lie in one CT: no frame is then said to match.
        frame_of_reference=next(iter(named)) if len(named) == 1 else "",
        series=next(iter(uids)) if len(uids) == 1 else "",
        instances=frozenset(text(i, "ReferencedSOPInstanceUID") for i in images) - {""},
    )


def _number(item: Dataset, keyword: str, where: str) -> int:
    value = integer(item, keyword, where)
    if value is None:
        raise _bad(where, "a number for each region", "none")
    return value


def _bad(where: str, expected: str, found: str) -> ReadError:
    return ReadError(
        "E_BAD_CONTOUR",
        "the structure set contradicts itself",
        where=where,
        expected=expected,
        found=found,
        fix="Export the structure set again",
    )
