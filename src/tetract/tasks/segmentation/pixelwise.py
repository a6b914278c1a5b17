"""Pixelwise losses: every pixel of an annotated (row, channel) pair has its say."""

from __future__ import annotations

from typing import cast

from jaxtyping import Bool, Float
from segmentation_models_pytorch.losses import LovaszLoss
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits
from torchvision.ops import sigmoid_focal_loss

LARGEST_PIXEL_WEIGHT = 30.0
FOCUS = 2.0
LESION_SHARE = 0.75


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


def focal_loss(
    logits: Float[Tensor, "B M H W"],
    truth: Float[Tensor, "B M H W"],
    annotated: Bool[Tensor, "B M"],
) -> Float[Tensor, ""]:
    """Focal loss (Lin et al. 2017, arXiv 1708.02002): easy pixels count little.

    Gamma 2. Alpha is 0.75 for lesion pixels: the paper's 0.25 was tuned for boxes, where each
    object meets many anchors; here lesions are the rare side.
    """
    every = sigmoid_focal_loss(logits, truth, alpha=LESION_SHARE, gamma=FOCUS, reduction="none")
    return every.mean(dim=(2, 3))[annotated].mean()


def lovasz_loss(
    logits: Float[Tensor, "B M H W"],
    truth: Float[Tensor, "B M H W"],
    annotated: Bool[Tensor, "B M"],
) -> Float[Tensor, ""]:
    """Lovász hinge (Berman et al. 2018, arXiv 1705.08790): a convex stand-in for IoU.

    Averaged over the annotated (row, channel) pairs. Unstable from scratch; for the last part of
    a training.
    """
    hinge = LovaszLoss(mode="binary", per_image=True, from_logits=True)
    return cast("Tensor", hinge(logits[annotated][:, None], truth[annotated][:, None]))
