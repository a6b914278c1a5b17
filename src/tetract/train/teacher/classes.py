"""Pseudo-labels of the image class: narrower candidate sets, never others."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Bool
from torch import Tensor

from tetract.train.teacher.answer import Answer
from tetract.train.teacher.config import TeacherConfig
from tetract.train.teacher.relations import Relations
from tetract.train.teacher.testimony import Testimony


def pseudo_class(
    answer: Answer, heard: Sequence[Testimony], relations: Relations, config: TeacherConfig
) -> Bool[Tensor, " K"] | None:
    """(K,) candidates, fewer than the row's own, or None where nothing is sure.

    One class where it is sure; else those that are not ruled out, if they are at least two: one
    that is merely left over is not sure.
    """
    if answer.classes is None or int(answer.candidates.sum()) < 2:
        return None
    names = relations.space.classes
    low, high = torch.tensor([config.bounds(name) for name in names]).to(answer.classes).unbind(1)
    said = answer.candidates & (answer.classes >= high)
    if not bool(said.any()):
        said = answer.candidates & (answer.classes > low)
        if int(said.sum()) < 2:
            return None
    narrower = int(said.sum()) < int(answer.candidates.sum())
    agreed = all(_agrees(said, one, relations.free.get(answer.source)) for one in heard)
    return said if narrower and agreed else None


def _agrees(said: Bool[Tensor, " K"], one: Testimony, free: int | None) -> bool:
    """Whether masks and boxes of a lesion do not contradict what is said of the class."""
    if one.is_unseen is None:  # no head for masks or boxes of this lesion
        return True
    alone, mine = int(said.sum()) == 1, one.lesion.label
    if mine is not None and not bool(said[mine]) and one.is_seen:
        return False
    if mine is not None and alone and bool(said[mine]) and not one.is_seen:
        return False
    says_free = free is not None and alone and bool(said[free])
    return one.is_unseen or not says_free
