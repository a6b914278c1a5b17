"""Pseudo-labels of boxes."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Bool
from torch import Tensor

from tetract.train.teacher.answer import Answer
from tetract.train.teacher.relations import Relations
from tetract.train.teacher.testimony import Testimony, covered
from tetract.types.batch import BoxRow
from tetract.types.predictions import DetectedBoxes

CONFIRMED = 0.5  # share of a box's own pixels that the mask must be sure of


def pseudo_boxes(answer: Answer, heard: Sequence[Testimony], relations: Relations) -> BoxRow | None:
    """Boxes of a row that has none of its own, or None where nothing is sure.

    The rest of the slice counts as free only where every lesion is settled: the first stage of
    the detector knows no classes. Instance masks are not taught.
    """
    boxes = answer.boxes
    if boxes is None or answer.boxed:
        return None
    told = [one for one in heard if one.lesion.box is not None]
    taken = torch.zeros_like(boxes.labels, dtype=torch.bool)
    for one in told:
        taken |= _confirmed(one, boxes)
    settled = all(_is_settled(one, boxes, taken) for one in told)
    if not (settled or bool(taken.any())):
        return None
    return BoxRow(
        xyxy=boxes.xyxy[taken].float(),
        labels=boxes.labels[taken],
        masks=None,
        annotated=torch.full(
            (len(relations.space.box_classes),), settled, device=boxes.xyxy.device
        ),
    )


def _confirmed(one: Testimony, boxes: DetectedBoxes) -> Bool[Tensor, " N"]:
    """The sure boxes that neither class nor mask speaks against."""
    if one.certain is None or one.is_excluded:
        return torch.zeros_like(boxes.labels, dtype=torch.bool)
    if one.there is None:
        return one.certain
    pixels = boxes.masks >= 0.5
    shared = (pixels & one.there).sum(dim=(1, 2))
    return one.certain & (shared > 0) & (shared >= CONFIRMED * pixels.sum(dim=(1, 2)))


def _is_settled(one: Testimony, boxes: DetectedBoxes, taken: Bool[Tensor, " N"]) -> bool:
    """Whether it is known of every place whether this lesion is there."""
    if one.possible is None or bool((one.possible & ~taken).any()):
        return False
    mine = one.possible & taken
    if not bool(mine.any()):
        return one.is_absent
    if one.not_there is None:
        return True
    size = (one.not_there.shape[0], one.not_there.shape[1])
    return bool((one.not_there | covered(boxes.xyxy, mine, size)).all())
