"""A chest without disease: body, bones, mediastinum, lungs, airways.

Sizes are those of a small adult in round numbers; nothing is fitted to a patient. Order of
painting matters: what comes later covers what came before.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from tetract.data.phantom.grid import Grid, cover, ellipse_depth, paint, regions, smooth_field

AIR_HU, FAT_HU, MUSCLE_HU, BLOOD_HU = -1000.0, -100.0, 50.0, 42.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Build:
    """One patient's proportions in mm, drawn once and used for every slice.

    Attributes:
        body: Half-width and half-depth of the trunk.
        fat: Thickness of the fat under the skin.
        centre: Where the trunk's axis lies in the field of view, ``(x, y)``.
        heart: Scale of the heart, about 1.
        dome: Height of the right diaphragm above the tracheal bifurcation (negative).
        lung_hu: Mean of the lung's tissue in HU.
        dependent_hu: How much denser the back of the lung is than its front, in HU.
    """

    body: tuple[float, float]
    fat: float
    centre: tuple[float, float]
    heart: float
    dome: float
    lung_hu: float
    dependent_hu: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Anatomy:
    """The healthy chest.

    Attributes:
        hu: (D, H, W) float64 without noise; lungs still hold no vessels.
        lung: (D, H, W) bool, both lung fields.
        body: (D, H, W) float64, 1 inside the skin and 0 outside.
        build: The proportions it was drawn from.
    """

    hu: Float[np.ndarray, "D H W"]
    lung: Bool[np.ndarray, "D H W"]
    body: Float[np.ndarray, "D H W"]
    build: Build


def draw_build(rng: np.random.Generator) -> Build:
    """Draw one patient's proportions."""
    return Build(
        body=(rng.uniform(136, 154), rng.uniform(98, 116)),
        fat=rng.uniform(6, 16),
        centre=(rng.uniform(-5, 5), rng.uniform(-10, 0)),
        heart=rng.uniform(0.85, 1.15),
        dome=rng.uniform(-78, -58),
        lung_hu=rng.uniform(-885, -825),
        dependent_hu=rng.uniform(20, 80),
    )


def draw_anatomy(rng: np.random.Generator, grid: Grid) -> Anatomy:
    """Draw a healthy chest on ``grid``."""
    build = draw_build(rng)
    pixel = grid.pixel_mm
    x, y, z = grid.x - build.centre[0], grid.y - build.centre[1], grid.z
    half_width, half_depth = build.body
    shape = 2.4  # between an ellipse and a box, as a trunk is
    radius = ((np.abs(x) / half_width) ** shape + (np.abs(y) / half_depth) ** shape) ** (1 / shape)
    skin = np.broadcast_to((1 - radius) * half_depth, grid.shape)
    body = cover(skin, pixel)
    hu = paint(np.full(grid.shape, AIR_HU), body, FAT_HU)
    hu = paint(hu, cover(skin - build.fat, pixel), MUSCLE_HU)

    cavity = _cavity(build, x, y, z)
    hu = paint(hu, _ribs(rng, cavity, x, y, z, pixel), rng.uniform(330, 430))
    lungs = np.minimum(cavity, -_between_lungs(build, x, y, z))
    tissue = _lung_tissue(rng, grid, build, y)
    # What lies between the lungs is fat with organs in it; the lungs are carved out of it.
    hu = paint(hu, cover(cavity, pixel), FAT_HU + 130 * (smooth_field(rng, grid, 9.0) > -0.5))
    hu = _organs(hu, build, (x, y, z), pixel)
    amount = cover(lungs, pixel)
    hu = paint(hu, amount, tissue)
    hu = _airways(hu, (x, y, z), pixel)
    lung = _without_crumbs(amount > 0.5)
    return Anatomy(hu=hu, lung=lung, body=body, build=build)


def _cavity(build: Build, x: np.ndarray, y: np.ndarray, z: np.ndarray) -> np.ndarray:
    """Depth in mm below the inner chest wall, which narrows towards the neck."""
    narrow = 1 - 0.9 * (np.maximum(z + 40, 0) / 170) ** 2
    wall = build.fat + 17
    return ellipse_depth(
        x, y, (build.body[0] - wall) * narrow, (build.body[1] - wall) * (0.3 + 0.7 * narrow)
    )


def _ribs(
    rng: np.random.Generator,
    cavity: np.ndarray,
    x: np.ndarray,
    y: np.ndarray,
    z: np.ndarray,
    pixel: float,
) -> np.ndarray:
    """Bars around the cavity that run down from back to front, so each slice cuts several."""
    ring = cover(4 - np.abs(cavity + 8), pixel)
    lean = np.arctan2(np.abs(x), y) / np.pi  # 0 at the spine, 1 at the sternum
    phase = (z + 75 * lean + rng.uniform(0, 25)) / 25
    bar = np.abs(phase - np.round(phase)) < 0.2
    front_gap = lean < 0.85  # cartilage does not show as bone
    return ring * bar * front_gap


