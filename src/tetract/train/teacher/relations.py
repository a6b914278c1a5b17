"""Which mask, box and image class speak of one lesion, and which class means there is none."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from tetract.data.dataset import SliceDataset
from tetract.types import LabelSpace, Task


@dataclass(frozen=True, slots=True, kw_only=True)
class Lesion:
    """One name, and the channels that speak of it; None where no task with a head does.

    Attributes:
        name: Of the mask, box and image class.
        mask: Index of the mask class.
        box: Index of the box class.
        label: Index of the image class.
    """

    name: str
    mask: int | None = None
    box: int | None = None
    label: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Relations:
    """What is to agree.

    Attributes:
        tasks: Those that answer and are taught: with a head, a weight and labels.
        space: Names behind the channels.
        lesions: Each lesion that masks or boxes tell.
        free: By source, the image class whose slices hold no lesion of any kind, or None.
    """

    tasks: frozenset[Task]
    space: LabelSpace
    lesions: tuple[Lesion, ...]
    free: Mapping[str, int | None]


def relate(dataset: SliceDataset, tasks: Collection[Task]) -> Relations:
    """The relations that a data set's card and the recipe's names state.

    The class that means "free of lesions" is a source's own; a source that names no normal class
    takes that of the others, where they agree on one.

    Args:
        dataset: The training slices.
        tasks: The tasks that learn.
    """
    space, asked = dataset.label_space, frozenset(tasks) - {Task.RECONSTRUCTION}
    masks, boxes, classes = (
        names if task in asked else ()
        for task, names in (
            (Task.SEGMENTATION, space.mask_classes),
            (Task.DETECTION, space.box_classes),
            (Task.CLASSIFICATION, space.classes),
        )
    )
    drawn = [name for name, is_on in zip(masks, dataset.lesion_classes, strict=False) if is_on]
    return Relations(
        tasks=asked,
        space=space,
        lesions=tuple(
            Lesion(
                name=name,
                mask=_place(name, drawn, masks),
                box=_place(name, boxes, boxes),
                label=_place(name, classes, classes),
            )
            for name in dict.fromkeys([*drawn, *boxes])
        ),
        free=_free(dataset, classes),
    )


def what_is_skipped(relations: Relations) -> tuple[str, ...]:
    """``W_TEACHER_ALONE`` for each lesion that one task alone can tell, which nothing confirms."""
    has_free = any(index is not None for index in relations.free.values())
    lines: list[str] = []
    for lesion in relations.lesions:
        told = {"mask": lesion.mask, "boxes": lesion.box, "image class": lesion.label}
        witnesses = [name for name, index in told.items() if index is not None]
        if has_free and lesion.label is None:
            witnesses.append("image class that means no lesion")
        if len(witnesses) == 1:
            lines.append(
                f"W_TEACHER_ALONE {lesion.name}: only its {witnesses[0]} can tell, so that its "
                "pseudo-labels are confirmed by no other task"
            )
    return tuple(lines)


def _place(name: str, meant: Collection[str], names: tuple[str, ...]) -> int | None:
    return names.index(name) if name in meant else None


def _free(dataset: SliceDataset, classes: tuple[str, ...]) -> dict[str, int | None]:
    cards = dataset.folder.card.sources
    own: dict[str, int | None] = {}
    for card in cards:
        if card.normal_class is not None:
            name = dataset.renamed(card.normal_class)
            is_free = card.normal_means_lesion_free
            own[card.name] = _place(name, classes, classes) if is_free else None
    agreed = set(own.values())
    shared = next(iter(agreed)) if len(agreed) == 1 else None
    return {card.name: own.get(card.name, shared) for card in cards}
