"""One optimiser step of the joint loss, as Lightning wants it."""

from __future__ import annotations

import math
from typing import Any, cast

import lightning
import torch
from torch import Tensor

from tetract.errors import TetractError
from tetract.joint import JointConfig, weighted_sum
from tetract.model import Network
from tetract.train.config import OptimiserConfig, RunConfig
from tetract.types.batch import Batch

SPOILT_STEPS_ALLOWED = 3


class JointModule(lightning.LightningModule):
    """The network, its joint loss and its optimiser.

    Attributes:
        done: Optimiser steps taken, those of an earlier, interrupted session included.
    """

    def __init__(
        self, network: Network, joint: JointConfig, optimiser: OptimiserConfig, run: RunConfig
    ) -> None:
        super().__init__()
        self.network = network
        self.joint = joint
        self.config = optimiser
        self.run = run
        self.done = 0
        self._spoilt = 0

    def training_step(self, batch: Batch, _index: int) -> Tensor | None:
        """The weighted loss of one batch, or None where no row teaches an active task."""
        # torchvision's samplers and dropout draw from the global generator. Setting it from the
        # step makes every draw a function of (seed, step): an interrupted run resumes exactly.
        seed = _step_seed(self.run.seed, self.done)
        torch.manual_seed(seed)
        losses = self.network.losses(batch, torch.Generator().manual_seed(seed))
        total = weighted_sum(losses, self.joint)
        if total is None or not self._is_sound(total, batch):
            return None
        for task, parts in losses.parts.items():
            self.log(f"train/loss/{task.value}", losses.of(task).detach(), prog_bar=True)
            for name, part in parts.items():
                self.log(f"train/part/{task.value}/{name}", part.detach())
        self.log("train/loss/total", total.detach())
        return total

    def transfer_batch_to_device(
        self,
        batch: Batch,
        device: torch.device,
        dataloader_idx: int,  # noqa: ARG002  Lightning's signature
    ) -> Batch:
        """Lightning cannot look into frozen dataclasses."""
        return batch.to(device)

    def on_train_batch_start(self, batch: Batch, batch_idx: int) -> None:  # noqa: ARG002  Lightning's signature
        """Set the learning rate of this step."""
        factor = rate_factor(self.done, self.run.steps, self.config.warmup)
        for group in self._optimiser().param_groups:
            group["lr"] = group["peak"] * factor

    def on_train_batch_end(self, outputs: Any, batch: Batch, batch_idx: int) -> None:  # noqa: ARG002  Lightning's signature
        """Count the step."""
        self.done += 1

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """AdamW with two groups, trunk and heads; biases and norms are decayed too, as is usual."""
        rate = self.config.rate
        peaks = (
            (self.network.encoder, rate * self.config.encoder_factor),
            (self.network.heads, rate),
        )
        groups = [
            {"params": list(part.parameters()), "lr": peak, "peak": peak} for part, peak in peaks
        ]
        return torch.optim.AdamW(groups, weight_decay=self.config.weight_decay)

    def _optimiser(self) -> torch.optim.Optimizer:
        return cast("torch.optim.Optimizer", self.optimizers(use_pl_optimizer=False))

    def _is_sound(self, total: Tensor, batch: Batch) -> bool:
        """Skip a step whose loss is not finite; give up after a few in a row."""
        if bool(torch.isfinite(total)):
            self._spoilt = 0
            return True
        self._spoilt += 1
        if self._spoilt < SPOILT_STEPS_ALLOWED:
            return False
        rows = ", ".join(str(identity.row) for identity in batch.identity)
        raise TetractError(
            "E_LOSS_NOT_FINITE",
            f"the loss was not a finite number {SPOILT_STEPS_ALLOWED} steps in a row",
            where=f"step {self.done}, table rows {rows}",
            fix="Lower optimiser.rate or look at these rows; the last good weights are in last/",
        )


def rate_factor(step: int, steps: int, warmup: float) -> float:
    """Linear warm-up over ``warmup * steps``, then a half cosine down to 1 % of the peak."""
    rise = max(1, round(warmup * steps))
    if step < rise:
        return (step + 1) / rise
    along = (step - rise) / max(1, steps - rise)
    return 0.01 + 0.99 * 0.5 * (1.0 + math.cos(math.pi * min(along, 1.0)))


def _step_seed(seed: int, step: int) -> int:
    """A seed of its own for each step; the golden-ratio multiplier spreads neighbours apart."""
    return ((seed + 1) * 0x9E3779B97F4A7C15 + step * 0xBF58476D1CE4E5B9) % 2**63
