"""The five parts of the Mask R-CNN loss, for rows that carry only boxes or only some classes."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits, smooth_l1_loss
from torchvision.models.detection.roi_heads import project_masks_on_boxes
from torchvision.ops import sigmoid_focal_loss

from tetract.tasks.detection.config import DetectionConfig
from tetract.tasks.detection.head import DetectionHead, DetectionOutput
from tetract.tasks.detection.propose import IGNORED, draw_hard, match_adaptively, match_by_iou
from tetract.types.batch import Batch, BoxRow


def detection_loss(head: DetectionHead, output: DetectionOutput, batch: Batch) -> dict[str, Tensor]:
    """Every row of ``batch`` carries boxes; a row with none is a negative and trains as one.

    Returns:
        Scalars: ``rpn_objectness``, ``rpn_box``, ``roi_class``, ``roi_box`` and ``roi_mask``.
        ``roi_mask`` is missing where no sampled region has an instance mask.
    """
    rows = [row for row in batch.boxes if row is not None]
    parts = _proposal_loss(head, output, rows)
    sampled = _sample_regions(head, output, rows)
    parts |= _region_loss(head, output, sampled, rows)
    return parts | _mask_loss(head, output, sampled, rows)


@dataclass(frozen=True, slots=True)
class _Regions:
    """Sampled regions, one entry per row."""

    boxes: list[Float[Tensor, "_R 4"]]
    matched: list[Int64[Tensor, " _R"]]  # index of the row's box; meaningless for background
    labels: list[Int64[Tensor, " _R"]]  # 0 is background, k + 1 is box class k
    deltas: Float[Tensor, "N 4"]


def _proposal_loss(
    head: DetectionHead, output: DetectionOutput, rows: list[BoxRow]
) -> dict[str, Tensor]:
    """Is there a lesion at this anchor, and how should the anchor be moved to fit it?

    Anchors away from annotated boxes are negatives, also in rows whose annotators looked for
    some classes only: the second stage, which knows the classes, makes up for that. Rows whose
    boxes are complete for no class have no negative anchors at all.
    """
    propose, anchors = head.propose, list(output.anchors)
    if head.config.matching == "adaptive":
        per_cell = propose.anchor_generator.num_anchors_per_location()[0]
        labels, matched = match_adaptively(anchors, output.per_level, rows, per_cell=per_cell)
    else:
        labels, matched = match_by_iou(propose, anchors, rows)
    for row, label in zip(rows, labels, strict=True):
        if not row.annotated.any():
            label[label == 0] = IGNORED
    wanted = propose.box_coder.encode(matched, anchors)
    if head.config.objectness == "focal":
        objectness, box = _focal(head.config, output, torch.cat(labels), torch.cat(wanted))
    elif head.config.hard_negatives:
        objectness, box = _on_hard(head.config, output, labels, torch.cat(wanted))
    else:
        objectness, box = propose.compute_loss(
            output.objectness, output.deltas, labels, list(wanted)
        )
    return {"rpn_objectness": objectness, "rpn_box": box}


def _focal(
    config: DetectionConfig,
    output: DetectionOutput,
    labels: Float[Tensor, " BA"],
    wanted: Float[Tensor, "BA 4"],
) -> tuple[Tensor, Tensor]:
    """Focal loss (Lin et al. 2017, arXiv 1708.02002) on every anchor, per lesion anchor."""
    counted, lesion = labels >= 0, labels >= 1
    per_lesion = lesion.sum().clamp(min=1)
    each = sigmoid_focal_loss(
        output.objectness.flatten()[counted],
        labels[counted],
        alpha=config.focal_alpha,
        gamma=config.focal_gamma,
    )
    return each.sum() / per_lesion, _box_loss(output.deltas[lesion], wanted[lesion]) / per_lesion


def _on_hard(
    config: DetectionConfig,
    output: DetectionOutput,
    labels: list[Float[Tensor, " A"]],
    wanted: Float[Tensor, "BA 4"],
) -> tuple[Tensor, Tensor]:
    """As torchvision's, on background that looks like a lesion."""
    scores = output.objectness.detach().flatten().split([len(label) for label in labels])
    lesions, others = draw_hard(labels, scores, config)
    drawn = torch.cat([lesions, others])
    count = max(len(drawn), 1)
    objectness = binary_cross_entropy_with_logits(
        output.objectness.flatten()[drawn], torch.cat(labels)[drawn], reduction="sum"
    )
    return objectness / count, _box_loss(output.deltas[lesions], wanted[lesions]) / count


