"""CC-DiceCE: each lesion counts as much as any other (2025, arXiv 2511.17146)."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float, Int64
from scipy.ndimage import distance_transform_edt
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits

from tetract.data.lesions import numbered_parts

EPSILON = 1e-5


def component_losses(
    logits: Float[Tensor, "B M H W"],
    truth: Float[Tensor, "B M H W"],
    annotated: Bool[Tensor, "B M"],
) -> dict[str, Float[Tensor, ""]]:
    """Dice and cross-entropy in each lesion's own part of the image, averaged over the parts.

    A pixel belongs to the lesion it is nearest to, so that a missed small lesion costs as much as
    a missed large one. An image without a lesion is one part.

    Returns:
        ``cc_dice`` and ``cc_bce``, scalars.
    """
    parts = _parts(truth.detach().cpu().numpy()[annotated.cpu().numpy()] > 0)
    owner = torch.from_numpy(parts).to(logits.device).flatten()
    count = int(parts.max()) + 1

    def per_part(values: Float[Tensor, "P H W"]) -> Float[Tensor, " R"]:
        return values.new_zeros(count).index_add(0, owner, values.flatten())

    said, true = logits[annotated], truth[annotated]
    likely = said.sigmoid()
    overlap, mass = per_part(likely * true), per_part(likely + true)
    entropy = binary_cross_entropy_with_logits(said, true, reduction="none")
    return {
        "cc_dice": 1.0 - ((2.0 * overlap + EPSILON) / (mass + EPSILON)).mean(),
        "cc_bce": (per_part(entropy) / per_part(torch.ones_like(true))).mean(),
    }


def _parts(masks: Bool[np.ndarray, "P H W"]) -> Int64[np.ndarray, "P H W"]:
    """Number of the part each pixel lies in, counted through all images."""
    numbered: list[Int64[np.ndarray, "H W"]] = []
    first = 0
    for mask in masks:
        part = np.zeros(mask.shape, dtype=np.int64)
        lesions = numbered_parts(mask)
        count = int(lesions.max(initial=0))
        if count:
            nearest: Any = distance_transform_edt(
                ~mask, return_distances=False, return_indices=True
            )
            rows, columns = nearest
            part = lesions[rows, columns] - 1
        numbered.append(part + first)
        first += max(count, 1)
    return np.stack(numbered).astype(np.int64)
