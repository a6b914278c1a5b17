"""``uncertainty``: a learnt variance per task (Kendall et al. 2018, arXiv 1705.07115)."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from pydantic import BaseModel, ConfigDict, Field

from tetract.joint.adam import adam_step
from tetract.joint.weighting import Losses, State
from tetract.types import Task

LARGEST_LOG_VARIANCE = 6.0  # sigma between exp(-3) and exp(3)


class UncertaintyConfig(BaseModel):
    """Settings of ``joint.method=uncertainty``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    rate: float = Field(
        default=0.01,
        gt=0.0,
        allow_inf_nan=False,
        description="Adam's rate for the log variances: about the most that one moves per step.",
    )


class Uncertainty:
    """Minimises the sum of exp(-s) L + s/2 over the weights of the network and over s.

    s is the log of the variance, from 0, so that the start is ``fixed``. This is the paper's term
    for a class likelihood. Its term for a regression, (exp(-s) L + s) / 2, is the same up to a
    constant with s + log 2 for s, so one form serves all four tasks. Where L stands still, the
    factor exp(-s) tends to 1 / (2 L). s stays within +-6: of a loss that falls to zero it would
    have no minimum.

    Args:
        tasks: The active tasks.
    """

    def __init__(self, config: UncertaintyConfig, tasks: tuple[Task, ...]) -> None:
        self.config = config
        self.state: State = {"log_variance": {task.value: 0.0 for task in tasks}}

    def factors(
        self,
        losses: Losses,
        _generator: torch.Generator,
    ) -> dict[Task, float]:
        """exp(-s)."""
        return {task: math.exp(-self.state["log_variance"][task]) for task in losses}

    def learn(self, losses: Losses, _again: Callable[[], Losses]) -> None:
        """One step down the gradient in s, 1/2 - exp(-s) L."""
        variances = self.state["log_variance"]
        slopes = {task: 0.5 - math.exp(-variances[task]) * loss for task, loss in losses.items()}
        adam_step(self.state, "log_variance", slopes, rate=self.config.rate)
        for task in losses:
            bounded = min(max(variances[task], -LARGEST_LOG_VARIANCE), LARGEST_LOG_VARIANCE)
            variances[task] = bounded
