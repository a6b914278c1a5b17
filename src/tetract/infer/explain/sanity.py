"""Does a map change when the weights are drawn anew? If not, it shows the picture, not the model.

Adebayo et al. 2018 (arXiv 1810.03292): rank correlation of the map with that of a network of random
weights. An edge detector correlates perfectly with itself and fails.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

import numpy as np
import torch
from jaxtyping import Float
from scipy.stats import rankdata
from torch import Tensor

from tetract.model import Network
from tetract.types.explanation import Sanity

Frame = tuple[int, int, int, int]
Draw = Callable[[Network, Float[Tensor, "B C H W"]], Mapping[str, Float[Tensor, "B H W"]]]
# Set in advance: half of the ranks' variance, as r2, would be 0.71; a map that passes shares less
# than a quarter of it with maps that know nothing.
THRESHOLD: Final = 0.5
NETWORKS: Final = 3


def check_sanity(
    draw: Draw,
    network: Network,
    image: Float[Tensor, "B C H W"],
    frames: Sequence[Frame | None],
) -> tuple[Sanity, ...]:
    """One result per map that ``draw`` makes.

    Args:
        draw: Makes maps of a network.
        network: In evaluation mode; it is not changed.
        image: Some slices, at least one.
        frames: Where in each image the slice is; None: everywhere. Padding is not compared.
    """
    own = draw(network, image)
    others = [draw(randomised(network, seed), image) for seed in range(NETWORKS)]
    return tuple(_compare(name, own[name], [o[name] for o in others], frames) for name in own)


def randomised(network: Network, seed: int) -> Network:
    """The same network with fresh weights, in evaluation mode."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        fresh = Network(network.spec)
    return fresh.to(next(network.parameters()).device).eval()


def rank_correlation(one: Float[np.ndarray, " N"], two: Float[np.ndarray, " N"]) -> float | None:
    """Spearman's, ties at their mean rank; None where either is the same everywhere."""
    ranks = np.stack([rankdata(one), rankdata(two)])
    ranks -= ranks.mean(axis=1, keepdims=True)
    spread = float(np.sqrt((ranks**2).sum(axis=1).prod()))
    return float((ranks[0] * ranks[1]).sum() / spread) if spread > 0 else None


def _compare(
    name: str, own: Tensor, others: Sequence[Tensor], frames: Sequence[Frame | None]
) -> Sanity:
    found: list[float] = []
    for row, frame in enumerate(frames):
        top, left, bottom, right = frame or (0, 0, *own.shape[1:])
        one = own[row, top:bottom, left:right].numpy().ravel()
        for other in others:
            two = other[row, top:bottom, left:right].numpy().ravel()
            correlation = rank_correlation(one, two)
            if correlation is not None:
                found.append(abs(correlation))
    mean = float(np.mean(found)) if found else None
    return Sanity(
        name=name,
        correlation=mean,
        passed=None if mean is None else mean < THRESHOLD,
        threshold=THRESHOLD,
        slices=len(frames),
        networks=len(others),
        reason="" if found else "the map is the same everywhere",
    )
