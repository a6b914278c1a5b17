"""Boundary loss (Kervadec et al. 2019, arXiv 1812.07032)."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float
from scipy.ndimage import distance_transform_edt
from torch import Tensor


def boundary_loss(
    likely: Float[Tensor, "B M H W"],
    truth: Float[Tensor, "B M H W"],
    annotated: Bool[Tensor, "B M"],
) -> Float[Tensor, ""]:
    """Mean of probability times signed distance to the true boundary.

    Distances are in image diagonals, negative inside, so the loss lies in (-1, 1) and does not
    depend on the image's size. An empty mask has no boundary and is left out (0 where no pair has
    one), so use it beside an overlap loss.

    Args:
        likely: Probabilities.
        truth: 0 or 1.
        annotated: (B, M) which pairs are known.
    """
    height, width = truth.shape[-2:]
    masks = truth.detach().cpu().numpy() > 0
    known = annotated.cpu().numpy() & masks.any(axis=(2, 3))
    if not known.any():
        return likely.sum() * 0.0
    diagonal = float(np.hypot(height, width))
    signed = np.stack([_signed_px(mask) / diagonal for mask in masks[known]])
    distance = torch.from_numpy(signed).to(likely)
    return (likely[torch.from_numpy(known).to(likely.device)] * distance).mean()


def _signed_px(mask: Bool[np.ndarray, "H W"]) -> Float[np.ndarray, "H W"]:
    """Distance in pixels to the nearest pixel of the other kind, negative inside."""
    if mask.all():
        return np.full(mask.shape, -1.0)  # no outside to measure from
    outside: Any = distance_transform_edt(~mask)
    inside: Any = distance_transform_edt(mask)
    return np.asarray(outside - inside, dtype=np.float64)