def _box_loss(found: Float[Tensor, "N 4"], wanted: Float[Tensor, "N 4"]) -> Tensor:
    return smooth_l1_loss(found, wanted, beta=1 / 9, reduction="sum")


@torch.no_grad()
def _sample_regions(head: DetectionHead, output: DetectionOutput, rows: list[BoxRow]) -> _Regions:
    targets = [{"boxes": row.xyxy, "labels": row.labels + 1} for row in rows]
    boxes, matched, labels, deltas = head.regions.select_training_samples(
        list(output.proposals), targets
    )
    return _Regions(boxes, matched, labels, torch.cat(list(deltas)))


def _region_loss(
    head: DetectionHead, output: DetectionOutput, sampled: _Regions, rows: list[BoxRow]
) -> dict[str, Tensor]:
    logits, deltas = head.score(output.pyramid, sampled.boxes)
    labels = torch.cat(sampled.labels)
    annotated = torch.cat(
        [
            row.annotated.expand(len(boxes), -1)
            for row, boxes in zip(rows, sampled.boxes, strict=True)
        ]
    )
    log_probabilities = logits.log_softmax(dim=1)
    possible = log_probabilities.masked_fill(~_candidates(labels, annotated), float("-inf"))
    lesion = (labels > 0).nonzero().flatten()
    refined = deltas.view(len(labels), -1, 4)[lesion, labels[lesion]]
    box = _box_loss(refined, sampled.deltas[lesion])
    count = max(len(labels), 1)
    return {"roi_class": -possible.logsumexp(dim=1).sum() / count, "roi_box": box / count}


def _candidates(labels: Int64[Tensor, " N"], annotated: Bool[Tensor, "N K"]) -> Bool[Tensor, "N C"]:
    """What each region may be, background first.

    A lesion is what it was labelled. Background is background, or any lesion that the row's
    annotators did not look for: absent is not negative.
    """
    background = (labels == 0)[:, None]
    maybe = torch.cat([torch.ones_like(background), ~annotated], dim=1)
    exact = torch.zeros_like(maybe).scatter_(1, labels[:, None], value=True)
    return torch.where(background, maybe, exact)


def _mask_loss(
    head: DetectionHead, output: DetectionOutput, sampled: _Regions, rows: list[BoxRow]
) -> dict[str, Tensor]:
    """Cross-entropy of the instance masks, for regions whose row has masks."""
    boxes: list[Tensor] = []
    labels: list[Tensor] = []
    truths: list[Tensor] = []
    for index, row in enumerate(rows):
        chosen = (sampled.labels[index] > 0).nonzero().flatten()
        if row.masks is None:
            chosen = chosen[:0]
        boxes.append(sampled.boxes[index][chosen])
        if row.masks is not None and len(chosen):
            labels.append(sampled.labels[index][chosen] - 1)
            matched = sampled.matched[index][chosen]
            truths.append(project_masks_on_boxes(row.masks.float(), boxes[-1], matched, 28))
    if not labels:
        return {}
    logits = head.masks(output.pyramid, boxes)
    picked = logits[torch.arange(len(logits), device=logits.device), torch.cat(labels)]
    return {"roi_mask": binary_cross_entropy_with_logits(picked, torch.cat(truths))}
