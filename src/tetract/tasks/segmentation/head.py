"""Masks from a U-Net decoder."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, cast

from jaxtyping import Float
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn

from tetract.layers import Norm, UNetDecoder, step_channels
from tetract.types.batch import Features


class SegmentationConfig(BaseModel):
    """Settings of the segmentation head."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    widths: tuple[int, ...] = Field(
        default=(128, 64, 48, 32, 16), description="Decoder channels, deepest step first."
    )
    deep_supervision: int = Field(
        default=0,
        ge=0,
        le=4,
        description="How many coarser steps of the decoder say masks of their own while training, "
        "each counting half of the next finer one. What a coarse pixel covers counts as lesion "
        "where any of it is, so that small lesions stay. 0: none.",
    )
    norm: Norm = Field(
        default="group", description="Normalisation of the decoder; batch is the paper's."
    )
    loss: Literal[
        "dice_bce",
        "dice",
        "generalized_dice",
        "bce",
        "focal",
        "tversky",
        "focal_tversky",
        "lovasz",
        "dice_boundary",
        "cc_dice_bce",
    ] = Field(
        default="dice_bce",
        description="dice_bce is the default, generalized_dice the paper's; cc_dice_bce lets "
        "every lesion count alike, whatever its size.",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentationOutput:
    """What the decoder ends in, and the masks.

    Attributes:
        decoded: (B, D, H, W), the map that the masks are read from.
        logits: (B, M, H, W) float32 over ``LabelSpace.mask_classes``, one sigmoid each.
        coarser: The same as coarser steps say it, (B, M, H / 2, W / 2) and on; empty without deep
            supervision.
    """

    decoded: Float[Tensor, "B D H W"]
    logits: Float[Tensor, "B M H W"]
    coarser: tuple[Float[Tensor, "B M _height _width"], ...] = ()


class SegmentationHead(nn.Module):
    """U-Net decoder with one sigmoid channel per class, so that classes may overlap.

    A softmax would make lung and infection exclude each other, and would turn a class that a
    source never annotated into background.
    """

    def __init__(
        self,
        *,
        channels: tuple[int, ...],
        strides: tuple[int, ...],
        classes: int,
        config: SegmentationConfig,
    ) -> None:
        super().__init__()
        self.loss = config.loss
        self.decoder = UNetDecoder(
            channels=channels, strides=strides, widths=config.widths, norm=config.norm
        )
        # 3x3, not 1x1: the decoder ends in few channels, and each step of Adam moves a weight by
        # about the learning rate, so a sum over nine times as many of them learns faster.
        self.project = _projection(self.decoder.channels_out, classes)
        widths, _ = step_channels(config.widths, channels=channels, strides=strides)
        # Steps between the finest, which says the masks, and the deepest map, which is no step.
        self.coarser = nn.ModuleList(
            _projection(width, classes) for width in widths[1:-1][: config.deep_supervision]
        )

    def forward(self, features: Features) -> SegmentationOutput:
        """Mask logits at the image's resolution."""
        return self.read(self.steps(features))

    def steps(self, features: Features) -> Features:
        """What each step of the decoder ends in, finest first, then the encoder's deepest map."""
        return self.decoder.steps(features)

    def read(self, steps: Features) -> SegmentationOutput:
        """Mask logits from the decoder's finest map."""
        decoded = steps.maps[0]
        logits = cast("Tensor", self.project(decoded))
        coarser = tuple(
            cast("Tensor", project(m)).float()
            for project, m in zip(self.coarser, steps.maps[1:], strict=False)
        )
        return SegmentationOutput(decoded=decoded, logits=logits.float(), coarser=coarser)


def _projection(width: int, classes: int) -> nn.Conv2d:
    layer = nn.Conv2d(width, classes, kernel_size=3, padding=1)
    # Lesions cover few pixels: start from "rarely" (12 %), not from "one half".
    nn.init.constant_(cast("Tensor", layer.bias), -2.0)
    return layer
