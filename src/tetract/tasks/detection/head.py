"""Mask R-CNN (He et al. 2017, arXiv 1703.06870) on the shared features, of torchvision's parts.

Two stages: the first proposes regions, the second classifies, refines and masks them. The
forward pass is the first stage and is the same in training and evaluation; the second is asked
by ``loss.py`` for sampled regions and by ``predict.py`` for proposals.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torchvision.models.detection.image_list import ImageList
from torchvision.models.detection.mask_rcnn import MaskRCNNPredictor
from torchvision.models.detection.rpn import concat_box_prediction_layers

from tetract.errors import RecipeError
from tetract.layers import Pyramid, build_pyramid
from tetract.tasks.detection.config import POOLED_STRIDE, DetectionConfig
from tetract.tasks.detection.propose import build_proposer
from tetract.tasks.detection.regions import (
    MASK_CELLS,
    build_mask_layers,
    build_pool,
    build_regions,
)
from tetract.types.batch import Features


@dataclass(frozen=True, slots=True, kw_only=True)
class DetectionOutput:
    """The first stage. A is the number of anchors of one row.

    Attributes:
        pyramid: Feature maps for the second stage.
        anchors: One (A, 4) tensor per row, xyxy pixels.
        objectness: (B * A, 1) logits.
        deltas: (B * A, 4) box refinements relative to the anchors.
        proposals: One (P, 4) tensor per row, xyxy pixels, best first, without gradient.
        per_level: How many of the A anchors lie on each level, finest first.
    """

    pyramid: Pyramid
    anchors: tuple[Float[Tensor, "A 4"], ...]
    objectness: Float[Tensor, "BA 1"]
    deltas: Float[Tensor, "BA 4"]
    proposals: tuple[Float[Tensor, "_P 4"], ...]
    per_level: tuple[int, ...]


class DetectionHead(nn.Module):
    """Region proposals, then boxes, classes and instance masks.

    Args:
        channels: ``C_i`` of the maps it reads, finest first.
        strides: Their strides in pixels.
        classes: Number of lesion classes.
        config: Its settings, anchors planned.
        joined: Whether the maps are a decoder's, which needs no pathway from coarse to fine.

    Raises:
        RecipeError: ``E_ANCHORS_NOT_PLANNED``.
    """

    def __init__(
        self,
        *,
        channels: tuple[int, ...],
        strides: tuple[int, ...],
        classes: int,
        config: DetectionConfig,
        joined: bool = False,
    ) -> None:
        super().__init__()
        if config.anchors == "auto":
            raise RecipeError(
                "E_ANCHORS_NOT_PLANNED",
                "anchors that fit the data need the data",
                where="detection.anchors",
                found="auto",
                fix="Train with tetract train, or give the anchors that tetract plan prints",
            )
        self.classes = classes
        self.config = config
        levels = [level.stride for level in config.levels()]
        pooled = POOLED_STRIDE in levels
        finest = min(levels[0], strides[-1])
        self.pyramid = build_pyramid(
            channels=channels,
            strides=strides,
            finest_stride=finest,
            width=config.width,
            top_down=not joined,
            norm=config.pyramid_norm == "group",
            pooled=pooled,
        )
        self._levels = tuple(levels)
        # The pooled level proposes; regions are read from maps that were learnt.
        names = [str(level) for level in range(sum(s >= finest for s in strides))]
        self.propose = build_proposer(config)
        self.regions = build_regions(names, classes, config)
        self.mask_pool = build_pool(names, MASK_CELLS, config)
        self.mask_layers = build_mask_layers(config)
        self.mask_predictor = MaskRCNNPredictor(config.width, config.width, classes)

    def forward(self, features: Features) -> DetectionOutput:
        """Anchors, their scores and refinements, and the proposals that follow from them."""
        pyramid = cast("Pyramid", self.pyramid(features))
        by_stride = dict(zip(pyramid.strides, pyramid.maps, strict=True))
        maps = [by_stride[stride] for stride in self._levels]
        rows = maps[0].shape[0]
        # Only the sizes are read; no pixels are needed here.
        canvas = torch.zeros((), device=maps[0].device).expand(rows, 1, *pyramid.image_size)
        images = ImageList(canvas, [pyramid.image_size] * rows)
        scores, deltas = self.propose.head(maps)
        anchors = self.propose.anchor_generator(images, maps)
        per_level = [s.shape[1] * s.shape[2] * s.shape[3] for s in scores]
        objectness, deltas = concat_box_prediction_layers(scores, deltas)
        objectness, deltas = objectness.float(), deltas.float()
        boxes = self.propose.box_coder.decode(deltas.detach(), anchors).view(rows, -1, 4)
        proposals, _ = self.propose.filter_proposals(
            boxes, objectness.detach(), images.image_sizes, per_level
        )
        return DetectionOutput(
            pyramid=pyramid,
            anchors=tuple(anchors),
            objectness=objectness,
            deltas=deltas,
            proposals=tuple(proposals),
            per_level=tuple(per_level),
        )

    def score(
        self, pyramid: Pyramid, regions: list[Float[Tensor, "_R 4"]]
    ) -> tuple[Float[Tensor, "N C"], Float[Tensor, "N C4"]]:
        """Class logits (background first) and per-class refinements of all rows' regions."""
        pooled = self.regions.box_roi_pool(
            _named(pyramid), regions, [pyramid.image_size] * len(regions)
        )
        logits, deltas = self.regions.box_predictor(self.regions.box_head(pooled))
        return logits.float(), deltas.float()

    def masks(
        self, pyramid: Pyramid, boxes: list[Float[Tensor, "_R 4"]]
    ) -> Float[Tensor, "N K m m"]:
        """Mask logits per class on a 28x28 grid laid over each box."""
        pooled = self.mask_pool(_named(pyramid), boxes, [pyramid.image_size] * len(boxes))
        return cast("Tensor", self.mask_predictor(self.mask_layers(pooled))).float()


def _named(pyramid: Pyramid) -> dict[str, Tensor]:
    return {str(level): m for level, m in enumerate(pyramid.maps)}
