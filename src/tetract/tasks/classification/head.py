"""Image classes from pooled features."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import torch
from jaxtyping import Float
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn

from tetract.types.batch import Features


class ClassificationConfig(BaseModel):
    """Settings of the classification head."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    hidden: int = Field(default=128, ge=1, description="Width of the hidden layer.")
    dropout: float = Field(default=0.2, ge=0.0, lt=1.0, description="Share of units dropped.")
    read_segmentation: bool = Field(
        default=True,
        description="Also pool the map that the masks are read from, where the model segments: a "
        "small lesion that the masks have taught is hard to learn again from image labels alone. "
        "The class does not train that map. false: the encoder's maps only, as in the paper.",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassificationOutput:
    """``logits``: (B, K) float32 over ``LabelSpace.classes``."""

    logits: Float[Tensor, "B K"]


class ClassificationHead(nn.Module):
    """Average and maximum of every map, then a two-layer perceptron.

    The maximum lets one small lesion speak for a slice, most of all in the fine maps
    that segmentation and detection teach; the average carries diffuse disease.

    Args:
        channels: ``C_i`` of the maps of the ``Features`` it will be given.
        classes: Number of classes.
        config: Settings.
    """

    def __init__(
        self, *, channels: tuple[int, ...], classes: int, config: ClassificationConfig
    ) -> None:
        super().__init__()
        # Adam moves each weight by about the learning rate, whatever its size, and the moves of
        # thousands of inputs add up. Small inputs into large weights keep one step a small change;
        # and each map has the same say, however many channels it has.
        self.shrinks = tuple((2 * width * len(channels)) ** -0.5 for width in channels)
        first = nn.Linear(2 * sum(channels), config.hidden)
        nn.init.normal_(first.weight)
        self.mlp = nn.Sequential(
            first,
            nn.LayerNorm(config.hidden),
            nn.ReLU(inplace=True),
            nn.Dropout(config.dropout),
            nn.Linear(config.hidden, classes),
        )

    def forward(self, features: Features) -> ClassificationOutput:
        """Class logits of each row."""
        pooled = [
            shrink * reduced
            for shrink, m in zip(self.shrinks, features.maps, strict=True)
            for reduced in (m.float().mean(dim=(2, 3)), m.float().amax(dim=(2, 3)))
        ]
        logits = cast("Tensor", self.mlp(torch.cat(pooled, dim=1)))
        return ClassificationOutput(logits=logits.float())
