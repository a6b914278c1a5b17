"""The mean teacher: it looks at the plain view of a batch and labels what it is sure of."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import torch
from jaxtyping import Bool, Int64
from torch import Tensor

from tetract.model import Network
from tetract.train.teacher.answer import Answer, read_answer
from tetract.train.teacher.boxes import pseudo_boxes
from tetract.train.teacher.classes import pseudo_class
from tetract.train.teacher.config import TeacherConfig
from tetract.train.teacher.masks import Channel, pseudo_masks
from tetract.train.teacher.relations import Relations
from tetract.train.teacher.testimony import hear
from tetract.types import Task
from tetract.types.batch import Batch, BoxRow
from tetract.types.predictions import Predictions

C, S, _, D = range(len(Task))


@dataclass(frozen=True, slots=True, kw_only=True)
class Pseudo:
    """Pseudo-labels of one batch.

    Attributes:
        batch: Rows with pseudo-labels, and no others.
        weight: Of their loss.
    """

    batch: Batch
    weight: float


class Teacher:
    """Labels what is missing.

    Args:
        config: When, how much, how sure.
        relations: Which tasks answer, and what must agree.
    """

    def __init__(self, config: TeacherConfig, relations: Relations) -> None:
        self.config = config
        self.relations = relations

    def weight(self, step: int, steps: int) -> float:
        """Of the loss on pseudo-labels at ``step``: 0, then a rise, then what the recipe says.

        The rise is that of Laine and Aila 2017 (arXiv 1610.02242): exp(-5 (1 - t)^2).
        """
        begin, length = self.config.start * steps, self.config.ramp * steps
        if step < begin:
            return 0.0
        along = 1.0 if length <= 0 else min((step - begin) / length, 1.0)
        return self.config.weight * math.exp(-5.0 * (1.0 - along) ** 2)

    def label(self, averaged: Network, batch: Batch) -> tuple[Batch | None, Mapping[str, int]]:
        """Rows with pseudo-labels and no others, None where nothing is sure; and counts.

        Args:
            averaged: Who answers; it is left in evaluation mode.
            batch: With the plain view where the image was augmented.
        """
        rows = self.asked(batch)
        if len(rows) == 0:
            return None, {"asked": 0}
        averaged.eval()
        tasks = tuple(task for task in Task if task in self.relations.tasks)
        seen = batch.image if batch.plain is None else batch.plain
        return self.read(batch, averaged.predict(seen[rows], tasks), rows.tolist())

    @torch.no_grad()
    def read(
        self, batch: Batch, said: Predictions, rows: Sequence[int]
    ) -> tuple[Batch | None, Mapping[str, int]]:
        """As ``label``, from what was said of ``rows`` of the batch.

        The counts are rows asked about, rows that the teacher misread, and for each task what it
        is taught: rows, for masks channels of rows, and boxes.
        """
        made: dict[int, _Row] = {}
        for place, row in enumerate(rows):
            answer = read_answer(batch, row, said, place)
            if answer is not None:
                made[row] = _row(answer, self.config, self.relations)
        labelled = _labelled(batch, made)
        kept = labelled.labelled.any(dim=1).nonzero().flatten()
        counts = {
            "asked": len(rows),
            "misread": len(rows) - len(made),
            Task.CLASSIFICATION.value: len(labelled.rows(Task.CLASSIFICATION)),
            Task.SEGMENTATION.value: int(labelled.masks_annotated.sum()),
            Task.DETECTION.value: len(labelled.rows(Task.DETECTION)),
            "boxes": sum(len(row.xyxy) for row in labelled.boxes if row is not None),
        }
        return labelled.select(kept) if len(kept) else None, counts

    def asked(self, batch: Batch) -> Int64[Tensor, " R"]:
        """Rows that lack a label of some task."""
        tasks = self.relations.tasks
        lacks = torch.zeros_like(batch.labelled[:, 0])
        if Task.CLASSIFICATION in tasks:
            lacks |= ~batch.labelled[:, C] | (batch.label.sum(dim=1) > 1)
        if Task.SEGMENTATION in tasks:
            lacks |= ~batch.masks_annotated.all(dim=1)
        if Task.DETECTION in tasks:
            lacks |= ~batch.labelled[:, D]
        return lacks.nonzero().flatten()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    """The pseudo-labels of one row."""

    label: Bool[Tensor, " K"] | None
    masks: Mapping[int, Channel]
    boxes: BoxRow | None


def _row(answer: Answer, config: TeacherConfig, relations: Relations) -> _Row:
    heard = [hear(lesion, answer, relations, config) for lesion in relations.lesions]
    return _Row(
        label=pseudo_class(answer, heard, relations, config),
        masks=pseudo_masks(answer, heard, relations, config),
        boxes=pseudo_boxes(answer, heard, relations),
    )


def _labelled(batch: Batch, made: Mapping[int, _Row]) -> Batch:
    """The batch with these labels and no others."""
    labelled, label = torch.zeros_like(batch.labelled), torch.zeros_like(batch.label)
    masks, unknown = torch.zeros_like(batch.masks), torch.zeros_like(batch.masks)
    annotated = torch.zeros_like(batch.masks_annotated)
    boxes: list[BoxRow | None] = [None] * len(batch.image)
    for row, one in made.items():
        if one.label is not None:
            label[row] = one.label
        for channel, (there, unclear) in one.masks.items():
            masks[row, channel], unknown[row, channel] = there, unclear
            annotated[row, channel] = True
        boxes[row] = one.boxes
        labelled[row, C], labelled[row, S] = one.label is not None, bool(one.masks)
        labelled[row, D] = one.boxes is not None
    return replace(
        batch,
        labelled=labelled,
        label=label,
        masks=masks,
        masks_unknown=unknown,
        masks_annotated=annotated,
        boxes=tuple(boxes),
        plain=None,
    )
