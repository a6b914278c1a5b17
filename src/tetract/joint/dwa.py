"""``dwa``: dynamic weight average (Liu et al. 2019, arXiv 1803.10704)."""

from __future__ import annotations

from collections.abc import Callable

import torch
from pydantic import BaseModel, ConfigDict, Field

from tetract.joint.weighting import TINY, Losses, State, softmax
from tetract.types import Task


class DwaConfig(BaseModel):
    """Settings of ``joint.method=dwa``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    temperature: float = Field(
        default=2.0,
        gt=0.0,
        allow_inf_nan=False,
        description="Higher makes the weights more alike; the paper uses 2.",
    )
    window: int = Field(
        default=100,
        ge=1,
        description="Steps over which a loss is averaged, in place of the paper's epoch.",
    )


class Dwa:
    """K softmax(r / T) over the K active tasks, r the loss of the last window over the one before.

    A task that falls slowly gets more. r is 1 until a task has been met in two windows; a window
    without it leaves its r as it was.

    Args:
        tasks: The active tasks.
    """

    def __init__(self, config: DwaConfig, tasks: tuple[Task, ...]) -> None:
        self.config = config
        self.tasks = tasks
        self.state: State = {
            "sum": {},
            "count": {},
            "last": {},
            "before": {},
            "window": {"steps": 0.0},
        }

    def factors(
        self,
        losses: Losses,
        _generator: torch.Generator,
    ) -> dict[Task, float]:
        """From the windows that are over."""
        ratios = {task: self._ratio(task) / self.config.temperature for task in self.tasks}
        shares = softmax(ratios)
        return {task: len(self.tasks) * shares[task] for task in losses}

    def learn(self, losses: Losses, _again: Callable[[], Losses]) -> None:
        """Add to the open window, and close it when it is full."""
        total, count = self.state["sum"], self.state["count"]
        for task, loss in losses.items():
            total[task] = total.get(task, 0.0) + loss
            count[task] = count.get(task, 0.0) + 1.0
        window = self.state["window"]
        window["steps"] += 1.0
        if window["steps"] == self.config.window:
            self._close()

    def _close(self) -> None:
        total, count, last = self.state["sum"], self.state["count"], self.state["last"]
        for task in total:
            if task in last:
                self.state["before"][task] = last[task]
            last[task] = total[task] / count[task]
        self.state |= {"sum": {}, "count": {}, "window": {"steps": 0.0}}

    def _ratio(self, task: Task) -> float:
        last, before = self.state["last"], self.state["before"]
        return last[task] / max(before[task], TINY) if task in before else 1.0