def _between_lungs(build: Build, x: np.ndarray, y: np.ndarray, z: np.ndarray) -> np.ndarray:
    """Depth in mm below the surface of all that separates and pushes into the lungs."""
    depth = build.body[1] - build.fat - 17
    back = depth - 14
    heart_size = build.heart * np.clip((-z - 2) / 45, 0, 1)
    liver = _liver_mm(build, z)
    parts = (
        ellipse_depth(x, y + 6, 27.0, depth * 0.95),
        ellipse_depth(x - 16, y + 14, 55 * heart_size, 40 * heart_size),
        ellipse_depth(x, y - back, 30.0, 27.0),
        ellipse_depth(x + 58, y + 4, liver, liver * 0.85),
    )
    depth_mm = parts[0]
    for part in parts[1:]:
        depth_mm = np.maximum(depth_mm, part)
    return depth_mm


def _liver_mm(build: Build, z: np.ndarray) -> np.ndarray:
    """Half-width of the liver's dome in mm, 0 above it."""
    radius = np.sqrt(np.clip((build.dome - z) * 90, 0, 75**2))
    # The tip of the dome would be a perfect nodule; a slice shows a wide dome or none.
    return np.where(radius < 28, 0.0, radius)


def _lung_tissue(
    rng: np.random.Generator, grid: Grid, build: Build, y: np.ndarray
) -> Float[np.ndarray, "D H W"]:
    """Aerated lung: fine texture, slow patches, denser towards the bed."""
    fine, slow = smooth_field(rng, grid, 3.5), smooth_field(rng, grid, 25.0)
    slope = build.dependent_hu * y / (2 * build.body[1])
    return build.lung_hu + slope + 18 * fine + 14 * slow


def _organs(
    hu: np.ndarray,
    build: Build,
    xyz: tuple[np.ndarray, np.ndarray, np.ndarray],
    pixel: float,
) -> np.ndarray:
    """Heart, great vessels, liver, spine and sternum."""
    x, y, z = xyz
    depth = build.body[1] - build.fat - 17
    back = depth - 6
    heart_size = build.heart * np.clip((-z - 2) / 45, 0, 1)
    liver = _liver_mm(build, z)
    great = np.where(z > -15, 14.0, 0.0)
    pieces = (
        (ellipse_depth(x - 16, y + 14, 53 * heart_size, 38 * heart_size), BLOOD_HU),
        (ellipse_depth(x + 58, y + 4, liver, liver * 0.85), 60.0),
        (ellipse_depth(x + 14, y + 16, great, great), BLOOD_HU),
        (ellipse_depth(x - 8, y + 24, great, great), BLOOD_HU),
        (ellipse_depth(x - 21, y - back + 26, 12.0, 12.0), BLOOD_HU),
        (ellipse_depth(x, y - back, 18.0, 15.0), 330.0),
        (ellipse_depth(x, y - back, 15.0, 12.0), 170.0),
        (ellipse_depth(x, y - back - 24, 15.0, 11.0), 320.0),
        (ellipse_depth(x, y - back - 22, 8.0, 8.0), 25.0),
        (ellipse_depth(x, y - back - 38, 4.0, 9.0), 300.0),
        (ellipse_depth(x, y + depth + 4, 17.0, 6.0), 220.0),
    )
    for depth_mm, value in pieces:
        hu = paint(hu, cover(depth_mm, pixel), value)
    return hu


def _airways(
    hu: np.ndarray, xyz: tuple[np.ndarray, np.ndarray, np.ndarray], pixel: float
) -> np.ndarray:
    """Trachea above the bifurcation, two main bronchi below it."""
    x, y, z = xyz
    for side in (-1.0, 1.0):
        away = side * np.clip(-0.9 * z, 0, 34)
        radius = np.where(z >= 0, 8.5, np.where(z > -38, 6.5, 0.0))
        tube = ellipse_depth(x - away, y - 4, radius, radius)
        hu = paint(hu, cover(tube + 1.5, pixel), 20.0)
        hu = paint(hu, cover(tube, pixel), -985.0)
    return hu


def _without_crumbs(mask: np.ndarray) -> Bool[np.ndarray, "D H W"]:
    """``mask`` without crumbs: on each slice only regions larger than 40 pixels."""
    kept = np.zeros_like(mask)
    for index, plane in enumerate(mask):
        numbers, sizes = regions(plane)
        kept[index] = (sizes > 40)[numbers]
    return kept
