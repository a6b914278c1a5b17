"""Mask probabilities from logits."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor

from tetract.tasks.segmentation.head import SegmentationHead, SegmentationOutput


def predict_masks(
    head: SegmentationHead,  # noqa: ARG001  the four rooms share one signature
    output: SegmentationOutput,
) -> Float[Tensor, "B M H W"]:
    """(B, M, H, W) probabilities, each channel on its own."""
    return output.logits.sigmoid()
