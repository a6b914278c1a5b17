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
from torchvision.models.detection.anchor_utils import AnchorGenerator
from torchvision.models.detection.faster_rcnn import FastRCNNPredictor, TwoMLPHead
from torchvision.models.detection.image_list import ImageList
from torchvision.models.detection.mask_rcnn import MaskRCNNHeads, MaskRCNNPredictor
from torchvision.models.detection.roi_heads import RoIHeads
from torchvision.models.detection.rpn import (
    RegionProposalNetwork,
    RPNHead,
    concat_box_prediction_layers,
)
from torchvision.ops import MultiScaleRoIAlign

from tetract.layers import Pyramid, build_pyramid
from tetract.tasks.detection.config import DetectionConfig
from tetract.types.batch import Features

BOX_CELLS, MASK_CELLS = 7, 14
# A lesion of 16 px is pooled from the stride-4 level, one of 32 px from stride 8, and so on.
CANONICAL_PX, CANONICAL_LEVEL = 64, 4


@dataclass(frozen=True, slots=True, kw_only=True)
class DetectionOutput:
    """The first stage. A is the number of anchors of one row.

    Attributes:
        pyramid: Feature maps for the second stage.
        anchors: One (A, 4) tensor per row, xyxy pixels.
        objectness: (B * A, 1) logits.
        deltas: (B * A, 4) box refinements relative to the anchors.
        proposals: One (P, 4) tensor per row, xyxy pixels, best first, without gradient.
    """

    pyramid: Pyramid
    anchors: tuple[Float[Tensor, "A 4"], ...]
    objectness: Float[Tensor, "BA 1"]
    deltas: Float[Tensor, "BA 4"]
    proposals: tuple[Float[Tensor, "_P 4"], ...]


class DetectionHead(nn.Module):
    """Region proposals, then boxes, classes and instance masks."""

    def __init__(
        self,
        *,
        channels: tuple[int, ...],
        strides: tuple[int, ...],
        classes: int,
        config: DetectionConfig,
    ) -> None:
        super().__init__()
        self.classes = classes
        self.pyramid = build_pyramid(
            channels=channels,
            strides=strides,
            finest_stride=config.finest_stride,
            width=config.width,
        )
        levels = [s for s in strides if s >= config.finest_stride]
        names = [str(level) for level in range(len(levels))]
        self.propose = _build_proposer(levels, config)
        self.regions = _build_regions(names, classes, config)
        self.mask_pool = _build_pool(names, MASK_CELLS)
        self.mask_layers = MaskRCNNHeads(config.width, (config.width, config.width), 1)
        self.mask_predictor = MaskRCNNPredictor(config.width, config.width, classes)

    def forward(self, features: Features) -> DetectionOutput:
        """Anchors, their scores and refinements, and the proposals that follow from them."""
        pyramid = cast("Pyramid", self.pyramid(features))
        maps = list(pyramid.maps)
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


def _build_pool(names: list[str], cells: int) -> MultiScaleRoIAlign:
    return MultiScaleRoIAlign(
        names,
        output_size=cells,
        sampling_ratio=2,
        canonical_scale=CANONICAL_PX,
        canonical_level=CANONICAL_LEVEL,
    )


def _build_proposer(levels: list[int], config: DetectionConfig) -> RegionProposalNetwork:
    sizes = tuple(tuple(scale * stride for scale in config.anchor_scales) for stride in levels)
    anchors = AnchorGenerator(sizes, (config.anchor_ratios,) * len(levels))
    kept = {"training": config.proposals, "testing": config.proposals}
    return RegionProposalNetwork(
        anchors,
        RPNHead(config.width, anchors.num_anchors_per_location()[0]),
        # The best anchor overlaps a small box by 0.6 at most; the usual 0.7 would find none.
        fg_iou_thresh=0.5,
        bg_iou_thresh=0.3,
        batch_size_per_image=config.anchors_per_row,
        positive_fraction=0.33,
        pre_nms_top_n=kept,
        post_nms_top_n=kept,
        nms_thresh=0.7,
    )


def _build_regions(names: list[str], classes: int, config: DetectionConfig) -> RoIHeads:
    return RoIHeads(
        _build_pool(names, BOX_CELLS),
        TwoMLPHead(config.width * BOX_CELLS**2, config.box_hidden),
        FastRCNNPredictor(config.box_hidden, classes + 1),
        fg_iou_thresh=0.5,
        bg_iou_thresh=0.5,
        batch_size_per_image=config.regions_per_row,
        positive_fraction=0.33,
        bbox_reg_weights=None,
        score_thresh=config.smallest_score,
        nms_thresh=config.largest_overlap,
        detections_per_img=config.detections,
    )
