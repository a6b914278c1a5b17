"""From what a row's cells say to what each task may learn: certain steps only, no guessing.

::

    mask       -> class mask                                   measured
    mask       -> 8-connected parts -> boxes + instance masks  derived
    boxes      -> boxes                                        measured
    normal     -> no lesion pixel, no box                      implied (where the card says so)
    candidates -> class, restricted to the recipe's classes    measured

All arrays are on the grid of the slice as it was read. ``docs/explanation/partial-labels.md``
gives the reasons.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np
from jaxtyping import Bool

from tetract.data.card import SourceCard
from tetract.data.cells import BoxEntry
from tetract.data.lesions import lesion_parts, tight_boxes
from tetract.errors import LabelError, RecipeError
from tetract.types import Boxes, BoxTarget, LabelSpace, MaskTarget, Targets

# A part that explains less of a measured box than this is something else than its lesion.
_SAME_LESION_IOU = 0.5


class Origin(StrEnum):
    """How a label came to be."""

    MEASURED = "measured"
    DERIVED = "derived"
    IMPLIED = "implied"


@dataclass(frozen=True, slots=True, kw_only=True)
class RowLabels:
    """The label cells of one slice, with the masks read.

    Attributes:
        canvas: ``(H, W)`` of the slice in pixels.
        label: Candidate classes, or None.
        masks: Mask class to (H, W) bool; a named class was looked for, others are unknown.
        boxes: The boxes, ``()`` for a looked-at negative, or None.
    """

    canvas: tuple[int, int]
    label: frozenset[str] | None = None
    masks: Mapping[str, Bool[np.ndarray, "H W"]] = field(default_factory=dict)
    boxes: tuple[BoxEntry, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What the recipe and the card decide about the algebra.

    Attributes:
        merge: New class name -> the names it replaces.
        derive_boxes: Whether masks give boxes.
        min_area_px: Parts of a mask with fewer original pixels give no box.
        lesions: Names that ``normal`` excludes; lung, for one, is not among them.
    """

    merge: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    derive_boxes: bool = True
    min_area_px: float = 1.0
    lesions: frozenset[str] = frozenset()

    def members(self, name: str) -> tuple[str, ...]:
        """The data set's names behind a class of the recipe."""
        return self.merge.get(name, (name,))

    def renamed(self, name: str) -> str:
        """The recipe's name for a class of the data set."""
        return next((new for new, old in self.merge.items() if name in old), name)

    def is_lesion(self, name: str) -> bool:
        """Whether all that a class of the recipe stands for are lesions."""
        return set(self.members(name)) <= self.lesions


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolved:
    """Targets and where each of them comes from.

    Attributes:
        targets: On the grid of the slice as it was read.
        label: Origin of the class, or None where there is none.
        masks: Origin per mask class, None where it is not annotated.
        boxes: Origin per box class, None where it is not annotated.
        derived: (N,) bool per box, True where a mask gave it.
    """

    targets: Targets
    label: Origin | None
    masks: tuple[Origin | None, ...]
    boxes: tuple[Origin | None, ...]
    derived: Bool[np.ndarray, " N"]


def resolve_targets(
    labels: RowLabels, source: SourceCard, space: LabelSpace, rules: Rules
) -> Resolved:
    """What one slice teaches each task.

    Args:
        labels: What its cells say.
        source: What its source's labels mean.
        space: Names behind the recipe's channels; other classes are ignored.
        rules: Merging and deriving.

    Raises:
        LabelError: ``E_LABEL_CONFLICT`` when a slice that must be free of lesions shows one;
            ``E_BOX_OUTSIDE`` or ``E_BOX_EMPTY`` for a box that does not fit the slice.
    """
    normal = frozenset() if source.normal_class is None else frozenset({source.normal_class})
    lesion_free = source.normal_means_lesion_free and labels.label == normal
    if lesion_free:
        _check_no_lesion(labels, rules)
    label = _candidates(labels.label, space, rules)
    masks, mask_origins = _mask_target(labels, source, space, rules, lesion_free=lesion_free)
    boxes, box_origins, derived = _box_target(labels, source, space, rules, lesion_free=lesion_free)
    return Resolved(
        targets=Targets(label=label, masks=masks, boxes=boxes),
        label=None if label is None else Origin.MEASURED,
        masks=mask_origins,
        boxes=box_origins,
        derived=derived,
    )


