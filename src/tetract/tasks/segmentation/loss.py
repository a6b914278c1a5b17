"""The segmentation loss by name, over the channels that were annotated."""

from __future__ import annotations

from torch import Tensor

from tetract.tasks.segmentation.boundary import boundary_loss
from tetract.tasks.segmentation.components import component_losses
from tetract.tasks.segmentation.head import SegmentationHead, SegmentationOutput
from tetract.tasks.segmentation.overlap import dice_loss, generalized_dice_loss, tversky_loss
from tetract.tasks.segmentation.pixelwise import focal_loss, lovasz_loss, weighted_bce
from tetract.types.batch import Batch

MISSED_WEIGHT = 0.7  # recall first, as Salehi et al. advise for small lesions
FOCAL_EXPONENT = 0.75  # gamma 4/3 of Abraham & Khan
PARTS = {"dice_bce": ("dice", "bce"), "dice_boundary": ("dice", "boundary")}


def segmentation_loss(
    head: SegmentationHead, output: SegmentationOutput, batch: Batch
) -> dict[str, Tensor]:
    """The head's loss over annotated (row, channel) pairs only.

    Returns:
        Its parts by name, scalars; which they are follows from ``SegmentationConfig.loss``.
    """
    annotated = batch.masks_annotated
    known = annotated[:, :, None, None]  # (B, M, 1, 1)
    logits = output.logits
    truth = (batch.masks & known).to(logits.dtype)
    likely = logits.sigmoid() * known
    channels = annotated.any(dim=0)
    # Everything is a closure: what a name does not ask for is not computed.
    parts = {
        "dice": lambda: dice_loss(likely, truth, annotated=channels),
        "generalized_dice": lambda: generalized_dice_loss(likely, truth),
        "tversky": lambda: tversky_loss(
            likely, truth, annotated=channels, missed_weight=MISSED_WEIGHT
        ),
        "focal_tversky": lambda: tversky_loss(
            likely,
            truth,
            annotated=channels,
            missed_weight=MISSED_WEIGHT,
            exponent=FOCAL_EXPONENT,
        ),
        "bce": lambda: weighted_bce(logits, truth, annotated),
        "focal": lambda: focal_loss(logits, truth, annotated),
        "lovasz": lambda: lovasz_loss(logits, truth, annotated),
        "boundary": lambda: boundary_loss(likely, truth, annotated),
    }
    if head.loss == "cc_dice_bce":
        return component_losses(logits, truth, annotated)
    return {name: parts[name]() for name in PARTS.get(head.loss, (head.loss,))}
