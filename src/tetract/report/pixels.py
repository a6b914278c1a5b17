"""Grey values to pixels: bytes, sizes, heat colours, contours."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float, Real, UInt8

# Dark to light, even steps in lightness, readable without red-green vision: our own stops.
_HEAT = np.array(
    [[8, 6, 24], [66, 20, 92], [142, 36, 102], [214, 70, 66], [246, 150, 44], [252, 244, 176]],
    dtype=np.float64,
)


def grey_bytes(image01: Real[np.ndarray, "H W"]) -> UInt8[np.ndarray, "H W"]:
    """(H, W) in [0, 1] as 8-bit grey; values outside are clipped, NaN is black."""
    clean = np.nan_to_num(np.asarray(image01, dtype=np.float64), nan=0.0, posinf=1.0, neginf=0.0)
    return np.rint(np.clip(clean, 0.0, 1.0) * 255.0).astype(np.uint8)


def heat_bytes(
    values: Real[np.ndarray, "H W"], top: float, levels: int = 24
) -> UInt8[np.ndarray, "H W 3"]:
    """(H, W) in [0, top] as heat colours; ``levels`` steps keep the PNG small."""
    steps = np.rint(grey_bytes(values / top) / 255.0 * (levels - 1)) / (levels - 1)
    return heat_stops(steps)


def heat_stops(position: Float[np.ndarray, "*S"]) -> UInt8[np.ndarray, "*S 3"]:
    """Colours of the heat scale at positions in [0, 1]."""
    knots = np.linspace(0.0, 1.0, len(_HEAT))
    channels = [np.interp(position, knots, _HEAT[:, c]) for c in range(3)]
    return np.rint(np.stack(channels, axis=-1)).astype(np.uint8)


def enlarge(image: Real[np.ndarray, "H W"], factor: int) -> Float[np.ndarray, "H2 W2"]:
    """Bilinear enlargement by an integer factor, pixel edges kept in place."""
    values = np.asarray(image, dtype=np.float64)
    for axis in (0, 1):
        size = values.shape[axis]
        at = np.clip((np.arange(size * factor) + 0.5) / factor - 0.5, 0, size - 1)
        low = np.floor(at).astype(np.intp)
        high = np.minimum(low + 1, size - 1)
        share = np.expand_dims(at - low, 1 - axis)
        values = np.take(values, low, axis) * (1 - share) + np.take(values, high, axis) * share
    return values


def shrink(image: Real[np.ndarray, "H W"], longest: int) -> Real[np.ndarray, "H2 W2"]:
    """Block means by the smallest integer factor that brings the longest side to ``longest``."""
    factor = -(-max(image.shape) // longest)
    if factor <= 1:
        return image
    height, width = image.shape
    # Edge blocks are filled up by repeating the last row and column, so that nothing is cut off.
    full = np.pad(image, ((0, -height % factor), (0, -width % factor)), mode="edge")
    blocks = full.reshape(full.shape[0] // factor, factor, full.shape[1] // factor, factor)
    return blocks.astype(np.float64).mean(axis=(1, 3))


def rim(mask: Bool[np.ndarray, "H W"], thickness: int) -> Bool[np.ndarray, "H W"]:
    """The mask's own pixels within ``thickness`` of its edge; the picture's edge counts."""
    core = mask
    for _ in range(thickness):
        padded = np.pad(core, 1)
        core = core & padded[:-2, 1:-1] & padded[2:, 1:-1] & padded[1:-1, :-2] & padded[1:-1, 2:]
    return mask & ~core
