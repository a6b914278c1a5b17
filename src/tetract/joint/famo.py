"""``famo``: fast adaptive multitask optimisation (Liu et al. 2023, arXiv 2306.03792)."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from pydantic import BaseModel, ConfigDict, Field

from tetract.joint.adam import adam_step
from tetract.joint.weighting import TINY, Losses, State, softmax
from tetract.types import Task


class FamoConfig(BaseModel):
    """Settings of ``joint.method=famo``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    rate: float = Field(
        default=0.025,
        gt=0.0,
        allow_inf_nan=False,
        description="Adam's rate for the task logits; the paper's.",
    )
    decay: float = Field(
        default=0.001,
        ge=0.0,
        allow_inf_nan=False,
        description="Pull of the task logits to zero (the paper's gamma).",
    )


class Famo:
    """Lets every task's loss fall at the same relative rate.

    With z the softmax of a logit per task, the factors are proportional to z / L. After the
    step the same batches are run forward once more; logits fall where the logarithm of the loss
    fell faster than the others'. Softmax, factors (scaled to a mean of 1) and update are over the
    tasks that had a row.

    Args:
        tasks: The active tasks.
    """

    def __init__(self, config: FamoConfig, tasks: tuple[Task, ...]) -> None:
        self.config = config
        self.state: State = {"logit": {task.value: 0.0 for task in tasks}}

    def factors(
        self,
        losses: Losses,
        _generator: torch.Generator,
    ) -> dict[Task, float]:
        """Shares over losses, scaled."""
        shares = self._shares(losses)
        raw = {task: shares[task] / (loss + TINY) for task, loss in losses.items()}
        total = sum(raw.values())
        return {task: len(raw) * value / total for task, value in raw.items()}

    def learn(self, losses: Losses, again: Callable[[], Losses]) -> None:
        """One step of Adam on the logits, from how much each log loss fell."""
        after = again()
        fell = {
            task: math.log(loss + TINY) - math.log(after[task] + TINY)
            for task, loss in losses.items()
            if math.isfinite(after[task])
        }
        if not fell:
            return
        shares, logits = self._shares(fell), self.state["logit"]
        mean = sum(shares[task] * fell[task] for task in fell)
        slopes = {
            task: shares[task] * (fell[task] - mean) + self.config.decay * logits[task]
            for task in fell
        }
        adam_step(self.state, "logit", slopes, rate=self.config.rate)

    def _shares(self, present: Losses) -> dict[Task, float]:
        return softmax({task: self.state["logit"][task] for task in present})
