"""The decoding half of a U-Net (Ronneberger et al. 2015, arXiv 1505.04597)."""

from __future__ import annotations

from typing import cast

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import interpolate

from tetract.layers.blocks import ConvNormAct, Norm
from tetract.types.batch import Features


class UpBlock(nn.Module):
    """Double the resolution, join the skip where there is one, convolve twice."""

    def __init__(self, channels_in: int, channels_skip: int, channels_out: int, norm: Norm) -> None:
        super().__init__()
        self.convolve = nn.Sequential(
            ConvNormAct(channels_in + channels_skip, channels_out, norm),
            ConvNormAct(channels_out, channels_out, norm),
        )

    def forward(
        self, coarse: Float[Tensor, "B C h w"], skip: Float[Tensor, "B S H W"] | None
    ) -> Float[Tensor, "B O H W"]:
        """Join ``coarse`` (half the size) with ``skip`` and convolve."""
        fine = interpolate(coarse, scale_factor=2.0, mode="nearest")
        if skip is not None:
            fine = torch.cat([fine, skip], dim=1)
        return cast("Tensor", self.convolve(fine))


def used_widths(widths: tuple[int, ...], strides: tuple[int, ...]) -> tuple[int, ...]:
    """The first of ``widths``: one for each halving of the deepest stride down to 1 px."""
    return widths[: strides[-1].bit_length() - 1]


def step_channels(
    widths: tuple[int, ...], *, channels: tuple[int, ...], strides: tuple[int, ...]
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Channels and strides of ``UNetDecoder.steps``."""
    used = used_widths(widths, strides)
    made = tuple(strides[-1] // 2 ** (step + 1) for step in range(len(used)))
    return (*reversed(used), channels[-1]), (*reversed(made), strides[-1])


class UNetDecoder(nn.Module):
    """From the deepest feature map back to the image's resolution.

    Args:
        channels: ``C_i`` of the encoder's maps, finest first.
        strides: Their strides in pixels; each is twice the one before.
        widths: Output channels per step, deepest step first; one for each halving of the stride.
        finest_skip: Skips of a smaller stride than this are not used. 1 uses all of them (the
            paper's U-Net); 8 or more keeps fine detail from being copied past the encoder.
        norm: Normalisation of every block.
    """

    def __init__(
        self,
        *,
        channels: tuple[int, ...],
        strides: tuple[int, ...],
        widths: tuple[int, ...],
        finest_skip: int = 1,
        norm: Norm = "group",
    ) -> None:
        super().__init__()
        skip_at = {
            stride: index for index, stride in enumerate(strides[:-1]) if stride >= finest_skip
        }
        blocks: list[nn.Module] = []
        self._skips: list[int | None] = []
        coarse, stride = channels[-1], strides[-1]
        for width in used_widths(widths, strides):
            stride //= 2
            skip = skip_at.get(stride)
            blocks.append(UpBlock(coarse, 0 if skip is None else channels[skip], width, norm))
            self._skips.append(skip)
            coarse = width
        self.blocks = nn.ModuleList(blocks)
        self.channels_out = coarse

    def forward(self, features: Features) -> Float[Tensor, "B O H W"]:
        """(B, O, H, W) at the image's resolution."""
        return self.steps(features).maps[0]

    def steps(self, features: Features) -> Features:
        """What each step ends in, finest first, behind them the deepest map of ``features``."""
        maps, strides = [features.maps[-1]], [features.strides[-1]]
        for block, skip in zip(self.blocks, self._skips, strict=True):
            maps.insert(0, block(maps[0], None if skip is None else features.maps[skip]))
            strides.insert(0, strides[0] // 2)
        return Features(maps=tuple(maps), strides=tuple(strides))
