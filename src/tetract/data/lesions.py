"""Single lesions in a class mask: its connected parts and the boxes around them."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float32, Int32
from scipy import ndimage

_EIGHT_CONNECTED = np.ones((3, 3), dtype=np.uint8)  # diagonal neighbours belong together


def numbered_parts(mask: Bool[np.ndarray, "H W"]) -> Int32[np.ndarray, "H W"]:
    """The mask with its 8-connected parts numbered from 1, top to bottom; 0 is background."""
    numbered = np.zeros(mask.shape, dtype=np.int32)
    ndimage.label(mask, structure=_EIGHT_CONNECTED, output=numbered)
    return numbered


def lesion_parts(
    mask: Bool[np.ndarray, "H W"], *, min_area_px: float = 1.0
) -> Bool[np.ndarray, "N H W"]:
    """8-connected parts of a mask with at least ``min_area_px`` pixels, top to bottom."""
    numbered = numbered_parts(mask)
    areas = np.bincount(numbered.ravel())[1:]
    kept = np.flatnonzero(areas >= min_area_px) + 1
    return numbered[None] == kept[:, None, None]


def tight_boxes(masks: Bool[np.ndarray, "N H W"]) -> Float32[np.ndarray, "N 4"]:
    """Smallest half-open boxes ``x0 y0 x1 y1`` around non-empty masks, in pixels."""
    xyxy = np.zeros((len(masks), 4), dtype=np.float32)
    for row, mask in zip(xyxy, masks, strict=True):
        ys, xs = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
        row[:] = xs[0], ys[0], xs[-1] + 1, ys[-1] + 1
    return xyxy
