"""Figure 1's trunk: any encoder of segmentation-models-pytorch or timm, by name."""

from __future__ import annotations

import difflib
from typing import cast

import segmentation_models_pytorch as smp
import timm
from jaxtyping import Float
from torch import Tensor, nn

from tetract.errors import RecipeError
from tetract.layers import ConvNormAct, group_norm
from tetract.model.spec import EncoderConfig
from tetract.types.batch import Features

DEPTH = 5
# Our names for the paper's encoders; VGG-13 with normalisation, without which it does not train
# from scratch on small batches. Every other name goes to the library as it is.
ALIASES = {"vgg13": "vgg13_bn", "vgg16": "vgg16_bn"}


class Encoder(nn.Module):
    """A trunk that says what it yields.

    Args:
        config: Name and normalisation.
        image_channels: Channels of the input.
    """

    def __init__(self, config: EncoderConfig, *, image_channels: int = 1) -> None:
        super().__init__()
        self.trunk = _build_trunk(config.name, image_channels)
        self.frozen = config.norm == "frozen"
        self._mean, self._std = config.input_scale
        if config.norm == "group":
            _replace_batch_norm(self.trunk)
        # The first map of many encoders is the image itself, which holds nothing learnt.
        widths: list[int] = list(cast("list[int]", self.trunk.out_channels))
        self._skip_first = widths[0] == image_channels
        first = 1 if self._skip_first else 0
        self._channels = tuple(widths[first:])
        self._strides = tuple(2**i for i in range(first, len(widths)))
        self.fine_stem: nn.Sequential | None = None
        if config.fine_stem and self._strides[0] > 1:
            norm = "batch" if config.norm == "batch" else "group"
            self.fine_stem = nn.Sequential(
                ConvNormAct(image_channels, config.fine_stem, norm),
                ConvNormAct(config.fine_stem, config.fine_stem, norm),
            )
            self._channels = (config.fine_stem, *self._channels)
            self._strides = (1, *self._strides)

    @property
    def channels(self) -> tuple[int, ...]:
        """``C_i`` of each map, finest first."""
        return self._channels

    @property
    def strides(self) -> tuple[int, ...]:
        """Stride of each map in pixels."""
        return self._strides

    def forward(self, image: Float[Tensor, "B C H W"]) -> Features:
        """Feature maps of (B, C, H, W); H and W are multiples of 32."""
        # Around zero: without it a trunk from scratch spends its first hundred steps on the offset.
        centred = (image - self._mean) / self._std
        maps: list[Tensor] = self.trunk(centred)
        maps = maps[1:] if self._skip_first else maps
        if self.fine_stem is not None:
            maps = [self.fine_stem(centred), *maps]
        return Features(maps=tuple(maps), strides=self._strides)

    def train(self, mode: bool = True) -> Encoder:
        """As nn.Module's, but frozen BatchNorm keeps using its stored statistics."""
        super().train(mode)
        if self.frozen:
            for module in self.modules():
                if isinstance(module, nn.BatchNorm2d):
                    module.eval()
        return self


def _build_trunk(name: str, image_channels: int) -> nn.Module:
    library_name = ALIASES.get(name, name)
    known = [*ALIASES, *smp.encoders.encoders]
    timm_name = library_name.removeprefix("tu-")
    is_timm = library_name.startswith("tu-") and timm_name in timm.list_models()
    if library_name not in smp.encoders.encoders and not is_timm:
        if library_name.startswith("tu-"):
            known = [f"tu-{one}" for one in timm.list_models()]
        near = difflib.get_close_matches(name, known, n=3) or ["resnet18", "resnet50", "vgg13"]
        raise RecipeError(
            "E_UNKNOWN_ENCODER",
            "no encoder of this name",
            where="encoder.name",
            found=name,
            fix=f"Did you mean {', '.join(near)}? For a timm encoder write tu-NAME",
        )
    try:
        return smp.encoders.get_encoder(
            library_name, in_channels=image_channels, depth=DEPTH, weights=None
        )
    except (KeyError, ValueError, AssertionError, IndexError) as error:
        raise RecipeError(
            "E_ENCODER_UNFIT",
            "this encoder has no five feature maps of stride 2 to 32",
            where="encoder.name",
            found=name,
            fix="Choose a convolutional encoder such as resnet18, resnet50 or vgg13",
        ) from error


def _replace_batch_norm(module: nn.Module) -> None:
    """Put GroupNorm where BatchNorm was, throughout."""
    for name, child in module.named_children():
        # timm has BatchNorm subclasses that apply the activation too; its own converter would
        # be needed for those, so the activation is kept by wrapping.
        if isinstance(child, nn.BatchNorm2d):
            norm = group_norm(child.num_features)
            activation = getattr(child, "act", None)
            kept = nn.Sequential(norm, activation) if isinstance(activation, nn.Module) else norm
            setattr(module, name, kept)
        else:
            _replace_batch_norm(child)
