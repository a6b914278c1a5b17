"""Pseudo-labels of masks, pixel by pixel."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Bool
from torch import Tensor

from tetract.train.teacher.answer import Answer
from tetract.train.teacher.config import TeacherConfig
from tetract.train.teacher.relations import Relations
from tetract.train.teacher.testimony import Testimony, covered

Channel = tuple[Bool[Tensor, "H W"], Bool[Tensor, "H W"]]


def pseudo_masks(
    answer: Answer, heard: Sequence[Testimony], relations: Relations, config: TeacherConfig
) -> dict[int, Channel]:
    """By channel that nobody annotated: the pixels that show it, and those that nobody can tell."""
    if answer.masks is None:
        return {}
    lesions = {one.lesion.mask: one for one in heard if one.lesion.mask is not None}
    found: dict[int, Channel] = {}
    for channel, name in enumerate(relations.space.mask_classes):
        if bool(answer.masks_annotated[channel]):
            continue
        if channel in lesions:
            made = _lesion(lesions[channel], answer)
        else:
            made = _organ(answer.masks[channel], config.bounds(name))
        if made is not None:
            found[channel] = made
    return found


def _organ(likely: Tensor, bounds: tuple[float, float]) -> Channel | None:
    """No other task speaks of lungs, so nothing confirms a slice without them."""
    low, high = bounds
    there, not_there = likely >= high, likely <= low
    return (there, ~(there | not_there)) if bool(there.any()) else None


def _lesion(one: Testimony, answer: Answer) -> Channel | None:
    there, not_there = one.there, one.not_there
    if there is None or not_there is None:
        return None
    if one.is_absent:
        return torch.zeros_like(there), torch.zeros_like(there)
    if one.is_excluded:
        return None
    if answer.boxes is not None and one.possible is not None and one.certain is not None:
        size = (there.shape[0], there.shape[1])
        there = there & covered(answer.boxes.xyxy, one.possible, size)
        not_there = not_there & ~covered(answer.boxes.xyxy, one.certain, size)
    return (there, ~(there | not_there)) if bool(there.any()) else None
