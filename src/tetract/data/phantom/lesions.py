"""Lesions with exact outlines: nodules and ground glass.

What is drawn and what is labelled is the same array: a voxel belongs to a lesion where the lesion
fills more than half of it, and a lesion that would show less than its smallest area on a slice
is not drawn on that slice at all. So no slice holds a trace of a lesion that its truth denies.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, UInt8
from scipy import ndimage

from tetract.data.phantom.grid import Grid, cover, regions, smooth_field

SUBSLICES = (-1 / 3, 0.0, 1 / 3)
TRIES = 80


@dataclass(frozen=True, slots=True, kw_only=True)
class LesionRanges:
    """What lesions look like; each pair is ``(least, most)`` of a uniform draw.

    Attributes:
        nodules: How many nodules a nodule patient has.
        nodule_radius_mm: Radius of a nodule before its outline is made irregular.
        nodule_hu: Mean HU of a nodule.
        glasses: How many patches a ground-glass patient has.
        glass_radius_mm: Half-axis of a patch within the slice.
        glass_hu: Mean HU of a patch; vessels stay visible in it.
        nodule_area_px: Smallest region of one nodule on one slice, in pixels.
        glass_area_px: The same for a ground-glass patch.
        gap_px: Least distance between two lesions on a slice, in pixels, so that connected
            components of a mask are exactly its lesions.
        free_slices: Least number of slices without a lesion in a patient who has one.
    """

    nodules: tuple[int, int] = (2, 4)
    nodule_radius_mm: tuple[float, float] = (7.5, 15.5)
    nodule_hu: tuple[float, float] = (-50.0, 60.0)
    glasses: tuple[int, int] = (1, 3)
    glass_radius_mm: tuple[float, float] = (16.0, 34.0)
    glass_hu: tuple[float, float] = (-600.0, -450.0)
    nodule_area_px: int = 20
    glass_area_px: int = 45
    gap_px: int = 4
    free_slices: int = 2


# Large and dense enough to be learnt in the few minutes of `tetract demo`.
CLEAR_LESIONS = LesionRanges(nodule_radius_mm=(9.0, 16.0), glass_hu=(-550.0, -400.0))


@dataclass(frozen=True, slots=True, kw_only=True)
class Lesions:
    """All lesions of one patient, of one kind.

    Attributes:
        amount: (D, H, W) float64, how much of a voxel is lesion, 0 to 1.
        value_hu: (D, H, W) float64, the lesion's own HU where ``amount`` is above 0.
        instances: (D, H, W) uint8, 0 outside and 1, 2, ... for each lesion.
    """

    amount: Float[np.ndarray, "D H W"]
    value_hu: Float[np.ndarray, "D H W"]
    instances: UInt8[np.ndarray, "D H W"]


Draw = Callable[[np.random.Generator, Grid, np.ndarray, LesionRanges], np.ndarray]


def no_lesions(grid: Grid) -> Lesions:
    """A patient without lesions."""
    zeros = np.zeros(grid.shape)
    return Lesions(amount=zeros, value_hu=zeros, instances=np.zeros(grid.shape, np.uint8))


def draw_nodules(
    rng: np.random.Generator, grid: Grid, lung: Bool[np.ndarray, "D H W"], ranges: LesionRanges
) -> Lesions:
    """Solid, soft-edged, roughly round lesions that span a few slices."""
    count = int(rng.integers(ranges.nodules[0], ranges.nodules[1] + 1))
    return _draw_all(rng, grid, lung, ranges, (count, _nodule, ranges.nodule_hu, 12.0))


def draw_glass(
    rng: np.random.Generator, grid: Grid, lung: Bool[np.ndarray, "D H W"], ranges: LesionRanges
) -> Lesions:
    """Hazy, irregular patches near the pleura, more often towards the back."""
    count = int(rng.integers(ranges.glasses[0], ranges.glasses[1] + 1))
    return _draw_all(rng, grid, lung, ranges, (count, _patch, ranges.glass_hu, 40.0))


def _draw_all(
    rng: np.random.Generator,
    grid: Grid,
    lung: Bool[np.ndarray, "D H W"],
    ranges: LesionRanges,
    what: tuple[int, Draw, tuple[float, float], float],
) -> Lesions:
    """Place lesions one after the other; a place that breaks a rule is drawn again."""
    count, draw, hu_range, mottle_hu = what
    least_px = ranges.nodule_area_px if draw is _nodule else ranges.glass_area_px
    amount, value = np.zeros(grid.shape), np.zeros(grid.shape)
    instances = np.zeros(grid.shape, np.uint8)
    inside_mm: Any = ndimage.distance_transform_edt(lung, sampling=grid.voxel_mm)
    near: Any = ndimage.generate_binary_structure(3, 1)
    near[[0, 2]] = False  # distance counts within a slice only
    for _ in range(TRIES):
        if instances.max() == count:
            break
        fresh = _tidy(draw(rng, grid, inside_mm, ranges) * lung, least_px)
        mask = fresh > 0.5
        shown = (mask | (instances > 0)).any(axis=(1, 2)).sum()
        halo: Any = ndimage.binary_dilation(mask, near, iterations=ranges.gap_px)
        crowded = bool((halo & (instances > 0)).any())
        if not mask.any() or crowded or grid.shape[0] - shown < ranges.free_slices:
            continue
        instances[mask] = instances.max() + 1
        hu = rng.uniform(*hu_range) + mottle_hu * smooth_field(rng, grid, 4.0)
        value = np.where(fresh > amount, hu, value)
        amount = np.maximum(amount, fresh)
    return Lesions(amount=amount, value_hu=value, instances=instances)


def _tidy(amount: np.ndarray, min_area_px: int) -> Float[np.ndarray, "D H W"]:
    """Keep one region per slice, and none that is smaller than ``min_area_px``."""
    kept = np.zeros_like(amount)
    for index, plane in enumerate(amount):
        numbers, sizes = regions(plane > 0.5)
        best = int(sizes.argmax())
        if sizes[best] < min_area_px:
            continue
        main = numbers == best
        # Its own soft rim may stay; the rims of dropped regions may not.
        halo: Any = ndimage.binary_dilation(main, iterations=3)
        rim = halo & ((numbers == 0) | main)
        kept[index] = plane * rim
    return kept


def _nodule(
    rng: np.random.Generator, grid: Grid, inside_mm: np.ndarray, ranges: LesionRanges
) -> np.ndarray:
    radius = rng.uniform(*ranges.nodule_radius_mm)
    centre = _pick(rng, grid, (inside_mm > 0.7 * radius).astype(float))
    if centre is None:
        return np.zeros(grid.shape)
    bumps = rng.normal(0, 1, (5, 3))
    bumps /= np.linalg.norm(bumps, axis=1, keepdims=True)
    heights = rng.normal(0, 0.13, 5)
    dx, dy = grid.x - centre[0], grid.y - centre[1]
    total = np.zeros(grid.shape)
    for part in SUBSLICES:
        dz = grid.z + part * grid.slice_mm - centre[2]
        distance = np.sqrt(dx**2 + dy**2 + dz**2) + 1e-9
        outline = np.ones(grid.shape)
        for (bx, by, bz), height in zip(bumps, heights, strict=True):
            facing = np.maximum((dx * bx + dy * by + dz * bz) / distance, 0)
            outline += height * facing * facing
        total += cover(radius * outline - distance, 1.4 * grid.pixel_mm)
    return total / len(SUBSLICES)


def _patch(
    rng: np.random.Generator, grid: Grid, inside_mm: np.ndarray, ranges: LesionRanges
) -> np.ndarray:
    rx, ry = rng.uniform(*ranges.glass_radius_mm), rng.uniform(*ranges.glass_radius_mm)
    rz = rng.uniform(8, 16)
    outer = (inside_mm > 4) & (inside_mm < 22)
    centre = _pick(rng, grid, outer * np.exp(grid.y / 60))
    if centre is None:
        return np.zeros(grid.shape)
    dx, dy, dz = grid.x - centre[0], grid.y - centre[1], grid.z - centre[2]
    distance = np.sqrt((dx / rx) ** 2 + (dy / ry) ** 2 + (dz / rz) ** 2)
    ragged = 0.22 * smooth_field(rng, grid, 9.0)
    return cover((1 - distance + ragged) * min(rx, ry), 8.0)


def _pick(
    rng: np.random.Generator, grid: Grid, weight: np.ndarray
) -> tuple[float, float, float] | None:
    """A voxel's ``(x, y, z)`` in mm drawn with ``weight``, or None where all weights are 0."""
    total = np.cumsum(weight.ravel())
    if total[-1] <= 0:
        return None
    flat = int(np.searchsorted(total, rng.random() * total[-1], side="right"))
    k, i, j = np.unravel_index(min(flat, total.size - 1), grid.shape)
    return float(grid.x.flat[j]), float(grid.y.flat[i]), float(grid.z.flat[k])
