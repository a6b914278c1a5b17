"""What the methods that weigh losses have in common."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol, TypeAlias

import torch

from tetract.types import Task

# Numbers by what they are and whose: {"mean": {"segmentation": 0.7}}. JSON writes and reads a
# float64 without loss, so a resumed run goes on with the very same numbers.
State: TypeAlias = dict[str, dict[str, float]]
Losses: TypeAlias = Mapping[Task, float]

TINY = 1e-8  # a loss below it counts as this much where something is divided by it


class Weighting(Protocol):
    """A method that finds a factor for each task from the losses alone.

    Attributes:
        state: Everything that later factors depend on. A task without a row leaves it as it was.
    """

    state: State

    def factors(self, losses: Losses, generator: torch.Generator, /) -> dict[Task, float]:
        """What to multiply the loss of each task in ``losses`` with; changes nothing.

        Args:
            losses: Unweighted, finite, of the tasks that had a row in this batch.
            generator: On the CPU; a function of seed and step.
        """
        ...

    def learn(self, losses: Losses, again: Callable[[], Losses], /) -> None:
        """Advance the state once an optimiser step has been taken.

        Args:
            losses: Mean over the batches of this step, before it was taken.
            again: Computes them anew for the same batches, after it.
        """
        ...


def softmax(logits: Mapping[Task, float]) -> dict[Task, float]:
    """Positive shares that add up to 1."""
    highest = max(logits.values())
    raised = {task: math.exp(logit - highest) for task, logit in logits.items()}
    total = sum(raised.values())
    return {task: value / total for task, value in raised.items()}


def mean_losses(batches: Sequence[Losses]) -> dict[Task, float]:
    """Mean loss of each task over the batches that had a row of it."""
    tasks = [task for task in Task if any(task in batch for batch in batches)]
    known = {task: [batch[task] for batch in batches if task in batch] for task in tasks}
    return {task: sum(values) / len(values) for task, values in known.items()}
