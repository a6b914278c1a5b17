"""Anchors on the cells of the pyramid."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor
from torchvision.models.detection.anchor_utils import AnchorGenerator

from tetract.tasks.detection.config import DetectionConfig


class ExactAnchors(AnchorGenerator):
    """torchvision's anchors with the sides that were asked for.

    The original rounds half sides to whole pixels, which makes 4 px of a side of 3, 4 or 5 and one
    anchor of all its ratios: nothing at 300 px, a missed lesion at 5.
    """

    def generate_anchors(
        self,
        scales: Sequence[float],
        aspect_ratios: Sequence[float],
        dtype: torch.dtype = torch.float32,
        device: torch.device | None = None,
    ) -> Float[Tensor, "A 4"]:
        """``(x0, y0, x1, y1)`` px around the origin, ratio by ratio, size by size."""
        sizes = torch.as_tensor(scales, dtype=dtype, device=device)
        height = torch.as_tensor(aspect_ratios, dtype=dtype, device=device).sqrt()
        widths = (sizes[None, :] / height[:, None]).flatten()
        heights = (sizes[None, :] * height[:, None]).flatten()
        return torch.stack([-widths, -heights, widths, heights], dim=1) / 2


def build_anchors(config: DetectionConfig) -> AnchorGenerator:
    """The generator for ``config.levels()``.

    Where anchors are scaled it is torchvision's own, rounding included: models trained with it
    expect it.
    """
    levels = config.levels()
    kind = AnchorGenerator if config.anchors == "scaled" else ExactAnchors
    return kind(tuple(level.sizes for level in levels), tuple(level.ratios for level in levels))
