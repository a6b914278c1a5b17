"""The smallest parts: the normalisations, and a convolution block."""

from __future__ import annotations

from typing import Literal

from torch import nn

Norm = Literal["group", "batch"]

CHANNELS_PER_GROUP = 4


def group_norm(channels: int) -> nn.GroupNorm:
    """GroupNorm (Wu & He 2018, arXiv 1803.08494) with about 4 channels per group.

    It keeps no running statistics, so rows from different scanners in one batch, and heads that
    see only some of the rows, cannot disturb one another.

    Args:
        channels: Number of channels, any positive count; the group size is the largest divisor
            of ``channels`` that is at most 4. Larger groups let one strong channel drown the others
            in the narrow layers at the end of a decoder.
    """
    size = next(s for s in range(CHANNELS_PER_GROUP, 0, -1) if channels % s == 0)
    return nn.GroupNorm(channels // size, channels)


class ConvNormAct(nn.Sequential):
    """3x3 convolution, GroupNorm or BatchNorm, ReLU: (B, C_in, H, W) -> (B, C_out, H, W)."""

    def __init__(self, channels_in: int, channels_out: int, norm: Norm = "group") -> None:
        normalise = group_norm if norm == "group" else nn.BatchNorm2d
        super().__init__(
            nn.Conv2d(channels_in, channels_out, kernel_size=3, padding=1, bias=False),
            normalise(channels_out),
            nn.ReLU(inplace=True),
        )
