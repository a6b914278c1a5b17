"""The slice itself, from its features."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, cast

from jaxtyping import Float
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn

from tetract.layers import Norm, UNetDecoder
from tetract.types.batch import Features


class ReconstructionConfig(BaseModel):
    """Settings of the reconstruction head."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    mode: Literal["masked", "denoising", "genesis", "plain"] = Field(
        default="masked",
        description="masked: infer hidden patches; denoising: take noise away; genesis: mend other "
        "grey values, shuffled places and painted parts; plain: the paper's U-Net, which sees all.",
    )
    widths: tuple[int, ...] = Field(
        default=(128, 64, 48, 32, 16), description="Decoder channels, deepest step first."
    )
    norm: Norm = Field(
        default="group", description="Normalisation of the decoder; batch is the paper's."
    )
    finest_skip: int | None = Field(
        default=None,
        description="Finest skip used, stride in px; by default 1 when plain, else 8.",
    )
    patch_px: int = Field(default=16, ge=2, description="Side of a hidden patch, px.")
    noise_std: float = Field(
        default=0.1, gt=0.0, le=1.0, description="Noise to take away, in model units."
    )
    hidden_fraction: float = Field(default=0.5, gt=0.0, lt=1.0, description="Share of patches.")
    rows_per_step: float = Field(
        default=0.5,
        gt=0.0,
        le=1.0,
        description="Share of the batch's rows shown a second time, hidden or damaged.",
    )

    @property
    def skip_stride(self) -> int:
        """Stride in px of the finest skip in use."""
        if self.finest_skip is not None:
            return self.finest_skip
        return 1 if self.mode == "plain" else 8


@dataclass(frozen=True, slots=True, kw_only=True)
class ReconstructionOutput:
    """``image``: (B, 1, H, W) float32 in [0, 1], the slice without its neighbours."""

    image: Float[Tensor, "B 1 H W"]


class ReconstructionHead(nn.Module):
    """U-Net decoder back to the grey values."""

    def __init__(
        self,
        *,
        channels: tuple[int, ...],
        strides: tuple[int, ...],
        config: ReconstructionConfig,
    ) -> None:
        super().__init__()
        self.decoder = UNetDecoder(
            channels=channels,
            strides=strides,
            widths=config.widths,
            finest_skip=config.skip_stride,
            norm=config.norm,
        )
        # 3x3 for the same reason as in the segmentation head: it learns faster than 1x1.
        self.project = nn.Conv2d(
            self.decoder.channels_out, out_channels=1, kernel_size=3, padding=1
        )

    def forward(self, features: Features) -> ReconstructionOutput:
        """The slice as the features remember it."""
        logits = cast("Tensor", self.project(self.decoder(features)))
        return ReconstructionOutput(image=logits.float().sigmoid())
