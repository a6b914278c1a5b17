"""Settings of the optimiser and of a run."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator


class OptimiserConfig(BaseModel):
    """How weights follow gradients; by default AdamW with a warm-up and a cosine decay."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    method: Literal["adamw", "adam"] = Field(
        default="adamw",
        description="adamw: decay apart from the gradient (arXiv 1711.05101); adam: the paper's.",
    )
    rate: float = Field(default=1e-3, gt=0.0, description="Peak learning rate of the heads.")
    encoder_factor: float = Field(
        default=0.3,
        ge=0.0,
        description="The encoder's rate as a multiple of the heads'; 1e-3 throughout makes a "
        "trunk that starts from scratch forget what it learnt.",
    )
    weight_decay: float = Field(
        default=1e-2, ge=0.0, description="AdamW's decoupled decay; Adam's L2 penalty."
    )
    warmup: float = Field(default=0.05, ge=0.0, lt=1.0, description="Share of steps to warm up.")
    schedule: Literal["cosine", "constant"] = Field(
        default="cosine",
        description="The rate after the warm-up: down to 1 % of its peak, or kept.",
    )
    clip_norm: float | None = Field(
        default=5.0, gt=0.0, description="Largest gradient norm; null: gradients are not clipped."
    )


class RunConfig(BaseModel):
    """How long, how often, with which seed and on what."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    folder: Path = Field(default=Path("runs/run"), description="Where the run is written.")
    steps: int = Field(default=1000, ge=1, description="Optimiser steps.")
    batch: int = Field(default=4, ge=1, description="Rows per batch.")
    accumulate: int = Field(
        default=1,
        ge=1,
        description="Batches per optimiser step; their gradients are averaged. Every batch holds "
        "rows of each task by itself.",
    )
    seed: int = Field(default=0, ge=0, description="Weights, batches and patches follow from it.")
    validate_every: int = Field(
        default=200,
        ge=0,
        description="Steps between validations; the last step is followed by one, too. 0: never; "
        "there is last/ then, and no best/.",
    )
    patience: int = Field(
        default=0, ge=0, description="Validations without a better score to stop after; 0: never."
    )
    device: Literal["auto", "cpu", "cuda"] = Field(
        default="auto", description="auto takes a GPU where there is one."
    )
    precision: Literal["auto", "32", "bf16"] = Field(
        default="auto", description="auto: bf16 where the processor has it in hardware, else 32."
    )
    workers: int = Field(default=0, ge=0, description="Processes that prepare batches.")
    init_from: Path | None = Field(default=None, description="Run whose weights to start from.")
    average: float = Field(
        default=0.0,
        ge=0.0,
        lt=1.0,
        description="Decay per step of a running average of the weights, such as 0.99; the average "
        "is what is validated and saved. 0: the weights themselves.",
    )
    flips: bool = Field(
        default=False,
        description="Whether validation and evaluation average each slice with its mirror image; "
        "twice the time.",
    )
    reestimate_norm: int = Field(
        default=0,
        ge=0,
        description="Training slices, labels unread, that BatchNorm's statistics are measured on "
        "before the first step; for encoder.norm=frozen. 0: they stay as loaded.",
    )
    pretrain_steps: int = Field(
        default=0,
        ge=0,
        description="Steps of a first stage that reconstructs every training slice, labelled or "
        "not; the training starts from it (docs/how-to/pretrain.md). Not with init_from.",
    )
    freeze_encoder_steps: int = Field(
        default=0,
        ge=0,
        description="First optimiser steps in which only the heads learn: the encoder's weights "
        "and BatchNorm statistics stay as they were carried over.",
    )

    @model_validator(mode="after")
    def _starts_from_one_place(self) -> RunConfig:
        if self.pretrain_steps and self.init_from is not None:
            raise ValueError("give pretrain_steps or init_from, not both")
        return self

    @model_validator(mode="after")
    def _stops_by_what_it_validates(self) -> RunConfig:
        if self.patience and not self.validate_every:
            raise ValueError("patience counts validations, and validate_every=0 makes none")
        return self
