"""``uwso``: softmax of the inverse losses (Kirchdorfer et al. 2024, arXiv 2408.07985)."""

from __future__ import annotations

from collections.abc import Callable

import torch
from pydantic import BaseModel, ConfigDict, Field

from tetract.joint.weighting import TINY, Losses, State, softmax
from tetract.types import Task


class UwsoConfig(BaseModel):
    """Settings of ``joint.method=uwso``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    temperature: float = Field(
        default=10.0,
        gt=0.0,
        allow_inf_nan=False,
        description="Higher makes the weights more alike. It is set against 1 / loss: too low, and "
        "the task of the smallest loss takes everything.",
    )
    memory: float = Field(
        default=0.9,
        ge=0.0,
        lt=1.0,
        description="Share of the past in each task's running loss; 0: this batch's loss alone, as "
        "in the paper.",
    )


class Uwso:
    """The optimum of ``uncertainty`` in closed form, tempered: softmax((1 / L) / T).

    L is a running mean, because with partial labels a task may be taught by a row or two. The
    softmax is over the active tasks met so far, in this step or before; factors are scaled to a
    mean of 1 over them.

    Args:
        tasks: The active tasks.
    """

    def __init__(self, config: UwsoConfig, tasks: tuple[Task, ...]) -> None:
        self.config = config
        self.tasks = tasks
        self.state: State = {"mean": {}}

    def factors(
        self,
        losses: Losses,
        _generator: torch.Generator,
    ) -> dict[Task, float]:
        """Softmax of the inverse running losses, this one included."""
        means = {**self.state["mean"], **self._means_with(losses)}
        inverse = {
            task: 1.0 / max(means[task], TINY) / self.config.temperature
            for task in self.tasks
            if task in means
        }
        shares = softmax(inverse)
        return {task: len(shares) * shares[task] for task in losses}

    def learn(self, losses: Losses, _again: Callable[[], Losses]) -> None:
        """Keep the running losses."""
        self.state["mean"].update(self._means_with(losses))

    def _means_with(self, losses: Losses) -> dict[str, float]:
        past, memory = self.state["mean"], self.config.memory
        return {
            task: memory * past[task] + (1 - memory) * loss if task in past else loss
            for task, loss in losses.items()
        }
