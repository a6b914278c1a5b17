"""The second stage's parts: what is read under a region, and what is made of it."""

from __future__ import annotations

from typing import cast

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torchvision.models.detection.faster_rcnn import (
    FastRCNNConvFCHead,
    FastRCNNPredictor,
    TwoMLPHead,
)
from torchvision.models.detection.mask_rcnn import MaskRCNNHeads
from torchvision.models.detection.roi_heads import RoIHeads
from torchvision.ops import MultiScaleRoIAlign

from tetract.layers import group_norm
from tetract.tasks.detection.config import DetectionConfig

BOX_CELLS, MASK_CELLS = 7, 14
CANONICAL_LEVEL = 4  # stride 16


class ContextPool(nn.Module):
    """Pools each region twice: as it is, and enlarged about its centre.

    A nodule of 4 px looks like a vessel cut across until one sees what it hangs on.

    Args:
        pool: Pools one map per region.
        scale: How many times wider and higher the second look is. What lies outside the image
            reads as zero.
        concat: Whether both looks are kept side by side (2 C channels) or averaged (C).
    """

    def __init__(self, pool: MultiScaleRoIAlign, *, scale: float, concat: bool) -> None:
        super().__init__()
        self.pool = pool
        self.scale = scale
        self.concat = concat

    def forward(
        self,
        maps: dict[str, Tensor],
        regions: list[Float[Tensor, "_R 4"]],
        sizes: list[tuple[int, int]],
    ) -> Float[Tensor, "N C k k"]:
        """As MultiScaleRoIAlign's."""
        near = cast("Tensor", self.pool(maps, regions, sizes))
        wide = cast("Tensor", self.pool(maps, [enlarged(r, self.scale) for r in regions], sizes))
        return torch.cat([near, wide], dim=1) if self.concat else (near + wide) / 2


def enlarged(boxes: Float[Tensor, "N 4"], scale: float) -> Float[Tensor, "N 4"]:
    """Boxes ``scale`` times as wide and high about the same centres, px."""
    centre = (boxes[:, :2] + boxes[:, 2:]) / 2
    half = (boxes[:, 2:] - boxes[:, :2]) * (scale / 2)
    return torch.cat([centre - half, centre + half], dim=1)


def build_pool(names: list[str], cells: int, config: DetectionConfig) -> MultiScaleRoIAlign:
    """Reads ``cells`` x ``cells`` values under a region, from the level that suits its size."""
    return MultiScaleRoIAlign(
        names,
        output_size=cells,
        sampling_ratio=2,
        canonical_scale=config.canonical_px,
        canonical_level=CANONICAL_LEVEL,
    )


def build_regions(names: list[str], classes: int, config: DetectionConfig) -> RoIHeads:
    """The second stage of torchvision, without its masks."""
    pool = build_pool(names, BOX_CELLS, config)
    width = config.width
    if config.context != "none":
        concat = config.context == "concat"
        pool = ContextPool(pool, scale=config.context_scale, concat=concat)
        width *= 2 if concat else 1
    return RoIHeads(
        pool,
        _box_head(width, config),
        FastRCNNPredictor(config.box_hidden, classes + 1),
        fg_iou_thresh=0.5,
        bg_iou_thresh=0.5,
        batch_size_per_image=config.regions_per_row,
        positive_fraction=config.region_lesion_share,
        bbox_reg_weights=None,
        score_thresh=config.smallest_score,
        nms_thresh=config.largest_overlap,
        detections_per_img=config.detections,
    )


def build_mask_layers(config: DetectionConfig) -> MaskRCNNHeads:
    """The convolutions of the mask head."""
    norm = group_norm if config.head_norm == "group" else None
    return MaskRCNNHeads(config.width, (config.width,) * config.mask_convs, 1, norm_layer=norm)


def _box_head(width: int, config: DetectionConfig) -> nn.Module:
    if config.box_convs == 0:
        return TwoMLPHead(width * BOX_CELLS**2, config.box_hidden)
    return FastRCNNConvFCHead(
        (width, BOX_CELLS, BOX_CELLS),
        [config.width] * config.box_convs,
        [config.box_hidden],
        norm_layer=group_norm if config.head_norm == "group" else None,
    )
