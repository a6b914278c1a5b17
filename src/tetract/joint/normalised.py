"""``normalised``: each loss divided by its own scale, so that equal weights mean equal shares."""

from __future__ import annotations

from collections.abc import Callable

import torch
from pydantic import BaseModel, ConfigDict, Field

from tetract.joint.weighting import Losses, State
from tetract.types import Task

SMALLEST_SCALE = 1e-4  # a loss that starts at zero must not get a boundless weight later


class NormalisedConfig(BaseModel):
    """Settings of ``joint.method=normalised``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    steps: int = Field(
        default=50,
        ge=1,
        description="Steps with a row of a task whose mean loss becomes that task's scale.",
    )


class Normalised:
    """Divides by the mean of a task's first losses, which then stays as it is.

    Until those steps are over, the scale is the mean of the losses so far, this one included, so
    that each task starts at exactly 1. A scale that went on moving would hide all progress.
    """

    def __init__(self, config: NormalisedConfig) -> None:
        self.config = config
        self.state: State = {"sum": {}, "steps": {}}

    def factors(
        self,
        losses: Losses,
        _generator: torch.Generator,
    ) -> dict[Task, float]:
        """One over the scale."""
        return {
            task: 1.0 / max(self._scale(task, loss), SMALLEST_SCALE)
            for task, loss in losses.items()
        }

    def learn(self, losses: Losses, _again: Callable[[], Losses]) -> None:
        """Count this loss in, for as long as the scale is open."""
        total, steps = self.state["sum"], self.state["steps"]
        for task, loss in losses.items():
            if steps.get(task, 0) < self.config.steps:
                total[task] = total.get(task, 0.0) + loss
                steps[task] = steps.get(task, 0) + 1

    def _scale(self, task: Task, loss: float) -> float:
        total, steps = self.state["sum"].get(task, 0.0), self.state["steps"].get(task, 0)
        if steps < self.config.steps:
            total, steps = total + loss, steps + 1
        return total / steps
