"""The chosen method at work: from the task losses of a batch to what is minimised."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from tetract.errors import RecipeError
from tetract.joint.config import JointConfig, Method
from tetract.joint.dwa import Dwa
from tetract.joint.famo import Famo
from tetract.joint.fixed import Fixed
from tetract.joint.gradients import TaskGradients
from tetract.joint.losses import TaskLosses
from tetract.joint.normalised import Normalised
from tetract.joint.pcgrad import pcgrad
from tetract.joint.random_weights import RandomWeights
from tetract.joint.uncertainty import Uncertainty
from tetract.joint.upgrad import Mix, make_upgrad
from tetract.joint.uwso import Uwso
from tetract.joint.weighted import weighted_sum
from tetract.joint.weighting import Losses, Weighting
from tetract.types import Task

# The methods that find a factor per task from the losses, given the active tasks.
WEIGHTINGS: dict[Method, Callable[[JointConfig, tuple[Task, ...]], Weighting]] = {
    "fixed": lambda _config, _tasks: Fixed(),
    "normalised": lambda config, _tasks: Normalised(config.normalised),
    "random": lambda _config, tasks: RandomWeights(tasks),
    "uncertainty": lambda config, tasks: Uncertainty(config.uncertainty, tasks),
    "uwso": lambda config, tasks: Uwso(config.uwso, tasks),
    "dwa": lambda config, tasks: Dwa(config.dwa, tasks),
    "famo": lambda config, tasks: Famo(config.famo, tasks),
}
# The methods that find a share per task from the gradients; the losses are weighed by w alone.
MIXES: dict[Method, Callable[[], Mix]] = {"pcgrad": lambda: pcgrad, "upgrad": make_upgrad}


@dataclass(frozen=True, slots=True, kw_only=True)
class Combined:
    """One batch's losses, put together.

    Attributes:
        total: What is minimised; for a method by gradients, what it would be without it.
        losses: Unweighted loss of each active task with a row.
        weights: What each is multiplied with in ``total``.
    """

    total: Float[Tensor, ""]
    losses: Mapping[Task, Float[Tensor, ""]]
    weights: Mapping[Task, float]


class Balance:
    """The method that a recipe names, over the tasks that have a head and a weight.

    Args:
        config: Method, weights and settings.
        tasks: The tasks that have a head.

    Raises:
        RecipeError: ``E_NO_WEIGHT`` where no task has a weight.
        MachineError: ``E_NO_TORCHJD``.
    """

    def __init__(self, config: JointConfig, tasks: tuple[Task, ...]) -> None:
        active = tuple(task for task in Task if task in tasks and config.weight(task) > 0)
        if not active:
            raise RecipeError(
                "E_NO_WEIGHT",
                "every task of this recipe has weight 0, so nothing would be learnt",
                where="joint",
                fix=f"Give one of {', '.join(tasks)} a positive weight",
            )
        self.config = config
        self.active = active
        make = WEIGHTINGS.get(config.method, WEIGHTINGS["fixed"])
        self.weighting = make(config, active)
        self.mix = MIXES[config.method]() if config.method in MIXES else None

    def read(self, losses: TaskLosses) -> dict[Task, float]:
        """The unweighted loss of each active task with a row, as numbers."""
        present = [task for task in losses.parts if task in self.active]
        if not present:
            return {}
        values = torch.stack([losses.of(task).detach().float() for task in present])
        return dict(zip(present, values.tolist(), strict=True))

    def combine(
        self, losses: TaskLosses, values: Losses, generator: torch.Generator
    ) -> Combined | None:
        """What to minimise, or None where no active task has a row.

        Args:
            losses: Of one batch.
            values: The same as numbers, from ``read``; finite.
            generator: On the CPU; a function of seed and step.
        """
        if not values:
            return None
        factors = self.weighting.factors(values, generator)
        total = weighted_sum(losses, self.config, factors)
        if total is None:
            return None
        return Combined(
            total=total,
            losses={task: losses.of(task) for task in factors},
            weights={task: self.config.weight(task) * factors[task] for task in factors},
        )

    def shares(
        self, gradients: TaskGradients, weights: Mapping[Task, float], generator: torch.Generator
    ) -> list[float]:
        """What to multiply each task's gradient with on the shared weights, its w included.

        Args:
            gradients: Of the unweighted losses of one batch.
            weights: The w of each task.
            generator: On the CPU; a function of seed and step.
        """
        plain = [weights[task] for task in gradients.tasks]
        by = torch.tensor(plain, dtype=torch.float64)
        products = gradients.products() * by[:, None] * by
        # Nothing can be made of these; the step is passed over when its gradient is looked at.
        if self.mix is None or not bool(products.isfinite().all()):
            return plain
        return (by * self.mix(products, generator)).tolist()
