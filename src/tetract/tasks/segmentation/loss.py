"""The segmentation loss by name, over the channels that were annotated."""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn.functional import max_pool2d

from tetract.tasks.segmentation.boundary import boundary_loss
from tetract.tasks.segmentation.components import component_losses
from tetract.tasks.segmentation.head import SegmentationHead, SegmentationOutput
from tetract.tasks.segmentation.overlap import dice_loss, generalized_dice_loss, tversky_loss
from tetract.tasks.segmentation.pixelwise import focal_loss, lovasz_loss, weighted_bce
from tetract.types.batch import Batch

MISSED_WEIGHT = 0.7  # recall first, as Salehi et al. advise for small lesions
FOCAL_EXPONENT = 0.75  # gamma 4/3 of Abraham & Khan
SURELY_NOT = -30.0  # as a logit: a probability of 1e-13
PARTS = {"dice_bce": ("dice", "bce"), "dice_boundary": ("dice", "boundary")}


def segmentation_loss(
    head: SegmentationHead, output: SegmentationOutput, batch: Batch
) -> dict[str, Tensor]:
    """The head's loss over annotated (row, channel) pairs only.

    With deep supervision (Lee et al. 2015, arXiv 1409.5185; nnU-Net's weights) it is the mean over
    the decoder's steps, each weighing half of the next finer one.

    A pixel of ``batch.masks_unknown`` counts as background that the head is sure of: it adds next
    to nothing and has no gradient, in whichever loss. On a coarser step it stays unknown where no
    pixel beside it is a lesion.

    Returns:
        Its parts by name, scalars; which they are follows from ``SegmentationConfig.loss``.
    """
    annotated = batch.masks_annotated
    truth = (batch.masks & annotated[:, :, None, None]).to(output.logits.dtype)
    unknown = batch.masks_unknown
    if unknown is not None:
        unknown = (unknown & ~batch.masks).to(truth.dtype)
    steps = [_step_loss(head.loss, _silenced(output.logits, unknown), truth, annotated)]
    for logits in output.coarser:
        # The largest of four pixels: a lesion of one pixel is one pixel on every step.
        truth = max_pool2d(truth, 2)
        if unknown is not None:
            unknown = max_pool2d(unknown, 2) * (1.0 - truth)
        steps.append(_step_loss(head.loss, _silenced(logits, unknown), truth, annotated))
    weights = [0.5**step for step in range(len(steps))]
    return {
        name: torch.stack([w * step[name] for w, step in zip(weights, steps, strict=True)]).sum()
        / sum(weights)
        for name in steps[0]
    }


def _silenced(
    logits: Float[Tensor, "B M H W"], unknown: Float[Tensor, "B M H W"] | None
) -> Float[Tensor, "B M H W"]:
    return logits if unknown is None else logits.masked_fill(unknown > 0, SURELY_NOT)


def _step_loss(
    name: str,
    logits: Float[Tensor, "B M H W"],
    truth: Float[Tensor, "B M H W"],
    annotated: Bool[Tensor, "B M"],
) -> dict[str, Tensor]:
    """The loss called ``name`` of one step of the decoder."""
    known = annotated[:, :, None, None]  # (B, M, 1, 1)
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
    if name == "cc_dice_bce":
        return component_losses(logits, truth, annotated)
    return {part: parts[part]() for part in PARTS.get(name, (name,))}
