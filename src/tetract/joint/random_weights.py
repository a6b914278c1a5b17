"""``random``: random loss weighting, the baseline that a clever method has to beat."""

from __future__ import annotations

from collections.abc import Callable

import torch

from tetract.joint.weighting import Losses, State, softmax
from tetract.types import Task


class RandomWeights:
    """Softmax of one normal draw per task and batch (Lin et al. 2022, arXiv 2111.10603).

    Factors are scaled to a mean of 1 over the active tasks, so that learning rate and gradient
    clipping mean what they mean for ``fixed``. A task's draw does not depend on who else has a row.

    Args:
        tasks: The active tasks.
    """

    def __init__(self, tasks: tuple[Task, ...]) -> None:
        self.tasks = tasks
        self.state: State = {}

    def factors(self, losses: Losses, generator: torch.Generator) -> dict[Task, float]:
        """New ones each time, the same for the same step and seed."""
        drawn: list[float] = torch.randn(len(Task), generator=generator).tolist()
        shares = softmax({task: drawn[list(Task).index(task)] for task in self.tasks})
        return {task: len(self.tasks) * shares[task] for task in losses}

    def learn(self, _losses: Losses, _again: Callable[[], Losses]) -> None:
        """Nothing to learn."""
