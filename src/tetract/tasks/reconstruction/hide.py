"""Withhold square patches from the encoder, so that reconstruction must infer and not copy.

Masked image modelling for convolutional nets: He et al. 2022 (arXiv 2111.06377), Tian et al. 2023
(SparK, arXiv 2301.03580). Drawing is separate from hiding: the same draw can be shown again.
"""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float
from torch import Tensor


def draw_hidden(
    size: tuple[int, int, int],
    *,
    patch_px: int,
    fraction: float,
    generator: torch.Generator,
) -> Bool[Tensor, "B 1 H W"]:
    """Draw which pixels to withhold.

    Args:
        size: ``(B, H, W)``.
        patch_px: Side of a patch in pixels; patches at the right and lower edge may be cut.
        fraction: Share of the patches to hide, the same number in every row.
        generator: Source of randomness, on the CPU.

    Returns:
        (B, 1, H, W) bool, True where the pixel is withheld.
    """
    batch, height, width = size
    rows, columns = -(-height // patch_px), -(-width // patch_px)
    count = round(fraction * rows * columns)
    order = torch.rand(batch, rows * columns, generator=generator).argsort(dim=1)
    hidden = torch.zeros(batch, rows * columns, dtype=torch.bool)
    hidden.scatter_(1, order[:, :count], value=True)
    grid = hidden.view(batch, 1, rows, columns)
    pixels = grid.repeat_interleave(patch_px, dim=2).repeat_interleave(patch_px, dim=3)
    return pixels[:, :, :height, :width]


def hide(
    image: Float[Tensor, "B C H W"], hidden: Bool[Tensor, "B 1 H W"]
) -> Float[Tensor, "B C H W"]:
    """The image with hidden pixels set to 0.5, the middle of the model's window."""
    return torch.where(hidden, torch.full_like(image, 0.5), image)
