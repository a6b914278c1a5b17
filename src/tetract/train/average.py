"""A running average of the weights, which validates and is saved in their place."""

from __future__ import annotations

import copy

import torch
from torch.optim.swa_utils import get_ema_multi_avg_fn

from tetract.model import Network


def average_of(network: Network) -> Network:
    """A copy to follow ``network``; it takes no gradients."""
    return copy.deepcopy(network).requires_grad_(False)


@torch.no_grad()
def follow(averaged: Network, network: Network, *, decay: float, step: int) -> None:
    """Move the average towards the weights, after an optimiser step.

    The decay rises from 0.18 as (1 + step) / (10 + step), so that a short run's average is not
    that of its random start. BatchNorm's statistics are copied.

    Args:
        averaged: The average.
        network: The weights after the step.
        decay: Share of the old average that stays, in [0, 1).
        step: Optimiser steps taken, this one included; with the decay it fixes the move, so that
            a resumed run needs to know nothing else.
    """
    kept = min(decay, (1 + step) / (10 + step))
    move = get_ema_multi_avg_fn(kept)
    move(list(averaged.parameters()), list(network.parameters()), step)
    for mine, theirs in zip(averaged.buffers(), network.buffers(), strict=True):
        mine.copy_(theirs)
