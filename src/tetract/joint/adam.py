"""Adam on a handful of numbers, where only some of them have a gradient."""

from __future__ import annotations

import math
from collections.abc import Mapping

from tetract.joint.weighting import State
from tetract.types import Task

FIRST_DECAY, SECOND_DECAY, EPSILON = 0.9, 0.999, 1e-8


def adam_step(state: State, values: str, gradients: Mapping[Task, float], *, rate: float) -> None:
    """One step of Adam (Kingma & Ba 2015, arXiv 1412.6980) on ``state[values]``, in place.

    Moments and step counts are kept per task in the same state; a task without a gradient keeps
    its value, its moments and its count.
    """
    first, second = state.setdefault("first", {}), state.setdefault("second", {})
    steps = state.setdefault("steps", {})
    for task, gradient in gradients.items():
        steps[task] = steps.get(task, 0) + 1
        first[task] = FIRST_DECAY * first.get(task, 0.0) + (1 - FIRST_DECAY) * gradient
        second[task] = SECOND_DECAY * second.get(task, 0.0) + (1 - SECOND_DECAY) * gradient**2
        mean = first[task] / (1 - FIRST_DECAY ** steps[task])
        spread = math.sqrt(second[task] / (1 - SECOND_DECAY ** steps[task]))
        state[values][task] -= rate * mean / (spread + EPSILON)
