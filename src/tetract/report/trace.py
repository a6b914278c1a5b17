"""A mask's outline as an SVG path, exact to the pixel edge."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool

_COMMAND = ("h", "v", "h-", "v-")  # directions 0..3: right, down, left, up


def outline_path(mask: Bool[np.ndarray, "H W"]) -> str:
    """Closed polygons around the mask's pixels, for ``fill-rule="evenodd"``; holes stay holes.

    Each pixel edge that separates inside from outside is walked once with the inside to the
    right; straight stretches become one SVG command.

    Args:
        mask: (H, W) bool. Pixel (row r, column c) covers x in [c, c+1), y in [r, r+1).

    Returns:
        The ``d`` attribute; empty for an empty mask.
    """
    edges, width = _edges(mask)
    step = (1, width, -1, -width)
    starts = [at for at, there in enumerate(edges[0]) if there]
    parts: list[str] = []
    for start in starts:
        if not edges[0][start]:
            continue
        y, x = divmod(start, width)
        parts.append(f"M{x} {y}{_walk(edges, step, start)}z")
    return "".join(parts)


def _edges(mask: Bool[np.ndarray, "H W"]) -> tuple[tuple[bytearray, ...], int]:
    """For each direction, a flag per grid vertex: does an edge leave it that way?"""
    height, width = mask.shape
    inside = np.pad(mask, 1)
    here = inside[1:-1, 1:-1]
    leaving = np.zeros((4, height + 1, width + 1), dtype=np.uint8)
    leaving[0, :-1, :-1] = here & ~inside[:-2, 1:-1]  # top edge, to the right
    leaving[1, :-1, 1:] = here & ~inside[1:-1, 2:]  # right edge, down
    leaving[2, 1:, 1:] = here & ~inside[2:, 1:-1]  # bottom edge, to the left
    leaving[3, 1:, :-1] = here & ~inside[1:-1, :-2]  # left edge, up
    return tuple(bytearray(flags.tobytes()) for flags in leaving), width + 1


def _walk(edges: tuple[bytearray, ...], step: tuple[int, int, int, int], start: int) -> str:
    at, direction, length = start, 0, 0
    commands: list[str] = []
    while True:
        edges[direction][at] = 0
        at += step[direction]
        length += 1
        # Right turn first: where two pixels touch at a corner only, each keeps its own polygon.
        turns = ((direction + turn) % 4 for turn in (1, 0, 3))
        onward = next((d for d in turns if edges[d][at]), None)
        if onward == direction:
            continue
        commands.append(f"{_COMMAND[direction]}{length}")
        if onward is None:
            return "".join(commands)
        direction, length = onward, 0
