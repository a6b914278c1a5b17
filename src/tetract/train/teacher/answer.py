"""What is known or thought of one slice: measured labels stand in the place of the teacher's."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from tetract.types import Task
from tetract.types.batch import Batch, BoxRow
from tetract.types.predictions import DetectedBoxes, Predictions


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One row; None where no task can tell.

    Attributes:
        source: The row's source.
        classes: (K,) probabilities, 0 for classes that the row's label excludes.
        masks: (M, H, W) probabilities, 0 or 1 in channels that were annotated.
        boxes: The teacher's; where the row has boxes, those instead, with score 1, and the
            teacher's of lesions that were not looked for.
        candidates: (K,) classes that the row's label leaves open; all True where it has none.
        masks_annotated: (M,) channels that were looked for.
        boxed: Whether the row has boxes of its own.
    """

    source: str
    classes: Float[Tensor, " K"] | None
    masks: Float[Tensor, "M H W"] | None
    boxes: DetectedBoxes | None
    candidates: Bool[Tensor, " K"]
    masks_annotated: Bool[Tensor, " M"]
    boxed: bool


def read_answer(batch: Batch, row: int, said: Predictions, place: int) -> Answer | None:
    """The answer for ``row``, or None where the teacher contradicts the row's measured class.

    It then misreads the slice, whatever else it says of it.

    Args:
        batch: Measured labels.
        row: Row of the batch.
        said: What the teacher says.
        place: Row of ``said``.
    """
    candidates, classes = batch.label[row], None
    if not bool(batch.labelled[row, list(Task).index(Task.CLASSIFICATION)]):
        candidates = torch.ones_like(candidates)
    if said.class_probabilities is not None:
        classes = said.class_probabilities[place] * candidates
        left = float(classes.sum())
        if left < 0.5:
            return None
        classes = classes / left
    masks, annotated = None, batch.masks_annotated[row]
    if said.mask_probabilities is not None:
        likely = said.mask_probabilities[place]
        measured = batch.masks[row].to(likely.dtype)
        masks = torch.where(annotated[:, None, None], measured, likely)
    return Answer(
        source=batch.identity[row].source,
        classes=classes,
        masks=masks,
        boxes=None if said.boxes is None else _boxes(said.boxes[place], batch.boxes[row]),
        candidates=candidates,
        masks_annotated=annotated,
        boxed=batch.boxes[row] is not None,
    )


def _boxes(found: DetectedBoxes, known: BoxRow | None) -> DetectedBoxes:
    if known is None:
        return found
    open_ones = ~known.annotated[found.labels]
    masks = found.masks.new_zeros(len(known.xyxy), *found.masks.shape[1:])
    return DetectedBoxes(
        xyxy=torch.cat([known.xyxy, found.xyxy[open_ones]]),
        scores=torch.cat([torch.ones_like(known.xyxy[:, 0]), found.scores[open_ones]]),
        labels=torch.cat([known.labels, found.labels[open_ones]]),
        masks=torch.cat(
            [masks if known.masks is None else known.masks.to(masks), found.masks[open_ones]]
        ),
    )
