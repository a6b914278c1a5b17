"""Lesion boxes and instance masks from proposals."""

from __future__ import annotations

import torch
from jaxtyping import Float32
from torch import Tensor
from torchvision.models.detection.roi_heads import paste_masks_in_image

from tetract.tasks.detection.head import DetectionHead, DetectionOutput
from tetract.types.predictions import DetectedBoxes


def predict_boxes(head: DetectionHead, output: DetectionOutput) -> tuple[DetectedBoxes, ...]:
    """Refined, non-overlapping boxes of each row, best score first. Scores are not calibrated."""
    proposals = list(output.proposals)
    size = output.pyramid.image_size
    logits, deltas = head.score(output.pyramid, proposals)
    boxes, scores, labels = head.regions.postprocess_detections(
        logits, deltas, proposals, [size] * len(proposals)
    )
    masks = _instance_masks(head, output, boxes, labels)
    return tuple(
        DetectedBoxes(xyxy=b, scores=s, labels=k - 1, masks=m)
        for b, s, k, m in zip(boxes, scores, labels, masks, strict=True)
    )


def _instance_masks(
    head: DetectionHead,
    output: DetectionOutput,
    boxes: list[Tensor],
    labels: list[Tensor],
) -> list[Float32[Tensor, "N H W"]]:
    counts = [len(b) for b in boxes]
    height, width = output.pyramid.image_size
    if sum(counts) == 0:
        return [b.new_zeros(0, height, width) for b in boxes]
    logits = head.masks(output.pyramid, boxes)
    chosen = logits[torch.arange(len(logits), device=logits.device), torch.cat(labels) - 1]
    pasted = [
        paste_masks_in_image(m[:, None], b, (height, width))[:, 0]
        if len(b)
        else m.new_zeros(0, height, width)
        for m, b in zip(chosen.sigmoid().split(counts), boxes, strict=True)
    ]
    return [p.float() for p in pasted]