def check_merge(merge: Mapping[str, tuple[str, ...]], space: LabelSpace) -> None:
    """Refuse a recipe that asks for a class and for a merged class that swallows it.

    Raises:
        RecipeError: ``E_MERGE_OVERLAP`` naming both.
    """
    wanted = {*space.classes, *space.mask_classes, *space.box_classes}
    for new, members in merge.items():
        swallowed = sorted((wanted & set(members)) - {new})
        if swallowed:
            raise RecipeError(
                "E_MERGE_OVERLAP",
                f"class '{swallowed[0]}' is merged into '{new}', yet still asked for",
                where="data.merge",
                fix="Ask for the merged class alone, or take the name out of the merge",
            )


def _check_no_lesion(labels: RowLabels, rules: Rules) -> None:
    shown = {name for name, mask in labels.masks.items() if mask.any()}
    shown |= {box.label for box in labels.boxes or ()}
    contradicting = sorted(shown & rules.lesions)
    if contradicting:
        raise LabelError(
            "E_LABEL_CONFLICT",
            "the class says that there is no lesion, a mask or box shows one",
            found=", ".join(contradicting),
            fix="Correct the class, or set normal_means_lesion_free to false for this source",
        )


def _candidates(
    names: frozenset[str] | None, space: LabelSpace, rules: Rules
) -> Bool[np.ndarray, " K"] | None:
    if names is None:
        return None
    renamed = {rules.renamed(name) for name in names}
    label = np.array([name in renamed for name in space.classes], dtype=bool)
    # Leaving classes out of a recipe must not turn "normal or pneumonia" into "normal".
    made_certain = label.sum() == 1 and len(renamed) > 1
    if not label.any() or label.all() or made_certain:
        return None
    return label


def _annotated(name: str, looked_for: set[str], source: SourceCard, rules: Rules) -> bool:
    """Whether everything the source could show of class ``name`` was looked for on this row."""
    could_show = set(rules.members(name)) & {*source.mask_classes, *source.box_classes}
    return bool(could_show) and could_show <= looked_for


def _union(
    names: set[str], masks: Mapping[str, Bool[np.ndarray, "H W"]], canvas: tuple[int, int]
) -> Bool[np.ndarray, "H W"]:
    union = np.zeros(canvas, dtype=bool)
    for name in names & set(masks):
        union |= masks[name]
    return union


def _mask_target(
    labels: RowLabels, source: SourceCard, space: LabelSpace, rules: Rules, *, lesion_free: bool
) -> tuple[MaskTarget | None, tuple[Origin | None, ...]]:
    pixels = np.zeros((len(space.mask_classes), *labels.canvas), dtype=bool)
    origins: list[Origin | None] = []
    for channel, name in zip(pixels, space.mask_classes, strict=True):
        members = set(rules.members(name))
        if _annotated(name, set(labels.masks), source, rules):
            channel[:] = _union(members, labels.masks, labels.canvas)
            origins.append(Origin.MEASURED)
        elif lesion_free and rules.is_lesion(name):
            origins.append(Origin.IMPLIED)
        else:
            origins.append(None)
    annotated = np.array([origin is not None for origin in origins], dtype=bool)
    target = MaskTarget(pixels=pixels, annotated=annotated) if annotated.any() else None
    return target, tuple(origins)


