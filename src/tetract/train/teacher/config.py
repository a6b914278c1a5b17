"""Settings of the teacher."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, model_validator

Probability = Annotated[float, Field(ge=0.0, le=1.0)]


class TeacherConfig(BaseModel):
    """Pseudo-labels for labels that are missing, from the running average of the weights.

    A mean teacher (Tarvainen and Valpola 2017, arXiv 1703.01780). What it must be sure of, and
    which tasks must agree: ``docs/explanation/partial-labels.md``.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    weight: float = Field(
        default=0.0,
        ge=0.0,
        allow_inf_nan=False,
        description="Of the loss on pseudo-labels, beside 1 for measured ones. 0: there is no "
        "teacher. Needs run.average, the teacher being that average.",
    )
    start: float = Field(
        default=0.3, ge=0.0, lt=1.0, description="Share of run.steps before the first pseudo-label."
    )
    ramp: float = Field(
        default=0.2,
        ge=0.0,
        le=1.0,
        description="Share of run.steps in which the weight then rises from next to nothing.",
    )
    lesion: Probability = Field(
        default=0.9, description="Probability from which on a pixel, box or class is there."
    )
    background: Probability = Field(
        default=0.1,
        description="Probability up to which it is not. What lies between is unknown and teaches "
        "nothing.",
    )
    per_class: dict[str, tuple[Probability, Probability]] = Field(
        default_factory=dict,
        description="Other pairs (background, lesion) for classes, masks and boxes of these names.",
    )

    @model_validator(mode="after")
    def _bounds_are_apart(self) -> TeacherConfig:
        for name, (low, high) in {"all": (self.background, self.lesion), **self.per_class}.items():
            if not low < high or high <= 0.5:
                raise ValueError(
                    f"teacher needs background < lesion and lesion > 0.5, found {low:g} and "
                    f"{high:g} for {name}"
                )
        return self

    def bounds(self, name: str) -> tuple[float, float]:
        """Up to which probability a class is not there, and from which on it is."""
        return self.per_class.get(name, (self.background, self.lesion))
