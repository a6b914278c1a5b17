"""Overlap losses: they compare areas, pooled over the batch.

Every function takes probabilities that are 0, and truth that is 0, wherever a channel is not
annotated on a row.
"""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float
from torch import Tensor

EPSILON = 1e-5
LARGEST_WEIGHT_RATIO = 1e3


def dice_loss(
    likely: Float[Tensor, "B M H W"],
    truth: Float[Tensor, "B M H W"],
    *,
    annotated: Bool[Tensor, " M"],
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


def tversky_loss(
    likely: Float[Tensor, "B M H W"],
    truth: Float[Tensor, "B M H W"],
    *,
    annotated: Bool[Tensor, " M"],
    missed_weight: float,
    exponent: float = 1.0,
) -> Float[Tensor, ""]:
    """One minus the Tversky index (Salehi et al. 2017, arXiv 1706.05721), pooled over the batch.

    A missed pixel weighs ``missed_weight``, a false one the rest to 1; one half each is Dice. With
    an ``exponent`` below 1 it is the focal Tversky loss (Abraham & Khan 2019, arXiv 1810.07842;
    their 1 / gamma), which dwells on classes that are nearly right.

    Args:
        likely: Probabilities.
        truth: 0 or 1.
        annotated: (M,) channels that some row of the batch annotates.
        missed_weight: In [0, 1].
        exponent: More than 0.
    """
    hit = (likely * truth).sum(dim=(0, 2, 3))
    missed = ((1.0 - likely) * truth).sum(dim=(0, 2, 3))
    false = (likely * (1.0 - truth)).sum(dim=(0, 2, 3))
    wrong = missed_weight * missed + (1.0 - missed_weight) * false
    index = (hit + EPSILON) / (hit + wrong + EPSILON)
    # The slope of x ** 0.75 is infinite at 0, where a class is right to the last pixel.
    return (1.0 - index).clamp(min=EPSILON).pow(exponent)[annotated].mean()
