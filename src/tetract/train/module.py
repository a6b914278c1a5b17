"""One optimiser step of the joint loss, as Lightning wants it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, cast

import lightning
import torch
from torch import Tensor
from torch.nn.utils import clip_grads_with_norm_, get_total_norm

from tetract.joint import (
    Balance,
    Combined,
    TaskLosses,
    add_gradients,
    compared,
    mean_losses,
    task_gradients,
    with_pseudo,
)
from tetract.model import Network
from tetract.train.average import average_of, follow
from tetract.train.config import OptimiserConfig, RunConfig
from tetract.train.freeze import hold_encoder
from tetract.train.soundness import (
    KeptBuffers,
    NameRow,
    Soundness,
    row_position,
    rows_behind,
)
from tetract.train.teacher import Pseudo, Teacher
from tetract.types import Task
from tetract.types.batch import Batch, Identity


@dataclass(frozen=True, slots=True, kw_only=True)
class _Taught:
    """A batch of the step under way: what its losses were, and how to compute them again."""

    batch: Batch
    pseudo: Pseudo | None
    seed: int
    values: Mapping[Task, float]

    def rows(self, tasks: Iterable[Task]) -> tuple[Identity, ...]:
        """Those that teach one of ``tasks``, by measured labels or by pseudo-labels."""
        known = [self.batch, *([] if self.pseudo is None else [self.pseudo.batch])]
        return tuple(who for one in known for who in rows_behind(one, tasks))


class JointModule(lightning.LightningModule):
    """The network, its joint loss and its optimiser.

    Args:
        network: The network.
        balance: How its task losses become one step.
        optimiser: Optimiser settings.
        run: Length and seed.
        name_row: How a message calls a row of the table.
        teacher: Labels what is missing with the average of the weights, which ``run`` then keeps.

    Attributes:
        done: Optimiser steps taken, those of an earlier, interrupted session included.
        batch_in_step: Which of its batches the step under way has come to, from 0.
        averaged: Running average of the weights, or None where the recipe asks for none.
    """

    def __init__(
        self,
        network: Network,
        balance: Balance,
        optimiser: OptimiserConfig,
        run: RunConfig,
        name_row: NameRow = row_position,
        teacher: Teacher | None = None,
    ) -> None:
        super().__init__()
        self.network = network
        self.averaged = average_of(network) if run.average else None
        self.balance = balance
        self.config = optimiser
        self.run = run
        self.teacher = teacher
        self.done = 0
        self.batch_in_step = 0
        self._soundness = Soundness(name_row)
        self._kept = KeptBuffers(network)
        self._taught: list[_Taught] = []
        self._combined: Combined | None = None

    @property
    def judged(self) -> Network:
        """What is validated and saved: the average where there is one."""
        return self.network if self.averaged is None else self.averaged

    @property
    def ends_step(self) -> bool:
        """Whether the optimiser steps after the batch under way."""
        return self.batch_in_step + 1 == self.run.accumulate

    def on_train_batch_start(self, batch: Batch, batch_idx: int) -> None:  # noqa: ARG002  Lightning's signature
        """Set the learning rate of this step, and hold the encoder or let it go."""
        if self.batch_in_step > 0:
            return
        factor = rate_factor(
            self.done, self.run.steps, self.config.warmup, falls=self.config.schedule == "cosine"
        )
        for group in self._optimiser().param_groups:
            group["lr"] = group["peak"] * factor
        frozen = self.run.freeze_encoder_steps
        if frozen > 0 and self.done <= frozen:
            hold_encoder(self.network.encoder, held=self.done < frozen)
        self._taught, self._kept = [], KeptBuffers(self.network)

    def training_step(self, batch: Batch, _index: int) -> Tensor | None:
        """The joint loss of one batch, or None where no row teaches an active task."""
        seed = _step_seed(self.run.seed, self.done * self.run.accumulate + self.batch_in_step)
        pseudo = self._pseudo(batch)
        losses = self._losses(batch, pseudo, seed)
        taught = _Taught(batch=batch, pseudo=pseudo, seed=seed, values=self.balance.read(losses))
        values = taught.values
        spoilt = [task for task, value in values.items() if not math.isfinite(value)]
        if spoilt:
            self._kept.put_back()
            what = f"the loss of {', '.join(spoilt)}"
            self._soundness.spoilt(self.done, what, taught.rows(spoilt))
            return None
        self._combined = self.balance.combine(losses, values, self._draws())
        if self._combined is None:
            return None
        self._taught.append(taught)
        self._log(losses, self._combined)
        return self._combined.total

    def backward(self, loss: Tensor, *args: Any, **kwargs: Any) -> None:
        """Backward through the sum, or task by task where the method or the log asks for it."""
        mix, combined = self.balance.mix, self._combined
        shared = [p for p in self.network.encoder.parameters() if p.requires_grad]
        compares = self._compares_gradients() and bool(shared)
        if combined is None or not (mix or compares):
            super().backward(loss, *args, **kwargs)
            return
        own = list(self.network.heads.parameters()) if mix else []
        gradients = task_gradients(combined.losses, shared, own, keep_graph=mix is None)
        if compares:
            self._tell("gradient", compared(gradients.tasks, gradients.products()))
        if mix is None:
            super().backward(loss, *args, **kwargs)
            return
        shares = self.balance.shares(gradients, combined.weights, self._draws())
        self._log_each("share", dict(zip(gradients.tasks, shares, strict=True)))
        batches = self.run.accumulate
        add_gradients(shared, gradients.shared, [share / batches for share in shares])
        plain = [combined.weights[task] / batches for task in gradients.tasks]
        add_gradients(own, gradients.own, plain)

    def configure_gradient_clipping(
        self,
        optimizer: torch.optim.Optimizer,  # noqa: ARG002  Lightning's signature
        gradient_clip_val: float | None = None,
        gradient_clip_algorithm: str | None = None,  # noqa: ARG002  Lightning's signature
    ) -> None:
        """Clip the gradient; one that is no finite number is kept from the weights."""
        weights = [p for p in self.network.parameters() if p.grad is not None]
        if not self._taught or not weights:
            return
        norm = get_total_norm([cast("Tensor", p.grad) for p in weights])
        if bool(norm.isfinite()):
            clip_grads_with_norm_(weights, gradient_clip_val or math.inf, norm)
            self._soundness.sound()
            return
        rows = [who for one in self._taught for who in one.rows(one.values)]
        self._taught = []
        self.network.zero_grad(set_to_none=True)
        self._kept.put_back()
        self._soundness.spoilt(self.done, "the gradient", rows)

    def optimizer_step(
        self,
        epoch: int,
        batch_idx: int,
        optimizer: Any,
        optimizer_closure: Callable[[], Any] | None = None,
    ) -> None:
        """Take the step, then let the method learn from it; saving comes after both."""
        super().optimizer_step(epoch, batch_idx, optimizer, optimizer_closure)
        if self.averaged is not None and self._taught:
            decay = self.run.average
            follow(self.averaged, self.network, decay=decay, step=self.done + 1)
        if self._taught:
            before = mean_losses([one.values for one in self._taught])
            self.balance.weighting.learn(before, self._losses_now)

    def on_train_batch_end(self, outputs: Any, batch: Batch, batch_idx: int) -> None:  # noqa: ARG002  Lightning's signature
        """Count the batch, and the step where it ended one."""
        if self.ends_step:
            self.done += 1
            self.batch_in_step = 0
        else:
            self.batch_in_step += 1

    def transfer_batch_to_device(
        self,
        batch: Batch,
        device: torch.device,
        dataloader_idx: int,  # noqa: ARG002  Lightning's signature
    ) -> Batch:
        """Lightning cannot look into frozen dataclasses."""
        return batch.to(device)

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """Two groups, trunk and heads; biases and norms are decayed too, as is usual."""
        rate = self.config.rate
        peaks = (
            (self.network.encoder, rate * self.config.encoder_factor),
            (self.network.heads, rate),
        )
        groups = [
            {"params": list(part.parameters()), "lr": peak, "peak": peak} for part, peak in peaks
        ]
        method = torch.optim.Adam if self.config.method == "adam" else torch.optim.AdamW
        return method(groups, weight_decay=self.config.weight_decay)

    def _optimiser(self) -> torch.optim.Optimizer:
        return cast("torch.optim.Optimizer", self.optimizers(use_pl_optimizer=False))

    def _pseudo(self, batch: Batch) -> Pseudo | None:
        """What the teacher is sure of in this batch, None where it says nothing."""
        if self.teacher is None or self.averaged is None:
            return None
        weight = self.teacher.weight(self.done, self.run.steps)
        if weight == 0.0:
            return None
        found, counts = self.teacher.label(self.averaged, batch)
        for name, count in counts.items():
            self.log(f"train/pseudo/{name}", float(count))
        return None if found is None else Pseudo(batch=found, weight=weight)

    def _losses(self, batch: Batch, pseudo: Pseudo | None, seed: int) -> TaskLosses:
        # torchvision's samplers and dropout draw from the global generator. Setting it from the
        # step makes every draw a function of (seed, step): an interrupted run resumes exactly.
        torch.manual_seed(seed)
        measured = self.network.losses(batch, torch.Generator().manual_seed(seed))
        if pseudo is None:
            return measured
        draws = torch.Generator().manual_seed(seed ^ 2)
        return with_pseudo(measured, self.network.losses(pseudo.batch, draws), pseudo.weight)

    def _draws(self) -> torch.Generator:
        """For the method's own draws, apart from those of the network."""
        seed = _step_seed(self.run.seed, self.done * self.run.accumulate + self.batch_in_step)
        return torch.Generator().manual_seed(seed ^ 1)

    def _losses_now(self) -> dict[Task, float]:
        """The losses of this step's batches after it, with the draws that they had before it."""
        kept = KeptBuffers(self.network)
        with torch.no_grad(), self.trainer.precision_plugin.train_step_context():
            values = [
                self.balance.read(self._losses(one.batch, one.pseudo, one.seed))
                for one in self._taught
            ]
        kept.put_back()
        return mean_losses(values)

    def _log(self, losses: TaskLosses, combined: Combined) -> None:
        for task, parts in losses.parts.items():
            self.log(f"train/loss/{task.value}", losses.of(task).detach(), prog_bar=True)
            for name, part in parts.items():
                self.log(f"train/part/{task.value}/{name}", part.detach())
        self.log("train/loss/total", combined.total.detach())
        if copied := sum(len(who.donors) for who in self._taught[-1].batch.identity):
            self.log("train/copied_lesions", float(copied))
        if self.balance.config.method not in {"fixed", "pcgrad", "upgrad"}:
            self._log_each("weight", combined.weights)

    def _log_each(self, what: str, values: Mapping[Task, float]) -> None:
        for task, value in values.items():
            self.log(f"train/{what}/{task.value}", value)

    def _compares_gradients(self) -> bool:
        every = self.balance.config.log_gradients
        return every > 0 and self.done % every == 0 and self.batch_in_step == 0

    def _tell(self, what: str, values: Mapping[str, float]) -> None:
        """Log now: ``log`` keeps only what falls on every fifth step."""
        named = {f"train/{what}/{name}": value for name, value in values.items()}
        for logger in self.loggers:
            logger.log_metrics(named, step=self.global_step)


def rate_factor(step: int, steps: int, warmup: float, *, falls: bool = True) -> float:
    """Linear warm-up over ``warmup * steps``, then a half cosine down to 1 % of the peak.

    Where the rate does not fall it stays at its peak.
    """
    rise = max(1, round(warmup * steps))
    if step < rise:
        return (step + 1) / rise
    if not falls:
        return 1.0
    along = (step - rise) / max(1, steps - rise)
    return 0.01 + 0.99 * 0.5 * (1.0 + math.cos(math.pi * min(along, 1.0)))


def _step_seed(seed: int, step: int) -> int:
    """A seed of its own for each step; the golden-ratio multiplier spreads neighbours apart."""
    return ((seed + 1) * 0x9E3779B97F4A7C15 + step * 0xBF58476D1CE4E5B9) % 2**63
