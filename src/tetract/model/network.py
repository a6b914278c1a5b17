"""Figure 1: one trunk, four arms. Read ``forward``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn

from tetract.joint import TaskLosses
from tetract.layers import used_widths
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

IMAGE_CHANNELS = 1


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
            image_channels=IMAGE_CHANNELS,
            config=spec.reconstruction,
        ),
        loss=reconstruction_loss,
        predict=predict_image,
        says="reconstruction",
    ),
    Task.DETECTION: Arm(
        build=lambda spec, trunk: DetectionHead(
            channels=trunk.channels,
            strides=trunk.strides,
            classes=len(spec.box_classes),
            config=spec.detection,
        ),
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


@dataclass(frozen=True, slots=True, kw_only=True)
class _Decoded:
    """What the segmentation arm has decoded in this step: (S,) rows and their (S, D, H, W) maps."""

    rows: Int64[Tensor, " S"]
    maps: Float[Tensor, "S D H W"] | None


class Network(nn.Module):
    """The shared encoder and the heads that ``spec.tasks`` names."""

    def __init__(self, spec: NetworkSpec) -> None:
        super().__init__()
        self.spec = spec
        self.encoder = Encoder(spec.encoder, image_channels=IMAGE_CHANNELS)
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
            image: (B, 1, H, W) in [0, 1]; H and W are multiples of 32.
            tasks: Whose arms to run; None: all. A class needs the masks' arm too where it reads
                from it.
        """
        wanted = set(self.tasks if tasks is None else tasks)
        if Task.CLASSIFICATION in wanted and self.spec.class_reads_masks:
            wanted.add(Task.SEGMENTATION)
        features = cast("Features", self.encoder(image))
        outputs = {
            task.value: self.heads[task.value](features)
            for task in self.tasks
            if task in wanted and task is not Task.CLASSIFICATION
        }
        if Task.CLASSIFICATION in wanted:
            if self.spec.class_reads_masks:
                features = features.with_finest(outputs["segmentation"].decoded)
            outputs["classification"] = self.heads["classification"](features)
        return Outputs(**outputs)

    @torch.no_grad()
    def predict(
        self, image: Float[Tensor, "B C H W"], tasks: tuple[Task, ...] | None = None
    ) -> Predictions:
        """Decoded outputs of ``tasks`` (None: all), on the grid of ``image``.

        They lie on the network's device.
        """
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
        decoded = _Decoded(rows=shown.batch.rows(Task.SEGMENTATION)[:0], maps=None)
        # The class comes last: it reads what the masks' arm has decoded.
        for task in sorted(self.tasks, key=lambda one: one is Task.CLASSIFICATION):
            rows = shown.batch.rows(task)
            if len(rows) == 0:
                continue
            head, chosen = self.heads[task.value], shown.batch.select(rows)
            read = features.select(rows)
            if task is Task.CLASSIFICATION and self.spec.class_reads_masks:
                read = read.with_finest(self._decoded(features, rows, decoded))
            output = head(read)
            if task is Task.SEGMENTATION:
                decoded = _Decoded(rows=rows, maps=output.decoded.detach())
            parts[task] = ARMS[task].loss(head, output, chosen)
        return TaskLosses(parts={task: parts[task] for task in self.tasks if task in parts})

    def _decoded(
        self, features: Features, rows: Int64[Tensor, " R"], known: _Decoded
    ) -> Float[Tensor, "R D H W"]:
        """The map that the masks are read from, for ``rows``; what is known is not made again.

        It comes without gradient: the class reads what the masks have taught, and a step without
        a mask leaves the segmentation arm untouched.
        """
        missing = rows[~torch.isin(rows, known.rows)]
        maps = [] if known.maps is None else [known.maps]
        if len(missing):
            with torch.no_grad():
                arm = cast("SegmentationHead", self.heads["segmentation"])
                maps.append(cast("SegmentationOutput", arm(features.select(missing))).decoded)
        every = torch.cat([known.rows, missing])
        return torch.cat(maps)[(rows[:, None] == every[None]).int().argmax(dim=1)]
