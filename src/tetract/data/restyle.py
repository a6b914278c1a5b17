"""A slice as another scanner or export would have shown it: another window, larger pixels.

Sources differ in both more than patients do, and a model that has seen one source takes its look
for anatomy. Nothing is inverted: air stays darker than bone.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float32
from torch.nn import functional as nn

from tetract.data.config import AugmentConfig


@dataclass(frozen=True, slots=True, kw_only=True)
class Restyle:
    """One drawn look; the defaults change nothing.

    Attributes:
        window_hu: Lower and upper edge of the window the slice is shown through, or None.
        coarse_px: Side of the simulated pixels, in pixels.
    """

    window_hu: tuple[float, float] | None = None
    coarse_px: float = 1.0


def draw_restyle(config: AugmentConfig, rng: np.random.Generator) -> Restyle:
    """Draw a look; each call takes the same number of values from ``rng``."""
    rewindow, coarse = (bool(x) for x in rng.random(2) < (config.rewindow, config.coarse))
    low, high = float(rng.uniform(*config.low_hu)), float(rng.uniform(*config.high_hu))
    factor = float(np.exp(rng.uniform(*np.log(config.coarse_factor))))
    return Restyle(window_hu=(low, high) if rewindow else None, coarse_px=factor if coarse else 1.0)


def restyle(
    image: Float32[np.ndarray, "C H W"],
    look: Restyle,
    window_hu: tuple[float, float] | None,
) -> Float32[np.ndarray, "C H W"]:
    """The image with another look, in [0, 1].

    Args:
        image: In [0, 1].
        look: What ``draw_restyle`` gave.
        window_hu: HU of 0 and 1, or None where HU are unknown: its window then stays. What that
            window clipped stays clipped.
    """
    if look.window_hu is not None and window_hu is not None:
        low, high = window_hu
        hu = low + image * np.float32(high - low)
        lower, upper = look.window_hu
        image = np.clip((hu - lower) / (upper - lower), 0.0, 1.0, dtype=np.float32)
    return image if look.coarse_px == 1.0 else _coarser(image, look.coarse_px)


def _coarser(image: Float32[np.ndarray, "C H W"], factor: float) -> Float32[np.ndarray, "C H W"]:
    """Averaged into larger pixels and interpolated back (nnU-Net's simulated low resolution)."""
    height, width = image.shape[-2:]
    small = (max(1, round(height / factor)), max(1, round(width / factor)))
    shrunk = nn.interpolate(torch.from_numpy(image)[None], small, mode="area")
    grown = nn.interpolate(shrunk, (height, width), mode="bilinear", align_corners=False)
    return grown[0].clamp(0.0, 1.0).numpy()
