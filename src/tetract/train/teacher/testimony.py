"""What each task says of one lesion on one slice: it is there, it is not, or who knows."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Bool
from torch import Tensor

from tetract.train.teacher.answer import Answer
from tetract.train.teacher.config import TeacherConfig
from tetract.train.teacher.relations import Lesion, Relations


@dataclass(frozen=True, slots=True, kw_only=True)
class Testimony:
    """Of one lesion on one row; None where a task cannot tell.

    Attributes:
        lesion: Which.
        class_free: Whether the class says that there is none of it.
        there: (H, W) pixels that the mask is sure of.
        not_there: (H, W) pixels that it is sure to be free.
        possible: (N,) which of the row's boxes are of this lesion and not ruled out.
        certain: (N,) which of them are sure.
    """

    lesion: Lesion
    class_free: bool | None
    there: Bool[Tensor, "H W"] | None
    not_there: Bool[Tensor, "H W"] | None
    possible: Bool[Tensor, " N"] | None
    certain: Bool[Tensor, " N"] | None

    @property
    def is_excluded(self) -> bool:
        """Whether the class rules the lesion out."""
        return self.class_free is True

    @property
    def is_seen(self) -> bool:
        """Whether mask or boxes are sure of some of it."""
        return any(found is not None and bool(found.any()) for found in (self.there, self.certain))

    @property
    def is_unseen(self) -> bool | None:
        """Whether mask and boxes both say that there is none of it; None: neither can tell."""
        said: list[bool] = []
        if self.not_there is not None:
            said.append(bool(self.not_there.all()))
        if self.possible is not None:
            said.append(not bool(self.possible.any()))
        return all(said) if said else None

    @property
    def is_absent(self) -> bool:
        """Whether all who can tell say that there is none, and at least two can.

        One alone would learn from its own silence, and fall silent everywhere.
        """
        able = (self.not_there, self.possible, self.class_free)
        told = [one for one in (self.is_unseen, self.class_free) if one is not None]
        return all(told) and sum(one is not None for one in able) >= 2


def hear(lesion: Lesion, answer: Answer, relations: Relations, config: TeacherConfig) -> Testimony:
    """What the tasks say of ``lesion``."""
    low, high = config.bounds(lesion.name)
    there = not_there = possible = certain = None
    if answer.masks is not None and lesion.mask is not None:
        likely = answer.masks[lesion.mask]
        there, not_there = likely >= high, likely <= low
    if answer.boxes is not None and lesion.box is not None:
        mine = answer.boxes.labels == lesion.box
        possible, certain = mine & (answer.boxes.scores > low), mine & (answer.boxes.scores >= high)
    return Testimony(
        lesion=lesion,
        class_free=_class_free(lesion, answer, relations, config),
        there=there,
        not_there=not_there,
        possible=possible,
        certain=certain,
    )


def covered(xyxy: Tensor, chosen: Bool[Tensor, " N"], size: tuple[int, int]) -> Bool[Tensor, "H W"]:
    """The pixels that any of the chosen boxes touches."""
    inside = torch.zeros(size, dtype=torch.bool, device=xyxy.device)
    for x0, y0, x1, y1 in xyxy[chosen].tolist():
        inside[max(int(y0), 0) : -int(-y1 // 1), max(int(x0), 0) : -int(-x1 // 1)] = True
    return inside


def _class_free(
    lesion: Lesion, answer: Answer, relations: Relations, config: TeacherConfig
) -> bool | None:
    if answer.classes is None:
        return None
    said: list[bool] = []
    free = relations.free.get(answer.source)
    if lesion.label is not None:
        low, _ = config.bounds(lesion.name)
        said.append(float(answer.classes[lesion.label]) <= low)
    if free is not None:
        _, high = config.bounds(relations.space.classes[free])
        said.append(float(answer.classes[free]) >= high)
    return any(said) if said else None
