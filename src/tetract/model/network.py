"""Figure 1: one trunk, four arms. Read ``forward``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn

from tetract.errors import BundleError
from tetract.joint import TaskLosses
from tetract.layers import step_channels, used_widths
from tetract.model.decoding import Decoding
from tetract.model.encoder import Encoder
from tetract.model.showing import show
from tetract.model.spec import NetworkSpec
from tetract.tasks.classification import (
    ClassificationHead,
    ClassificationOutput,
    classification_loss,
    predict_classes,
)
from tetract.tasks.detection import DetectionHead, DetectionOutput, detection_loss, predict_boxes
from tetract.tasks.reconstruction import (
    ReconstructionHead,
    ReconstructionOutput,
    predict_image,
    reconstruction_loss,
)
from tetract.tasks.segmentation import (
    SegmentationHead,
    SegmentationOutput,
    predict_masks,
    segmentation_loss,
)
from tetract.types import LabelSpace, Task
from tetract.types.batch import Batch, Features
from tetract.types.predictions import Predictions


@dataclass(frozen=True, slots=True, kw_only=True)
class Outputs:
    """One optional field per task; None where the network has no such head."""

    classification: ClassificationOutput | None = None
    segmentation: SegmentationOutput | None = None
    reconstruction: ReconstructionOutput | None = None
    detection: DetectionOutput | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Arm:
    """One task's room, as the network uses it.

    Attributes:
        build: Makes the head for a trunk.
        loss: ``(head, output, batch)`` to the named parts of the loss.
        predict: ``(head, output)`` to decoded predictions.
        says: The field of ``Predictions`` that they fill.
    """

    build: Callable[[NetworkSpec, Encoder], nn.Module]
    loss: Callable[[Any, Any, Batch], dict[str, Tensor]]
    predict: Callable[[Any, Any], Any]
    says: str


def _build_detection(spec: NetworkSpec, trunk: Encoder) -> DetectionHead:
    """The detection arm, on the encoder's maps or on the steps of the masks' decoder."""
    channels, strides = trunk.channels, trunk.strides
    if spec.boxes_read_masks:
        channels, strides = step_channels(
            spec.segmentation.widths, channels=channels, strides=strides
        )
    return DetectionHead(
        channels=channels,
        strides=strides,
        classes=len(spec.box_classes),
        config=spec.detection,
        joined=spec.boxes_read_masks,
    )


ARMS: dict[Task, Arm] = {
    Task.CLASSIFICATION: Arm(
        build=lambda spec, trunk: ClassificationHead(
            channels=_read_by_classification(spec, trunk),
            classes=len(spec.classes),
            config=spec.classification,
        ),
        loss=classification_loss,
        predict=predict_classes,
        says="class_probabilities",
    ),
    Task.SEGMENTATION: Arm(
        build=lambda spec, trunk: SegmentationHead(
            channels=trunk.channels,
            strides=trunk.strides,
            classes=len(spec.mask_classes),
            config=spec.segmentation,
        ),
        loss=segmentation_loss,
        predict=predict_masks,
        says="mask_probabilities",
    ),
    Task.RECONSTRUCTION: Arm(
        build=lambda spec, trunk: ReconstructionHead(
            channels=trunk.channels,
            strides=trunk.strides,
            config=spec.reconstruction,
        ),
        loss=reconstruction_loss,
        predict=predict_image,
        says="reconstruction",
    ),
    Task.DETECTION: Arm(
        build=_build_detection,
        loss=detection_loss,
        predict=predict_boxes,
        says="boxes",
    ),
}


def _read_by_classification(spec: NetworkSpec, trunk: Encoder) -> tuple[int, ...]:
    """Channels of the maps that ``Network`` hands to the classifier."""
    if not spec.class_reads_masks:
        return trunk.channels
    return (used_widths(spec.segmentation.widths, trunk.strides)[-1], *trunk.channels)


class Network(nn.Module):
    """The shared encoder and the heads that ``spec.tasks`` names."""

    def __init__(self, spec: NetworkSpec) -> None:
        super().__init__()
        self.spec = spec
        self.encoder = Encoder(spec.encoder, image_channels=spec.image_channels)
        self.heads = nn.ModuleDict(
            {task.value: ARMS[task].build(spec, self.encoder) for task in spec.tasks}
        )

    @property
    def tasks(self) -> tuple[Task, ...]:
        """The tasks that have a head, in the order of Figure 1."""
        return self.spec.tasks

    @property
    def label_space(self) -> LabelSpace:
        """Names behind the output channels."""
        return self.spec.label_space

    def forward(
        self, image: Float[Tensor, "B C H W"], tasks: tuple[Task, ...] | None = None
    ) -> Outputs:
        """Encode once, then let every arm read the same features.

        Args:
            image: (B, C, H, W) in [0, 1], C as in the spec; H and W are multiples of 32.
            tasks: Whose arms to run; None: all. A class needs the masks' arm too where it reads
                from it.
        """
        features = cast("Features", self.encoder(image))
        decoding = self._decoding(features)
        rows = torch.arange(len(image), device=features.maps[0].device)
        wanted = self.tasks if tasks is None else tasks
        return Outputs(
            **{
                task.value: self._run(task, features, rows, decoding)
                for task in _class_last(self.tasks)
                if task in wanted
            }
        )

    @torch.no_grad()
    def predict(
        self, image: Float[Tensor, "B C H W"], tasks: tuple[Task, ...] | None = None
    ) -> Predictions:
        """Decoded outputs of ``tasks`` (None: all), on the grid of ``image``.

        They lie on the network's device.

        Raises:
            BundleError: ``E_OTHER_INPUT`` where the image has other channels than the network.
        """
        if image.shape[1] != self.spec.image_channels:
            raise BundleError(
                "E_OTHER_INPUT",
                "the model sees another number of slices at once",
                where="neighbours",
                expected=f"{self.spec.image_channels} channels",
                found=str(image.shape[1]),
                fix="Prepare slices with the neighbours that the model was trained with",
            )
        output = self(image.to(next(self.parameters()).device), tasks)
        return Predictions(
            **{
                ARMS[task].says: ARMS[task].predict(
                    self.heads[task.value], getattr(output, task.value)
                )
                for task in (self.tasks if tasks is None else tasks)
            }
        )

    def losses(self, batch: Batch, generator: torch.Generator) -> TaskLosses:
        """The joint step: each head runs only on the rows labelled for its task.

        A task without a labelled row does not appear in the result and touches no parameter.

        Args:
            batch: Rows that may carry different labels.
            generator: Draws the patches that reconstruction must infer; on the CPU.
        """
        shown = show(batch, self.tasks, self.spec.reconstruction, generator)
        if len(shown.image) == 0:
            return TaskLosses(parts={})
        features = cast("Features", self.encoder(shown.image))
        parts: dict[Task, dict[str, Tensor]] = {}
        decoding = self._decoding(features)
        for task in _class_last(self.tasks):
            rows = shown.batch.rows(task)
            if len(rows) == 0:
                continue
            output = self._run(task, features, rows, decoding)
            parts[task] = ARMS[task].loss(self.heads[task.value], output, shown.batch.select(rows))
        return TaskLosses(parts={task: parts[task] for task in self.tasks if task in parts})

    def _decoding(self, features: Features) -> Decoding | None:
        if Task.SEGMENTATION not in self.tasks:
            return None
        return Decoding(cast("SegmentationHead", self.heads["segmentation"]), features)

    def _run(
        self,
        task: Task,
        features: Features,
        rows: Int64[Tensor, " R"],
        decoding: Decoding | None,
    ) -> Any:
        """What the arm of ``task`` says of ``rows``."""
        head = self.heads[task.value]
        if decoding is not None and task is Task.SEGMENTATION:
            return cast("SegmentationHead", head).read(decoding.steps(rows))
        if decoding is not None and task is Task.DETECTION and self.spec.boxes_read_masks:
            return head(decoding.steps(rows))
        # Rows are told in rising order, so as many as there are means all of them.
        read = features if len(rows) == len(features.maps[0]) else features.select(rows)
        if decoding is not None and task is Task.CLASSIFICATION and self.spec.class_reads_masks:
            # The class reads what the masks have taught, and a step without a mask leaves the
            # segmentation arm untouched.
            with torch.no_grad():
                finest = decoding.steps(rows).maps[0]
            read = read.with_finest(finest.detach())
        return head(read)


def _class_last(tasks: tuple[Task, ...]) -> list[Task]:
    """The class reads, without gradient, what others have decoded with it."""
    return sorted(tasks, key=lambda one: one is Task.CLASSIFICATION)
