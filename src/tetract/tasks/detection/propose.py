"""The first stage's parts: anchors, their scores, and which of them count as lesions."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import cast

import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn
from torchvision.models.detection.rpn import RegionProposalNetwork, RPNHead
from torchvision.ops import box_iou
from torchvision.ops.misc import Conv2dNormActivation

from tetract.layers import group_norm
from tetract.tasks.detection.anchors import build_anchors
from tetract.tasks.detection.config import DetectionConfig
from tetract.types.batch import BoxRow

IGNORED = -1  # torchvision's sampler takes neither side from these anchors
RARE = 0.01  # share of lesions that focal loss starts from (Lin et al. 2017, section 3.3)
NEAREST = 4  # ATSS: cells per lesion and level whose anchors are candidates (nnDetection's value)


def build_proposer(config: DetectionConfig) -> RegionProposalNetwork:
    """The first stage of torchvision on our anchors."""
    anchors = build_anchors(config)
    head = RPNHead(config.width, anchors.num_anchors_per_location()[0])
    if config.head_norm == "group":
        head.conv = nn.Sequential(
            Conv2dNormActivation(config.width, config.width, 3, norm_layer=group_norm)
        )
    if config.objectness == "focal":
        # Most anchors are background: without this start their sum buries the few lesions.
        nn.init.constant_(cast("Tensor", head.cls_logits.bias), -math.log((1 - RARE) / RARE))
    kept = {
        "training": config.proposals_in_training or config.proposals,
        "testing": config.proposals,
    }
    return RegionProposalNetwork(
        anchors,
        head,
        fg_iou_thresh=config.anchor_lesion_iou,
        bg_iou_thresh=config.anchor_background_iou,
        batch_size_per_image=config.anchors_per_row,
        positive_fraction=config.anchor_lesion_share,
        pre_nms_top_n=kept,
        post_nms_top_n=kept,
        nms_thresh=0.7,
    )


def match_by_iou(
    propose: RegionProposalNetwork,
    anchors: Sequence[Float[Tensor, "A 4"]],
    rows: Sequence[BoxRow],
) -> tuple[list[Float[Tensor, " A"]], list[Float[Tensor, "A 4"]]]:
    """Per row, each anchor's label (1 lesion, 0 background, -1 neither) and the box it is for."""
    targets = [{"boxes": row.xyxy} for row in rows]
    labels, matched = propose.assign_targets_to_anchors(list(anchors), targets)
    return list(labels), list(matched)


def match_adaptively(
    anchors: Sequence[Float[Tensor, "A 4"]],
    per_level: Sequence[int],
    rows: Sequence[BoxRow],
    *,
    per_cell: int,
) -> tuple[list[Float[Tensor, " A"]], list[Float[Tensor, "A 4"]]]:
    """The same by ATSS (Zhang et al. 2020, arXiv 1912.02424), the box's centre not asked for.

    For each box the anchors of the nearest cells are candidates, a few per level; those that
    overlap it by the candidates' mean plus one standard deviation are its lesions. No anchor is
    left out: what is no lesion is background.

    Args:
        anchors: One (A, 4) tensor per row, xyxy pixels.
        per_level: How many of the A anchors lie on each level.
        rows: The boxes.
        per_cell: How many anchors share a centre.
    """
    wanted = [min(NEAREST * per_cell, count) for count in per_level]
    found = [
        _match_row(one, list(zip(per_level, wanted, strict=True)), row.xyxy)
        for one, row in zip(anchors, rows, strict=True)
    ]
    return [label for label, _ in found], [box for _, box in found]


def _match_row(
    anchors: Float[Tensor, "A 4"],
    levels: Sequence[tuple[int, int]],
    boxes: Float[Tensor, "N 4"],
) -> tuple[Float[Tensor, " A"], Float[Tensor, "A 4"]]:
    labels = anchors.new_zeros(len(anchors))
    if len(boxes) == 0:
        return labels, torch.zeros_like(anchors)
    overlap = box_iou(boxes, anchors)
    chosen = _nearest(anchors, levels, boxes)
    values = overlap.gather(1, chosen)
    # One candidate has no spread; its own overlap is then the threshold.
    spread = values.std(dim=1) if values.shape[1] > 1 else torch.zeros_like(values[:, 0])
    enough = values >= (values.mean(dim=1) + spread)[:, None]
    # Where several overlaps are equal rounding may leave none: the best always counts.
    enough |= values == values.amax(dim=1, keepdim=True)
    lesion = torch.zeros_like(overlap, dtype=torch.bool).scatter(1, chosen, enough)
    best, index = torch.where(lesion, overlap, -torch.ones_like(overlap)).max(dim=0)
    labels[best >= 0] = 1.0
    return labels, boxes[index]


def _nearest(
    anchors: Float[Tensor, "A 4"],
    levels: Sequence[tuple[int, int]],
    boxes: Float[Tensor, "N 4"],
) -> Int64[Tensor, "N _K"]:
    """Per box, the anchors with the nearest centres; ``levels``: how many there are, and wanted."""
    centres = (anchors[:, :2] + anchors[:, 2:]) / 2
    distance = torch.cdist((boxes[:, :2] + boxes[:, 2:]) / 2, centres)
    found: list[Tensor] = []
    first = 0
    for count, wanted in levels:
        nearest = distance[:, first : first + count].topk(wanted, largest=False)
        found.append(nearest.indices + first)
        first += count
    return torch.cat(found, dim=1)


def draw_hard(
    labels: Sequence[Float[Tensor, " A"]],
    scores: Sequence[Float[Tensor, " A"]],
    config: DetectionConfig,
) -> tuple[Int64[Tensor, " P"], Int64[Tensor, " Q"]]:
    """Indices of sampled lesions and background over all rows, background from the best scored.

    Args:
        labels: Per row, as ``match_by_iou`` gives them.
        scores: Objectness of the same anchors.
        config: Says how many, and how large the pool is.
    """
    lesions: list[Tensor] = []
    others: list[Tensor] = []
    first = 0
    for label, score in zip(labels, scores, strict=True):
        lesion, other = (label >= 1).nonzero()[:, 0], (label == 0).nonzero()[:, 0]
        wanted = int(config.anchors_per_row * config.anchor_lesion_share)
        lesion = _some(lesion, wanted)
        wanted = min(config.anchors_per_row - len(lesion), len(other))
        pool = score[other].topk(min(wanted * config.hard_negatives, len(other))).indices
        lesions.append(lesion + first)
        others.append(_some(other[pool], wanted) + first)
        first += len(label)
    return torch.cat(lesions), torch.cat(others)


def _some(indices: Int64[Tensor, " N"], count: int) -> Int64[Tensor, " M"]:
    order = torch.randperm(len(indices), device=indices.device)
    return indices[order[:count]]
