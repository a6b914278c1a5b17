"""A feature pyramid over the encoder's maps (Lin et al. 2017, arXiv 1612.03144)."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import cast

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import max_pool2d
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

    def __init__(
        self, *, channels: tuple[int, ...], levels: tuple[int, ...], width: int, norm: bool = True
    ) -> None:
        super().__init__()
        self.levels = levels
        self.network = FeaturePyramidNetwork(
            [channels[level] for level in levels], width, norm_layer=group_norm if norm else None
        )

    def forward(self, features: Features) -> Pyramid:
        """Pyramid over the chosen levels of ``features``."""
        named = OrderedDict((str(level), features.maps[level]) for level in self.levels)
        joined: dict[str, Tensor] = self.network(named)
        return _pyramid(tuple(joined.values()), features, self.levels)


class SideBranches(nn.Module):
    """Maps brought to one width each on its own: for maps that a decoder has joined already."""

    def __init__(
        self, *, channels: tuple[int, ...], levels: tuple[int, ...], width: int, norm: bool = True
    ) -> None:
        super().__init__()
        self.levels = levels
        self.branches = nn.ModuleList(
            nn.Sequential(
                nn.Conv2d(channels[level], width, kernel_size=1, bias=not norm),
                group_norm(width) if norm else nn.Identity(),
            )
            for level in levels
        )

    def forward(self, features: Features) -> Pyramid:
        """Pyramid of the chosen levels of ``features``."""
        maps = [
            branch(features.maps[level])
            for branch, level in zip(self.branches, self.levels, strict=True)
        ]
        return _pyramid(tuple(maps), features, self.levels)


class WithPooledLevel(nn.Module):
    """A pyramid and one level more: every second pixel of its coarsest, as torchvision has it."""

    def __init__(self, network: PyramidNetwork | SideBranches) -> None:
        super().__init__()
        self.network = network

    def forward(self, features: Features) -> Pyramid:
        """The pyramid of ``network`` with its additional level."""
        pyramid = cast("Pyramid", self.network(features))
        return Pyramid(
            maps=(*pyramid.maps, max_pool2d(pyramid.maps[-1], kernel_size=1, stride=2)),
            strides=(*pyramid.strides, 2 * pyramid.strides[-1]),
            image_size=pyramid.image_size,
        )


def build_pyramid(
    *,
    channels: tuple[int, ...],
    strides: tuple[int, ...],
    finest_stride: int,
    width: int,
    top_down: bool = True,
    norm: bool = True,
    pooled: bool = False,
) -> PyramidNetwork | SideBranches | WithPooledLevel:
    """A pyramid from ``finest_stride`` (px) down to the deepest map, ``width`` wide.

    Args:
        channels: ``C_i`` of the maps, finest first.
        strides: Their strides in pixels.
        finest_stride: Maps of a smaller stride are not used.
        width: Channels of every level.
        top_down: Whether coarse levels are added into finer ones; False for a decoder's maps.
        norm: Whether levels are normalised.
        pooled: Whether there is one more level of twice the coarsest stride.
    """
    levels = tuple(i for i, stride in enumerate(strides) if stride >= finest_stride)
    kind = PyramidNetwork if top_down else SideBranches
    network = kind(channels=channels, levels=levels, width=width, norm=norm)
    return WithPooledLevel(network) if pooled else network


def _pyramid(maps: tuple[Tensor, ...], features: Features, levels: tuple[int, ...]) -> Pyramid:
    return Pyramid(
        # RoIAlign on the CPU has no bfloat16 kernel, and box arithmetic needs float32.
        maps=tuple(m.float() for m in maps),
        strides=tuple(features.strides[level] for level in levels),
        image_size=features.image_size,
    )
