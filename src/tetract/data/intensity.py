"""Random changes of grey values."""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Float32
from scipy import ndimage

from tetract.data.augment_draw import AugmentDraw


def change_intensity(
    image: Float32[np.ndarray, "C H W"], change: AugmentDraw
) -> Float32[np.ndarray, "C H W"]:
    """Gamma, contrast and brightness, blur, noise; the result stays in [0, 1].

    Args:
        image: In [0, 1]; **it is overwritten**, for fresh memory costs more than the arithmetic.
        change: What ``draw`` gave.
    """
    if change.gamma != 1.0:
        # A third of the time of numpy's power, within one float32 step of it; 0 stays 0.
        torch.from_numpy(image).log2_().mul_(change.gamma).exp2_()
    if (change.contrast, change.brightness) != (1.0, 0.0):
        image -= 0.5
        image *= change.contrast
        image += 0.5 + change.brightness
    if change.blur_px > 0:
        image = ndimage.gaussian_filter(image, (0, change.blur_px, change.blur_px), truncate=3)
    if change.noise_std > 0:
        image += _noise(image.shape, change)
    return np.clip(image, 0.0, 1.0, out=image)


def _noise(shape: tuple[int, ...], change: AugmentDraw) -> Float32[np.ndarray, "C H W"]:
    # By torch, which draws normal numbers in half of numpy's time; the seed alone decides them.
    seeded = torch.Generator().manual_seed(change.noise_seed)
    return torch.empty(shape).normal_(0.0, change.noise_std, generator=seeded).numpy()
