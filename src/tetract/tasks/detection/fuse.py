"""Boxes of several views of one slice, joined (Solovyev et al. 2021, arXiv 1910.13302)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor
from torchvision.ops import box_iou

from tetract.types.predictions import DetectedBoxes

SAME_LESION = 0.55  # the authors' value


def mirror_boxes(found: DetectedBoxes, width: int) -> DetectedBoxes:
    """The boxes of a slice ``width`` px wide, left and right exchanged."""
    x0, y0, x1, y1 = found.xyxy.unbind(dim=1)
    return DetectedBoxes(
        xyxy=torch.stack([width - x1, y0, width - x0, y1], dim=1),
        scores=found.scores,
        labels=found.labels,
        masks=found.masks.flip(-1),
    )


def fuse_boxes(views: Sequence[DetectedBoxes], *, keep: int) -> DetectedBoxes:
    """Weighted box fusion: boxes of one class that overlap become their mean, weighted by score.

    The score is the mean over the views, so a lesion that only one of two views shows keeps half
    of its score. Masks are averaged like boxes.

    Args:
        views: At least one, on the same grid.
        keep: Boxes kept at most, best first.
    """
    xyxy = torch.cat([view.xyxy for view in views])
    scores = torch.cat([view.scores for view in views])
    labels = torch.cat([view.labels for view in views])
    masks = torch.cat([view.masks for view in views])
    groups = _group(xyxy, scores, labels)
    if not groups:
        return views[0]
    weights = torch.zeros(len(groups), len(scores), device=scores.device)
    for group, members in enumerate(groups):
        weights[group, members] = scores[members]
    total = weights.sum(dim=1, keepdim=True)
    # A view that says one lesion twice counts once.
    counts = torch.tensor([max(len(g), len(views)) for g in groups], device=scores.device)
    fused = total[:, 0] / counts
    best = fused.argsort(descending=True, stable=True)[:keep]
    shares = (weights / total)[best]
    return DetectedBoxes(
        xyxy=shares @ xyxy,
        scores=fused[best],
        labels=labels[[groups[int(i)][0] for i in best]],
        masks=torch.einsum("gn,nhw->ghw", shares, masks),
    )


def _group(
    xyxy: Float[Tensor, "N 4"], scores: Float[Tensor, " N"], labels: Tensor
) -> list[list[int]]:
    """Members of each lesion, best score first: a box joins the fused box it overlaps most."""
    groups: list[list[int]] = []
    for index in [int(i) for i in scores.argsort(descending=True, stable=True)]:
        overlaps = [
            float(box_iou(xyxy[index][None], _mean(xyxy[g], scores[g])[None]))
            if int(labels[g[0]]) == int(labels[index])
            else 0.0
            for g in groups
        ]
        nearest = max(range(len(groups)), key=overlaps.__getitem__, default=-1)
        if nearest >= 0 and overlaps[nearest] > SAME_LESION:
            groups[nearest].append(index)
        else:
            groups.append([index])
    return groups


def _mean(xyxy: Float[Tensor, "N 4"], scores: Float[Tensor, " N"]) -> Float[Tensor, "4"]:
    return (xyxy * scores[:, None]).sum(dim=0) / scores.sum()
