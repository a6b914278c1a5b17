"""What anybody could guess of hidden pixels: the mean of the visible ones around them."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float
from scipy.ndimage import uniform_filter


def fill_by_mean(
    image: Float[np.ndarray, "C H W"], hidden: Bool[np.ndarray, "H W"], *, patch_px: int
) -> Float[np.ndarray, "C H W"] | None:
    """Fill hidden pixels with the mean of the visible ones around them.

    The window is ``2 patch_px + 1`` px wide and doubles for the pixels that see none.

    Returns:
        (C, H, W) float64, or None where no pixel is visible.
    """
    if hidden.all():
        return None
    filled = image.astype(np.float64)
    visible = (~hidden).astype(np.float64)
    pending, side = hidden, 2 * patch_px + 1
    while pending.any():
        share = uniform_filter(visible, side, mode="constant")
        # Half a pixel: below it, the share is only the filter's rounding.
        ready = pending & (share * side**2 > 0.5)
        for channel, shown in zip(filled, image * visible, strict=True):
            total = uniform_filter(shown, side, mode="constant")
            channel[ready] = total[ready] / share[ready]
        pending, side = pending & ~ready, 2 * side + 1
    return filled
