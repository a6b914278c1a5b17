"""``pcgrad``: gradients that point against each other lose that part (Yu et al. 2020)."""

from __future__ import annotations

import torch
from jaxtyping import Float64
from torch import Tensor


def pcgrad(products: Float64[Tensor, "K K"], generator: torch.Generator) -> Float64[Tensor, " K"]:
    """How much of each task's gradient the shared weights get; arXiv 2001.06782, algorithm 1.

    The paper projects each gradient, in random order of the others, onto the normal plane of
    every other that it has a negative product with, and adds up. All of that stays within the span
    of the gradients, so their inner products are enough. Without a conflict all are 1.

    Args:
        products: Inner product of each pair of task gradients.
        generator: Draws the orders; on the CPU.
    """
    count = len(products)
    rows = torch.eye(count, dtype=products.dtype)
    for own, row in enumerate(rows):
        order: list[int] = torch.randperm(count, generator=generator).tolist()
        for other in order:
            product = row @ products[:, other]
            if other != own and product < 0:
                row[other] -= product / products[other, other]
    return rows.sum(dim=0)
