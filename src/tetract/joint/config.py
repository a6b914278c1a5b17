"""Settings of the joint loss: the paper's weights, and how they are balanced."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from tetract.joint.dwa import DwaConfig
from tetract.joint.famo import FamoConfig
from tetract.joint.normalised import NormalisedConfig
from tetract.joint.uncertainty import UncertaintyConfig
from tetract.joint.uwso import UwsoConfig
from tetract.types import Task

Method = Literal[
    "fixed",
    "normalised",
    "random",
    "uncertainty",
    "uwso",
    "dwa",
    "famo",
    "pcgrad",
    "upgrad",
]


class JointConfig(BaseModel):
    """The weights w1 to w4 (the paper uses 0 and 1) and the method that balances them.

    A task of weight 0 is left out by every method; otherwise a method's own factor for a task is
    multiplied with its w.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    method: Method = Field(
        default="fixed",
        description="How the task losses become one number: fixed (the paper's sum), normalised, "
        "random, uncertainty, uwso, dwa, famo, or by gradients: pcgrad, upgrad. "
        "docs/how-to/balance-the-tasks.md describes each.",
    )
    classification: float = Field(default=1.0, ge=0.0, allow_inf_nan=False, description="w1")
    segmentation: float = Field(default=1.0, ge=0.0, allow_inf_nan=False, description="w2")
    reconstruction: float = Field(default=1.0, ge=0.0, allow_inf_nan=False, description="w3")
    detection: float = Field(default=1.0, ge=0.0, allow_inf_nan=False, description="w4")
    normalised: NormalisedConfig = NormalisedConfig()
    uncertainty: UncertaintyConfig = UncertaintyConfig()
    uwso: UwsoConfig = UwsoConfig()
    dwa: DwaConfig = DwaConfig()
    famo: FamoConfig = FamoConfig()
    log_gradients: int = Field(
        default=0,
        ge=0,
        description="Steps between two logs of each task's gradient on the encoder's weights: its "
        "norm and the cosine of each pair. 0 or false: never; true: every step. Costs one backward "
        "pass per task where it logs.",
    )

    def weight(self, task: Task) -> float:
        """The weight of ``task``."""
        return {
            Task.CLASSIFICATION: self.classification,
            Task.SEGMENTATION: self.segmentation,
            Task.RECONSTRUCTION: self.reconstruction,
            Task.DETECTION: self.detection,
        }[task]
