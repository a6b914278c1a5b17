"""Lung vessels: branching tubes in three dimensions, the confounders of nodules.

A tube that crosses the slice plane shows as a bright disc of a nodule's size; what gives it away is
its branches, its place near the hilum, and that it goes on over the neighbouring slices.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from tetract.data.phantom.grid import Grid, cover

SUBSLICES = (-1 / 3, 0.0, 1 / 3)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tube:
    """A tapering tube between two points.

    Attributes:
        start: ``(x, y, z)`` in mm on the grid's axes.
        end: The same for the other end.
        radii: Radius in mm at either end.
    """

    start: np.ndarray
    end: np.ndarray
    radii: tuple[float, float]


def draw_vessels(
    rng: np.random.Generator, grid: Grid, centre: tuple[float, float], scale: float
) -> Float[np.ndarray, "D H W"]:
    """How much of each voxel is vessel, 0 to 1, not yet cut to the lungs.

    Args:
        rng: Source of randomness.
        grid: Where to draw.
        centre: Axis of the trunk, ``(x, y)`` in mm.
        scale: Factor on every radius; 0 draws none.
    """
    amount = np.zeros(grid.shape)
    for side in (-1.0, 1.0):
        tubes = [*_tree(rng, side), *_crossing(rng, side)]
        for tube in tubes:
            _stamp(amount, grid, tube, centre, scale)
    return amount


def _tree(rng: np.random.Generator, side: float) -> list[Tube]:
    """Branches from the hilum outwards in all directions."""
    tubes: list[Tube] = []
    for _ in range(int(rng.integers(11, 16))):
        root = np.array([side * rng.uniform(36, 46), rng.uniform(-10, 14), rng.uniform(-35, 5)])
        angle = rng.uniform(-1.25, 1.25)
        reach = rng.uniform(45, 70)
        goal = root + np.array(
            [side * reach * np.cos(angle), reach * np.sin(angle), rng.uniform(-70, 70)]
        )
        bend = (root + goal) / 2 + rng.normal(0, 6, 3)
        thick = rng.uniform(2.8, 4.6)
        tubes.append(Tube(start=root, end=bend, radii=(thick, thick * 0.65)))
        tubes.append(Tube(start=bend, end=goal, radii=(thick * 0.6, 0.7)))
        for fork, radius in ((bend, 0.55), ((bend + goal) / 2, 0.4), ((root + bend) / 2, 0.5)):
            twig = fork + rng.normal(0, 22, 3)
            tubes.append(Tube(start=fork, end=twig, radii=(thick * radius, 0.6)))
    return tubes


def _crossing(rng: np.random.Generator, side: float) -> list[Tube]:
    """Tubes that run nearly head to foot through the inner half of the lung."""
    tubes: list[Tube] = []
    for _ in range(int(rng.integers(3, 6))):
        place = np.array([side * rng.uniform(46, 82), rng.uniform(-28, 42)])
        lean = rng.normal(0, 0.18, 2)
        thick = rng.uniform(2.9, 5.4)
        low, high = rng.uniform(-110, -50), rng.uniform(10, 80)
        middle = (low + high) / 2
        ends = [np.array([*(place + lean * (z - middle)), z]) for z in (low, middle, high)]
        wobble = ends[1] + np.array([*rng.normal(0, 3, 2), 0])
        tubes.append(Tube(start=wobble, end=ends[0], radii=(thick, thick * 0.5)))
        tubes.append(Tube(start=wobble, end=ends[2], radii=(thick, thick * 0.5)))
        twig = wobble + np.array([side * rng.uniform(10, 25), rng.normal(0, 15), rng.normal(0, 15)])
        tubes.append(Tube(start=wobble, end=twig, radii=(thick * 0.5, 0.7)))
    return tubes


def _stamp(
    amount: np.ndarray, grid: Grid, tube: Tube, centre: tuple[float, float], scale: float
) -> None:
    """Draw one tube into ``amount``, averaged over the thickness of the slice."""
    shift = np.array([*centre, 0.0])
    start, end = tube.start + shift, tube.end + shift
    radii = (tube.radii[0] * scale, tube.radii[1] * scale)
    margin = max(radii) + grid.pixel_mm
    low, high = np.minimum(start, end) - margin, np.maximum(start, end) + margin
    axes = (grid.z.ravel(), grid.y.ravel(), grid.x.ravel())
    # The z margin is in slices: a tube may touch a slice's thickness without reaching its centre.
    pad = (grid.slice_mm / 2, 0.0, 0.0)
    cuts = tuple(
        slice(
            int(np.searchsorted(axis, low[2 - i] - pad[i])),
            int(np.searchsorted(axis, high[2 - i] + pad[i])),
        )
        for i, axis in enumerate(axes)
    )
    if scale <= 0 or any(cut.start >= cut.stop for cut in cuts):
        return
    z, y, x = axes[0][cuts[0]], axes[1][cuts[1]], axes[2][cuts[2]]
    axis = end - start
    total = np.zeros((z.size, y.size, x.size))
    for part in SUBSLICES:
        dx, dy = x[None, None, :] - start[0], y[None, :, None] - start[1]
        dz = z[:, None, None] + part * grid.slice_mm - start[2]
        along = np.clip((dx * axis[0] + dy * axis[1] + dz * axis[2]) / (axis @ axis), 0, 1)
        gap = (
            (dx - along * axis[0]) ** 2 + (dy - along * axis[1]) ** 2 + (dz - along * axis[2]) ** 2
        )
        radius = radii[0] + along * (radii[1] - radii[0])
        total += cover(radius - np.sqrt(gap), grid.pixel_mm)
    # The larger of the two, not the sum: tubes that touch do not become brighter than blood.
    np.maximum(amount[cuts], total / len(SUBSLICES), out=amount[cuts])
