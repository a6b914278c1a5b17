"""Polygons as pixels, and pixels as one polygon."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Float64

from tetract.io import fill_polygon

Points = Float64[np.ndarray, "N 2"]
_CENTRE = 0.5  # box formats count from a pixel's corner, fill_polygon from its centre


def draw_polygons(polygons: Sequence[Points], canvas: tuple[int, int]) -> Bool[np.ndarray, "H W"]:
    """Pixels whose centre lies inside one of the polygons of a lesion.

    A lesion too small to hold the centre of a pixel gets the pixel under its middle, since a
    person did see it.

    Args:
        polygons: (N, 2) ``x y`` in px from the corner of the first pixel.
        canvas: ``(H, W)`` in px.
    """
    drawn = np.zeros(canvas, dtype=bool)
    for points in polygons:
        drawn |= fill_polygon(points - _CENTRE, canvas)
    if not drawn.any():
        points = np.concatenate(list(polygons))
        x, y = np.floor((points.min(axis=0) + points.max(axis=0)) / 2)
        drawn[int(np.clip(y, 0, canvas[0] - 1)), int(np.clip(x, 0, canvas[1] - 1))] = True
    return drawn


def extent(polygons: Sequence[Points]) -> tuple[float, float, float, float]:
    """The box ``x0 y0 x1 y1`` around polygons."""
    points = np.concatenate(list(polygons))
    (x0, y0), (x1, y1) = points.min(axis=0).tolist(), points.max(axis=0).tolist()
    return x0, y0, x1, y1


def trace(mask: Bool[np.ndarray, "H W"]) -> Points:
    """One closed polygon along the edges of a mask's pixels; ``draw_polygons`` gives the mask back.

    Further parts and holes hang on by channels of no width (the keyhole technique), which leave
    no trace when the polygon is filled by the even-odd rule.

    Args:
        mask: (H, W), with at least one pixel.
    """
    first, *others = _loops(mask)
    points = [*first, first[0]]
    for loop in others:
        points += [*loop, loop[0], first[0]]
    return np.array(points, dtype=np.float64)


def _loops(mask: Bool[np.ndarray, "H W"]) -> list[list[tuple[int, int]]]:
    """Closed walks along all edges between inside and outside, corners only."""
    after = _edges(mask)
    loops: list[list[tuple[int, int]]] = []
    while after:
        start = next(iter(after))
        loop, here = [start], _step(after, start)
        while here != start:
            loop.append(here)
            here = _step(after, here)
        loops.append(_corners(loop))
    return loops


def _edges(mask: Bool[np.ndarray, "H W"]) -> dict[tuple[int, int], list[tuple[int, int]]]:
    """From each vertex ``(x, y)`` to those one edge further, inside always on the right."""
    padded = np.pad(mask, 1)
    down = padded[1:].astype(np.int8) - padded[:-1]  # +1: a pixel begins below this edge
    right = padded[:, 1:].astype(np.int8) - padded[:, :-1]
    after: dict[tuple[int, int], list[tuple[int, int]]] = {}
    for y, x in np.argwhere(down).tolist():
        ends = ((x - 1, y), (x, y)) if down[y, x] > 0 else ((x, y), (x - 1, y))
        after.setdefault(ends[0], []).append(ends[1])
    for y, x in np.argwhere(right).tolist():
        ends = ((x, y), (x, y - 1)) if right[y, x] > 0 else ((x, y - 1), (x, y))
        after.setdefault(ends[0], []).append(ends[1])
    return after


def _step(
    after: dict[tuple[int, int], list[tuple[int, int]]], here: tuple[int, int]
) -> tuple[int, int]:
    following = after[here].pop()
    if not after[here]:
        del after[here]
    return following


def _corners(loop: list[tuple[int, int]]) -> list[tuple[int, int]]:
    turned = zip([loop[-1], *loop[:-1]], loop, [*loop[1:], loop[0]], strict=True)
    return [b for a, b, c in turned if (b[0] - a[0], b[1] - a[1]) != (c[0] - b[0], c[1] - b[1])]
