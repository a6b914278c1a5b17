"""The paper's joint loss: L = w1 L_classif + w2 L_segm + w3 L_recon + w4 L_detect."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from jaxtyping import Float
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor

from tetract.types import Task


class JointConfig(BaseModel):
    """The weights w1 to w4. The paper uses 0 and 1; any non-negative number is allowed."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    classification: float = Field(default=1.0, ge=0.0, allow_inf_nan=False, description="w1")
    segmentation: float = Field(default=1.0, ge=0.0, allow_inf_nan=False, description="w2")
    reconstruction: float = Field(default=1.0, ge=0.0, allow_inf_nan=False, description="w3")
    detection: float = Field(default=1.0, ge=0.0, allow_inf_nan=False, description="w4")

    def weight(self, task: Task) -> float:
        """The weight of ``task``."""
        return {
            Task.CLASSIFICATION: self.classification,
            Task.SEGMENTATION: self.segmentation,
            Task.RECONSTRUCTION: self.reconstruction,
            Task.DETECTION: self.detection,
        }[task]


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


def weighted_sum(losses: TaskLosses, config: JointConfig) -> Float[Tensor, ""] | None:
    """L over the tasks that had a row, or None when no task of positive weight had one.

    A task without a row is left out of the sum, so that it adds exactly zero gradient.
    """
    terms = [
        config.weight(task) * losses.of(task) for task in losses.parts if config.weight(task) > 0
    ]
    return sum(terms[1:], start=terms[0]) if terms else None
