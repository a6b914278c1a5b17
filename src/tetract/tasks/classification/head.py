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


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassificationOutput:
    """``logits``: (B, K) float32 over ``LabelSpace.classes``."""

    logits: Float[Tensor, "B K"]


class ClassificationHead(nn.Module):
    """Average and maximum of every map, then a two-layer perceptron.

    The maximum lets one small lesion speak for a slice, most of all in the fine maps
    that segmentation and detection teach; the average carries diffuse disease.
    """

    def __init__(
        self, *, channels: tuple[int, ...], classes: int, config: ClassificationConfig
    ) -> None:
        super().__init__()
        pooled = 2 * sum(channels)
        # Adam moves each weight by about the learning rate, whatever its size, and the moves of
        # thousands of inputs add up. Small inputs into large weights keep one step a small change.
        self.shrink = pooled**-0.5
        first = nn.Linear(pooled, config.hidden)
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
        maps = [m.float() for m in features.maps]
        pooled = [m.mean(dim=(2, 3)) for m in maps] + [m.amax(dim=(2, 3)) for m in maps]
        logits = cast("Tensor", self.mlp(self.shrink * torch.cat(pooled, dim=1)))
        return ClassificationOutput(logits=logits.float())
