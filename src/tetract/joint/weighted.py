"""The paper's joint loss: L = w1 L_classif + w2 L_segm + w3 L_recon + w4 L_detect."""

from __future__ import annotations

from collections.abc import Mapping

from jaxtyping import Float
from torch import Tensor

from tetract.joint.config import JointConfig
from tetract.joint.losses import TaskLosses
from tetract.types import Task


def weighted_sum(
    losses: TaskLosses, config: JointConfig, factors: Mapping[Task, float] | None = None
) -> Float[Tensor, ""] | None:
    """L over the tasks that had a row, or None when no task of positive weight had one.

    A task without a row is left out of the sum, so that it adds exactly zero gradient.

    Args:
        losses: Of one step.
        config: The weights w1 to w4.
        factors: What the chosen method multiplies each w with; None: 1.
    """
    terms = [
        config.weight(task) * (factors[task] if factors else 1.0) * losses.of(task)
        for task in losses.parts
        if config.weight(task) > 0
    ]
    return sum(terms[1:], start=terms[0]) if terms else None
