"""The typed experiment: data, trunk, tasks, joint loss, optimiser, run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, cast

from pydantic import BaseModel, ConfigDict, Field, model_validator

from tetract.data.config import DataConfig
from tetract.joint import JointConfig
from tetract.model import EncoderConfig, NetworkSpec
from tetract.recipe.preset import PRESETS, start_from
from tetract.tasks.classification import ClassificationConfig
from tetract.tasks.detection import DetectionConfig
from tetract.tasks.reconstruction import ReconstructionConfig
from tetract.tasks.segmentation import SegmentationConfig
from tetract.train.config import OptimiserConfig, RunConfig
from tetract.train.teacher import TeacherConfig
from tetract.types import Task


class Recipe(BaseModel):
    """A whole experiment; ``tetract train`` writes the resolved one beside its results.

    The three lists of names choose what the heads learn; an empty list takes every name of the
    data set's card, after ``data.merge``.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(default="run", pattern=r"^[\w.-]+$", description="Letters, digits, . _ -")
    preset: Literal["tetract", "as_paper"] = Field(
        default="tetract",
        description="What every other setting starts from. as_paper: the paper's form of encoder, "
        "heads, losses and optimiser (docs/how-to/train-the-paper.md).",
    )
    tasks: tuple[Task, ...] = Field(
        default=tuple(Task), min_length=1, description="The heads to train; any subset."
    )
    data: DataConfig
    classes: tuple[str, ...] = Field(default=(), description="Image classes; empty: the card's.")
    mask_classes: tuple[str, ...] = Field(default=(), description="Masks; empty: the card's.")
    box_classes: tuple[str, ...] = Field(default=(), description="Lesions; empty: the card's.")
    encoder: EncoderConfig = EncoderConfig()
    classification: ClassificationConfig = ClassificationConfig()
    segmentation: SegmentationConfig = SegmentationConfig()
    reconstruction: ReconstructionConfig = ReconstructionConfig()
    detection: DetectionConfig = DetectionConfig()
    joint: JointConfig = JointConfig()
    optimiser: OptimiserConfig = OptimiserConfig()
    run: RunConfig = RunConfig()
    teacher: TeacherConfig = TeacherConfig()
    schema_version: Literal[1] = Field(default=1, description="Version of this layout.")

    @model_validator(mode="before")
    @classmethod
    def _start_from_preset(cls, data: object) -> object:
        """Settings that are not given follow the preset, so that a saved recipe names them all."""
        if isinstance(data, Mapping):
            given = cast("Mapping[str, object]", data)
            preset = PRESETS.get(str(given.get("preset", "tetract")))
            return given if preset is None else start_from(preset, given)
        return data

    @model_validator(mode="after")
    def _teacher_can_teach(self) -> Recipe:
        if self.teacher.weight > 0:
            if self.run.average == 0:
                raise ValueError("teacher.weight needs run.average, such as 0.99, to teach")
            if set(self.tasks) <= {Task.RECONSTRUCTION}:
                raise ValueError("teacher.weight needs a task with labels; reconstruction has none")
        return self

    def network_spec(self) -> NetworkSpec:
        """What to build. The name lists must have been filled in (``recipe.checks``)."""
        return NetworkSpec(
            tasks=self.tasks,
            encoder=self.encoder,
            classification=self.classification,
            segmentation=self.segmentation,
            reconstruction=self.reconstruction,
            detection=self.detection,
            classes=self.classes,
            mask_classes=self.mask_classes,
            box_classes=self.box_classes,
            image_px=self.data.image_px,
            window_hu=self.data.window_hu,
            neighbours=self.data.neighbours,
            neighbour_mm=self.data.neighbour_mm,
        )
