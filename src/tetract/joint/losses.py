"""The task losses of one step, and their weighted sum."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

from tetract.types import Task


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskLosses:
    """The losses of one step. A task without a labelled row is not among the keys.

    Attributes:
        parts: For each task, its named scalar parts, unweighted.
    """

    parts: Mapping[Task, Mapping[str, Float[Tensor, ""]]]

    def of(self, task: Task) -> Float[Tensor, ""]:
        """The unweighted loss of one task, the sum of its parts."""
        scalars = list(self.parts[task].values())
        return sum(scalars[1:], start=scalars[0])


def with_pseudo(measured: TaskLosses, pseudo: TaskLosses, weight: float) -> TaskLosses:
    """Both together, each task's parts on pseudo-labels weighed and named ``pseudo_``."""
    tasks = [task for task in Task if task in measured.parts or task in pseudo.parts]
    parts: dict[Task, dict[str, Tensor]] = {
        task: dict(measured.parts.get(task, {})) for task in tasks
    }
    for task, named in pseudo.parts.items():
        parts[task] |= {f"pseudo_{name}": weight * value for name, value in named.items()}
    return TaskLosses(parts=parts)
