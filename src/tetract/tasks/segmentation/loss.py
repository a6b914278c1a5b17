"""Overlap losses over the channels that were annotated."""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits

from tetract.tasks.segmentation.head import SegmentationHead, SegmentationOutput
from tetract.types.batch import Batch

EPSILON = 1e-5
LARGEST_WEIGHT_RATIO = 1e3
LARGEST_PIXEL_WEIGHT = 30.0


def segmentation_loss(
    head: SegmentationHead, output: SegmentationOutput, batch: Batch
) -> dict[str, Tensor]:
    """The head's loss over annotated (row, channel) pairs only.

    Returns:
        Its parts, scalars: ``dice`` and ``bce``, or ``dice``, or ``generalized_dice``.
    """
    known = batch.masks_annotated[:, :, None, None]  # (B, M, 1, 1)
    truth = (batch.masks & known).to(output.logits.dtype)
    likely = output.logits.sigmoid() * known
    if head.loss == "generalized_dice":
        return {"generalized_dice": generalized_dice_loss(likely, truth)}
    parts = {"dice": dice_loss(likely, truth, annotated=batch.masks_annotated.any(dim=0))}
    if head.loss == "dice_bce":
        parts["bce"] = weighted_bce(output.logits, truth, batch.masks_annotated)
    return parts


def weighted_bce(
    logits: Float[Tensor, "B M H W"],
    truth: Float[Tensor, "B M H W"],
    annotated: Bool[Tensor, "B M"],
) -> Float[Tensor, ""]:
    """Cross-entropy in which the pixels of a rare class weigh more.

    A lesion covers a few pixels in a thousand. Unweighted, the quickest way down is to say "never",
    and from there neither cross-entropy nor Dice has a gradient worth the name. Lesion pixels weigh
    the square root of background over lesion area in the batch, at least 1 and at most 30.
    """
    area = truth.sum(dim=(0, 2, 3))  # (M,)
    seen = annotated.sum(dim=0) * truth[0, 0].numel()
    weight = ((seen - area) / area.clamp(min=1.0)).sqrt().clamp(1.0, LARGEST_PIXEL_WEIGHT)
    every = binary_cross_entropy_with_logits(
        logits, truth, reduction="none", pos_weight=weight[:, None, None]
    )
    return every.mean(dim=(2, 3))[annotated].mean()


def dice_loss(
    likely: Float[Tensor, "B M H W"],
    truth: Float[Tensor, "B M H W"],
    *,
    annotated: Tensor,
) -> Float[Tensor, ""]:
    """One minus soft Dice, pooled over the batch, averaged over annotated channels.

    Pooling over the batch lets lesion-free slices teach: per-image Dice gives an empty slice no
    usable gradient (Tilborghs et al. 2022, arXiv 2207.09521).

    Args:
        likely: Probabilities; 0 wherever the channel is not annotated.
        truth: 0 or 1.
        annotated: (M,) bool, channels that some row of the batch annotates.
    """
    overlap = (likely * truth).sum(dim=(0, 2, 3))
    mass = likely.sum(dim=(0, 2, 3)) + truth.sum(dim=(0, 2, 3))
    dice = (2.0 * overlap + EPSILON) / (mass + EPSILON)
    return 1.0 - dice[annotated].mean()


def generalized_dice_loss(
    likely: Float[Tensor, "B M H W"], truth: Float[Tensor, "B M H W"]
) -> Float[Tensor, ""]:
    """Generalized Dice (Sudre et al. 2017, arXiv 1707.03237), pooled over the batch.

    A class counts by the inverse square of its area. A class absent from the batch would weigh
    infinitely: it takes the largest weight of the present ones, and no weight exceeds a thousand
    times the smallest. With nothing present at all, all weights are equal.
    """
    area = truth.sum(dim=(0, 2, 3))  # (M,)
    present = area > 0
    weight = torch.ones_like(area)
    if bool(present.any()):
        inverse = area[present].square().reciprocal()
        inverse = inverse.clamp(max=float(inverse.min()) * LARGEST_WEIGHT_RATIO)
        weight = torch.full_like(area, float(inverse.max()))
        weight[present] = inverse
    weight = weight / weight.sum()
    overlap = (weight * (likely * truth).sum(dim=(0, 2, 3))).sum()
    mass = (weight * (likely + truth).sum(dim=(0, 2, 3))).sum()
    return 1.0 - (2.0 * overlap + EPSILON) / (mass + EPSILON)
