"""A feature pyramid over the encoder's maps (Lin et al. 2017, arXiv 1612.03144)."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor, nn
from torchvision.ops import FeaturePyramidNetwork

from tetract.layers.blocks import group_norm
from tetract.types.batch import Features


@dataclass(frozen=True, slots=True, kw_only=True)
class Pyramid:
    """Maps of equal width, finest first.

    Attributes:
        maps: Tuple of (B, C, H / s_i, W / s_i), float32.
        strides: ``s_i`` in pixels.
        image_size: ``(H, W)`` of the image in pixels.
    """

    maps: tuple[Float[Tensor, "B C _height _width"], ...]
    strides: tuple[int, ...]
    image_size: tuple[int, int]


class PyramidNetwork(nn.Module):
    """Top-down pathway with lateral connections, from torchvision's own part."""

    def __init__(self, *, channels: tuple[int, ...], levels: tuple[int, ...], width: int) -> None:
        super().__init__()
        self.levels = levels
        self.network = FeaturePyramidNetwork(
            [channels[level] for level in levels], width, norm_layer=group_norm
        )

    def forward(self, features: Features) -> Pyramid:
        """Pyramid over the chosen levels of ``features``."""
        named = OrderedDict((str(level), features.maps[level]) for level in self.levels)
        joined: dict[str, Tensor] = self.network(named)
        return Pyramid(
            # RoIAlign on the CPU has no bfloat16 kernel, and box arithmetic needs float32.
            maps=tuple(m.float() for m in joined.values()),
            strides=tuple(features.strides[level] for level in self.levels),
            image_size=features.image_size,
        )


def build_pyramid(
    *, channels: tuple[int, ...], strides: tuple[int, ...], finest_stride: int, width: int
) -> PyramidNetwork:
    """A pyramid from ``finest_stride`` (px) down to the encoder's deepest map, ``width`` wide."""
    levels = tuple(i for i, stride in enumerate(strides) if stride >= finest_stride)
    return PyramidNetwork(channels=channels, levels=levels, width=width)
