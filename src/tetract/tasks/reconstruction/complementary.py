"""Hide patches in turns, so that every pixel is inferred without having been seen."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from tetract.tasks.reconstruction.hide import hide


def draw_turns(
    size: tuple[int, int], *, patch_px: int, fraction: float, generator: torch.Generator
) -> Bool[Tensor, "T 1 H W"]:
    """(T, 1, H, W) what each turn hides; together everything, each the same number of patches.

    Args:
        size: ``(H, W)``.
        patch_px: Side of a patch in pixels.
        fraction: Share of the patches to hide in one turn, as in training.
        generator: On the CPU.
    """
    height, width = size
    rows, columns = -(-height // patch_px), -(-width // patch_px)
    patches = rows * columns
    count = min(patches, max(1, round(fraction * patches)))
    order = torch.randperm(patches, generator=generator)
    turns = math.ceil(patches / count)
    hidden = torch.zeros(turns, patches, dtype=torch.bool)
    for turn in range(turns):
        # The last turn takes up patches of the first, lest it hide fewer than it was trained on.
        hidden[turn, order[torch.arange(turn * count, (turn + 1) * count) % patches]] = True
    grid = hidden.view(turns, 1, rows, columns)
    pixels = grid.repeat_interleave(patch_px, dim=2).repeat_interleave(patch_px, dim=3)
    return pixels[:, :, :height, :width]


def infer_unseen(
    reconstruct: Callable[[Float[Tensor, "B C H W"]], Float[Tensor, "B 1 H W"]],
    image: Float[Tensor, "B C H W"],
    turns: Bool[Tensor, "T 1 H W"],
) -> Float[Tensor, "B 1 H W"]:
    """Every pixel of the slice as inferred while hidden: the mean of the turns that hid it."""
    total = torch.zeros_like(image[:, :1])
    times = torch.zeros_like(total)
    for turn in turns:
        hidden = turn.expand(len(image), -1, -1, -1)
        guess = reconstruct(hide(image, hidden)).to(image.device)
        total += torch.where(hidden, guess, 0.0)
        times += hidden
    return total / times
