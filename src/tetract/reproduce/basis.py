"""What the data set offers to a plan: which tasks it teaches, and which sources may be left out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from tetract.data import DatasetFolder, Split
from tetract.data.table import Row
from tetract.model.known_weights import KNOWN_WEIGHTS
from tetract.model.pretrained import is_at_hand
from tetract.reproduce.profile import Profile
from tetract.reproduce.trunk import LITE0, PUBLISHED, Trunk, from_scratch


@dataclass(frozen=True, slots=True, kw_only=True)
class Labels:
    """Names that some rows are labelled with.

    Attributes:
        classes: Image classes; only certain ones.
        masks: Mask classes that were looked for.
        boxes: Lesions that were boxed, or whose masks give boxes.
    """

    classes: frozenset[str]
    masks: frozenset[str]
    boxes: frozenset[str]

    @property
    def tasks(self) -> frozenset[str]:
        """Letters of the tasks that can be taught; reconstruction needs no label."""
        found = {"C": len(self.classes) > 1, "S": bool(self.masks), "D": bool(self.boxes)}
        return frozenset({"R", *(letter for letter, there in found.items() if there)})

    def __and__(self, other: Labels) -> Labels:
        """Names in both."""
        return Labels(
            classes=self.classes & other.classes,
            masks=self.masks & other.masks,
            boxes=self.boxes & other.boxes,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """A source that can be kept out of training, since others teach some of its labels.

    Attributes:
        source: Its name.
        labels: What the others teach.
        shared: What both have, and so what can be tested.
    """

    source: str
    labels: Labels
    shared: Labels


@dataclass(frozen=True, slots=True, kw_only=True)
class Basis:
    """A profile on a data set.

    Attributes:
        profile: The size.
        taught: Letters of the tasks that training rows are labelled for.
        left: Sources that can be left out.
        weights: Names of published weights that are on this machine.
        boxes_drawn: Whether training rows have boxes in the table.
        slices: Rows of the table that are trained on, validated on and tested on.
    """

    profile: Profile
    taught: frozenset[str]
    boxes_drawn: bool
    slices: tuple[int, int, int]
    left: tuple[Left, ...]
    weights: tuple[str, ...] = ()

    @property
    def trunk(self) -> Trunk:
        """What our own tables are made with: published weights where wanted and there."""
        if self.profile.from_published and PUBLISHED in self.weights:
            return LITE0
        return from_scratch(self.profile.small)


def read_basis(profile: Profile, folder: DatasetFolder) -> Basis:
    """Look at the table; no image is opened."""
    lesions = frozenset(folder.card.box_classes)
    train = [row for row in folder.rows if row.split == Split.TRAIN]
    names = dict.fromkeys(row.source for row in folder.rows)

    def count(split: Split) -> int:
        return sum(row.split == split for row in folder.rows)

    left = (_left(name, folder.rows, lesions) for name in names)
    return Basis(
        profile=profile,
        taught=labels_of(train, lesions).tasks,
        boxes_drawn=any(row.boxes is not None for row in train),
        slices=(len(train), count(Split.VAL), count(Split.TEST)),
        left=tuple(one for one in left if one is not None),
        weights=tuple(name for name in KNOWN_WEIGHTS if is_at_hand(name, profile.small)),
    )


def labels_of(rows: Iterable[Row], lesions: frozenset[str]) -> Labels:
    """Every name that these rows are labelled with."""
    classes: set[str] = set()
    masks: set[str] = set()
    boxes: set[str] = set()
    for row in rows:
        if row.label is not None and len(row.label) == 1:
            classes |= row.label
        if row.mask is not None:
            masks |= set(row.mask)
        if row.boxes is not None:
            boxes |= {box.label for box in row.boxes}
    return Labels(
        classes=frozenset(classes),
        masks=frozenset(masks),
        boxes=frozenset(boxes | (masks & lesions)),
    )


def _left(source: str, rows: Iterable[Row], lesions: frozenset[str]) -> Left | None:
    rows = list(rows)
    mine = labels_of((row for row in rows if row.source == source), lesions)
    others = [row for row in rows if row.source != source and row.split == Split.TRAIN]
    labels = labels_of(others, lesions)
    shared = mine & labels
    testable = (shared.masks & lesions) or shared.boxes or len(shared.classes) > 1
    if not others or not testable:
        return None
    return Left(source=source, labels=labels, shared=shared)