def _box_target(
    labels: RowLabels, source: SourceCard, space: LabelSpace, rules: Rules, *, lesion_free: bool
) -> tuple[BoxTarget | None, tuple[Origin | None, ...], Bool[np.ndarray, " N"]]:
    boxed = set[str]() if labels.boxes is None else set(source.box_classes)
    deriving = set(labels.masks) - boxed if rules.derive_boxes else set[str]()
    origins: list[Origin | None] = []
    found: list[_Lesions] = []
    partial = set[int]()
    for index, name in enumerate(space.box_classes):
        members = set(rules.members(name))
        if _annotated(name, boxed | deriving, source, rules):
            if members & boxed and not source.boxes_complete:
                partial.add(index)
            origins.append(Origin.DERIVED if members & deriving else Origin.MEASURED)
            found.append(_measured(labels, members & boxed, index))
            found.append(_derived(labels, members & deriving, index, rules.min_area_px))
        elif lesion_free and rules.is_lesion(name):
            origins.append(Origin.IMPLIED)
        else:
            origins.append(None)
    # A class whose boxes are not complete counts as not annotated: its boxes are lesions all the
    # same, and the rest of the slice is neither lesion nor background of this class.
    annotated = np.array(
        [origin is not None and i not in partial for i, origin in enumerate(origins)], dtype=bool
    )
    derived = np.concatenate([np.zeros(0, dtype=bool), *(lesions.derived for lesions in found)])
    if not annotated.any() and not len(derived):
        return None, tuple(origins), derived
    target = BoxTarget(boxes=_joined(found, labels.canvas), annotated=annotated)
    return target, tuple(origins), derived


@dataclass(frozen=True, slots=True, kw_only=True)
class _Lesions:
    """Boxes of one class and one origin."""

    xyxy: np.ndarray
    masks: Bool[np.ndarray, "N H W"] | None
    index: int
    derived: Bool[np.ndarray, " N"]


def _derived(labels: RowLabels, names: set[str], index: int, min_area_px: float) -> _Lesions:
    union = _union(names, labels.masks, labels.canvas)
    parts = lesion_parts(union, min_area_px=min_area_px)
    return _Lesions(
        xyxy=tight_boxes(parts), masks=parts, index=index, derived=np.ones(len(parts), dtype=bool)
    )


def _measured(labels: RowLabels, names: set[str], index: int) -> _Lesions:
    entries = [box for box in labels.boxes or () if box.label in names]
    xyxy = np.array([box.xyxy for box in entries], dtype=np.float32).reshape(-1, 4)
    found = [_instance(labels.masks.get(box.label), box) for box in entries]
    masks = [mask for mask in found if mask is not None]
    complete = len(masks) == len(found)
    stack = np.array(masks, dtype=bool).reshape(-1, *labels.canvas) if complete else None
    return _Lesions(xyxy=xyxy, masks=stack, index=index, derived=np.zeros(len(entries), dtype=bool))


def _instance(
    mask: Bool[np.ndarray, "H W"] | None, box: BoxEntry
) -> Bool[np.ndarray, "H W"] | None:
    """The parts of the class mask that a measured box holds, or None where they do not fit it."""
    if mask is None:
        return None
    x0, y0, x1, y1 = box.xyxy
    rows = slice(int(np.floor(y0)), int(np.ceil(y1)))
    columns = slice(int(np.floor(x0)), int(np.ceil(x1)))
    instance = np.zeros_like(mask)
    instance[rows, columns] = mask[rows, columns]
    if not instance.any():
        return None
    found = tight_boxes(instance[None])[0]
    return instance if _iou(found, np.array(box.xyxy)) >= _SAME_LESION_IOU else None


def _iou(one: np.ndarray, other: np.ndarray) -> float:
    sides = np.minimum(one[2:], other[2:]) - np.maximum(one[:2], other[:2])
    shared = float(np.prod(np.clip(sides, 0, None)))
    areas = float(np.prod(one[2:] - one[:2]) + np.prod(other[2:] - other[:2]))
    return shared / (areas - shared)


def _joined(found: list[_Lesions], canvas: tuple[int, int]) -> Boxes:
    """All lesions of a slice; instance masks only where every box has one (see ``Boxes``)."""
    found = [lesions for lesions in found if len(lesions.xyxy)]
    stacks = [lesions.masks for lesions in found if lesions.masks is not None]
    labels = [np.full(len(lesions.xyxy), lesions.index, dtype=np.int64) for lesions in found]
    empty = np.zeros((0, *canvas), dtype=bool)
    return Boxes(
        xyxy=np.concatenate([np.zeros((0, 4), dtype=np.float32), *(f.xyxy for f in found)]),
        labels=np.concatenate([np.zeros(0, dtype=np.int64), *labels]),
        masks=np.concatenate([empty, *stacks]) if len(stacks) == len(found) else None,
        canvas=canvas,
    )
