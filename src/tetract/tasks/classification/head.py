"""Image classes from pooled features."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, cast

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
    label_smoothing: float = Field(
        default=0.0,
        ge=0.0,
        lt=1.0,
        description="Share of the loss that asks for every class alike (arXiv 1512.00567), so that "
        "a wrong label costs less. The rest asks for the row's candidates.",
    )
    pooling: Literal["average", "attention"] = Field(
        default="average",
        description="What stands beside the maximum of each map. average: of all places; "
        "attention: an average in which places have learnt weights.",
    )
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


class AttentionPool(nn.Module):
    """An average over places, weighted by what is there (Ilse et al. 2018, arXiv 1802.04712).

    It starts as the plain average.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.score = nn.Conv2d(width, 1, kernel_size=1)
        nn.init.zeros_(self.score.weight)

    def forward(self, features: Float[Tensor, "B C H W"]) -> Float[Tensor, "B C"]:
        """The weighted average of every channel."""
        weight = cast("Tensor", self.score(features)).flatten(2).softmax(dim=2)  # (B, 1, HW)
        return (features.flatten(2) * weight).sum(dim=2)


class AveragePool(nn.Module):
    """The plain average over places."""

    def forward(self, features: Float[Tensor, "B C H W"]) -> Float[Tensor, "B C"]:
        """The average of every channel."""
        return features.mean(dim=(2, 3))


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
        self.smoothing = config.label_smoothing
        attends = config.pooling == "attention"
        self.pools = nn.ModuleList(
            AttentionPool(width) if attends else AveragePool() for width in channels
        )
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
            for shrink, pool, m in zip(self.shrinks, self.pools, features.maps, strict=True)
            for reduced in (cast("Tensor", pool(m.float())), m.float().amax(dim=(2, 3)))
        ]
        logits = cast("Tensor", self.mlp(torch.cat(pooled, dim=1)))
        return ClassificationOutput(logits=logits.float())
