"""From what four readers drew to nodules: who drew the same one, and where enough of them agree."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from jaxtyping import Bool, Float64, UInt8
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import KDTree

from tetract.data.formats.lidc_contours import Outline, Reading, Scan
from tetract.io import fill_polygon

READERS: Final = 4
_SHRINK: Final = 0.9
_CLOSEST_MM: Final = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Nodule:
    """One nodule as its readers drew it.

    Attributes:
        readings: One per reader.
        counts: Slice position in mm to (H, W) uint8: how many readers included each pixel.
    """

    readings: tuple[Reading, ...]
    counts: Mapping[float, UInt8[np.ndarray, "H W"]]

    @property
    def malignancies(self) -> tuple[int, ...]:
        """Each reader's judgement, 1 to 5, in ascending order."""
        return tuple(sorted(reading.malignancy for reading in self.readings))

    @property
    def malignancy(self) -> float:
        """Their median."""
        return float(np.median(self.malignancies))


def find_nodules(scan: Scan, canvas: tuple[int, int]) -> tuple[Nodule, ...]:
    """The nodules of a scan, in the order of their first reading.

    LIDC does not say which readings are of one nodule. As pylidc does, readings whose lines come
    within a slice's thickness of each other are taken for one; where more than four would meet,
    the distance is shrunk by a tenth until they part, down to 0.1 mm.

    Args:
        scan: What was drawn.
        canvas: ``(H, W)`` of the slices in pixels.
    """
    groups = _groups(scan)
    return tuple(Nodule(readings=group, counts=_counts(group, canvas)) for group in groups)


def inside_of(outlines: Sequence[Outline], canvas: tuple[int, int]) -> Bool[np.ndarray, "H W"]:
    """Pixels of one reader's nodule on one slice.

    An outline runs through the first pixels *outside* what it encloses (Armato et al., Med Phys
    38(2):915, 2011), so a pixel on the line does not belong to it: neither to the nodule, nor to
    the hole that an exclusion cuts.
    """
    inside = np.zeros(canvas, dtype=bool)
    for line in sorted(outlines, key=lambda line: not line.inclusion):
        if len(line.points_px) < 3:
            continue
        enclosed = fill_polygon(line.points_px, canvas) & ~_on_line(line.points_px, canvas)
        inside = inside | enclosed if line.inclusion else inside & ~enclosed
    return inside


def _on_line(
    points: Float64[np.ndarray, "N 2"], canvas: tuple[int, int]
) -> Bool[np.ndarray, "H W"]:
    """Pixels whose centre lies on the line."""
    on = np.zeros(canvas, dtype=bool)
    for begin, end in zip(points, np.roll(points, -1, axis=0), strict=True):
        step = end - begin
        parts = math.gcd(int(step[0]), int(step[1])) or 1
        way = np.rint(begin + np.outer(np.arange(parts + 1) / parts, step)).astype(int)
        kept = way[(way >= 0).all(axis=1) & (way < canvas[::-1]).all(axis=1)]
        on[kept[:, 1], kept[:, 0]] = True
    return on


def _counts(
    readings: Sequence[Reading], canvas: tuple[int, int]
) -> dict[float, UInt8[np.ndarray, "H W"]]:
    counts: dict[float, UInt8[np.ndarray, "H W"]] = {}
    for reading in readings:
        by_slice: defaultdict[float, list[Outline]] = defaultdict(list)
        for line in reading.outlines:
            by_slice[line.z_mm].append(line)
        for z_mm, lines in by_slice.items():
            count = counts.setdefault(z_mm, np.zeros(canvas, dtype=np.uint8))
            count += inside_of(lines, canvas)
    return counts


def _groups(scan: Scan) -> list[tuple[Reading, ...]]:
    drawn = [reading for reading in scan.readings if reading.outlines]
    if not drawn:
        return []
    apart = _apart_mm(drawn, scan.pixel_mm)
    limit = scan.thickness_mm
    while True:
        _, group_of = connected_components(csr_array(apart <= limit), directed=False)
        sizes = np.bincount(group_of)
        if sizes.max() <= READERS or limit * _SHRINK < _CLOSEST_MM:
            break
        limit *= _SHRINK
    return [
        tuple(reading for reading, group in zip(drawn, group_of, strict=True) if group == number)
        for number in range(len(sizes))
    ]


def _apart_mm(readings: Sequence[Reading], pixel_mm: float) -> Float64[np.ndarray, "N N"]:
    """Least distance between the lines of any two readings."""
    clouds = [
        np.concatenate(
            [
                np.column_stack(
                    [line.points_px * pixel_mm, np.full(len(line.points_px), line.z_mm)]
                )
                for line in reading.outlines
            ]
        )
        for reading in readings
    ]
    trees = [KDTree(cloud) for cloud in clouds]
    apart = np.zeros((len(clouds), len(clouds)))
    for i, cloud in enumerate(clouds):
        for j in range(i):
            apart[i, j] = apart[j, i] = float(trees[j].query(cloud)[0].min())
    return apart
