"""When a lesion may be copied into a slice, and what the slice's labels are then.

Only where every label stays true. What the slice's annotators looked for must have been looked for
around the lesion too; otherwise a place they call free could hold what was brought in.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool
from scipy import ndimage

from tetract.errors import BugError
from tetract.types import Boxes, BoxTarget, MaskTarget, Targets


@dataclass(frozen=True, slots=True, kw_only=True)
class Meaning:
    """What the channels of the recipe mean to a copied lesion.

    Attributes:
        lesions: (M,) bool over mask classes, True for lesions; the others (lung) stay as they are.
        lungs: (M,) bool over mask classes, True for those that lesions may lie in.
        normal: Index of the class that means "nothing found" in the slice's source, or None.
    """

    lesions: Bool[np.ndarray, " M"]
    lungs: Bool[np.ndarray, " M"]
    normal: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Lesion:
    """One lesion cut out of a slice, on that slice's grid.

    Attributes:
        pixels: (H, W) bool.
        targets: All that is known about the slice.
    """

    pixels: Bool[np.ndarray, "H W"]
    targets: Targets


def new_class(
    slice_label: Bool[np.ndarray, " K"] | None,
    lesion_label: Bool[np.ndarray, " K"] | None,
    normal: int | None,
) -> tuple[bool, Bool[np.ndarray, " K"] | None]:
    """Whether the class of the slice can be told once it shows the lesion, and what it is.

    An unknown class stays unknown. Otherwise the lesion's slice must have one certain class, which
    the slice takes over, and the slice must have been normal or of that class itself.
    """
    if slice_label is None:
        return True, None
    if lesion_label is None or int(lesion_label.sum()) != 1:
        return False, None
    allowed = lesion_label.copy()
    if normal is not None:
        if lesion_label[normal]:  # normal, and yet a lesion: not what the class is about
            return False, None
        allowed[normal] = True
    return not bool((slice_label & ~allowed).any()), lesion_label.copy()


def is_known_alike(slice_targets: Targets, lesion: Lesion, meaning: Meaning) -> bool:
    """Whether all that was looked for in the slice is known of the lesion, and the reverse."""
    masks, theirs = slice_targets.masks, lesion.targets.masks
    if theirs is None:
        return False
    if masks is not None:
        asked, told = masks.annotated & meaning.lesions, theirs.annotated & meaning.lesions
        shown = told & theirs.pixels[:, lesion.pixels].any(axis=1)
        if bool((asked & ~told).any() or (shown & ~asked).any()):
            return False
    boxes, boxed = slice_targets.boxes, lesion.targets.boxes
    if boxes is None:
        return True
    if boxed is None or bool((boxes.annotated & ~boxed.annotated).any()):
        return False
    inside = _boxes_of(lesion)
    # A lesion that no box describes would be background in a slice where boxes are complete.
    return inside is not None and bool(inside.any())


def free_place(
    targets: Targets, lungs: Bool[np.ndarray, "H W"], meaning: Meaning, *, gap_px: int
) -> Bool[np.ndarray, "H W"]:
    """The part of the lungs that is at least ``gap_px`` from every known lesion."""
    masks, boxes = targets.masks, targets.boxes
    taken = np.zeros_like(lungs)
    if masks is not None:
        taken |= masks.pixels[masks.annotated & meaning.lesions].any(axis=0)
    if boxes is not None:
        for x0, y0, x1, y1 in boxes.boxes.xyxy:
            taken[int(y0) : int(np.ceil(y1)), int(x0) : int(np.ceil(x1))] = True
    side = 2 * gap_px + 1
    near = np.asarray(ndimage.maximum_filter(taken, size=side, mode="constant"), dtype=bool)
    return lungs & ~near


def with_lesion(
    targets: Targets, lesion: Lesion, shift: tuple[int, int], meaning: Meaning
) -> Targets:
    """The slice's targets once the lesion lies in it.

    Args:
        targets: Of the slice, known alike; not modified.
        lesion: What is brought in.
        shift: How far it is moved, ``(down, right)`` in pixels; it stays inside the slice.
        meaning: Of the channels.
    """
    _, label = new_class(targets.label, lesion.targets.label, meaning.normal)
    masks, theirs, boxes = targets.masks, lesion.targets.masks, targets.boxes
    place = np.roll(lesion.pixels, shift, axis=(0, 1))
    if masks is not None and theirs is not None:
        pixels = masks.pixels.copy()
        for channel in np.flatnonzero(masks.annotated & meaning.lesions):
            pixels[channel][place] = theirs.pixels[channel][lesion.pixels]
        masks = MaskTarget(pixels=pixels, annotated=masks.annotated)
    if boxes is not None:
        boxes = BoxTarget(boxes=_boxes_with(boxes.boxes, lesion, shift), annotated=boxes.annotated)
    return replace(targets, label=label, masks=masks, boxes=boxes)


def _boxes_of(lesion: Lesion) -> Bool[np.ndarray, " N"] | None:
    """Which boxes of its slice are the lesion's, or None where that cannot be told."""
    target = lesion.targets.boxes
    if target is None:
        return None
    boxes = target.boxes
    if boxes.masks is None:
        return None
    touching = np.asarray(boxes.masks[:, lesion.pixels].any(axis=1))
    beyond = np.asarray(boxes.masks[:, ~lesion.pixels].any(axis=1))
    return None if (touching & beyond).any() else touching


def _boxes_with(boxes: Boxes, lesion: Lesion, shift: tuple[int, int]) -> Boxes:
    mine, target = _boxes_of(lesion), lesion.targets.boxes
    if mine is None or target is None or target.boxes.masks is None:
        raise BugError("E_BUG", "a lesion without boxes was brought into a boxed slice")
    down, right = shift
    height, width = boxes.canvas
    moved = target.boxes.xyxy[mine] + np.array([right, down, right, down], dtype=np.float32)
    moved = np.clip(moved, 0, np.array([width, height, width, height], dtype=np.float32))
    instances = np.roll(target.boxes.masks[mine], shift, axis=(1, 2))
    old = np.zeros((0, height, width), dtype=bool) if not len(boxes) else boxes.masks
    return Boxes(
        xyxy=np.concatenate([boxes.xyxy, moved]),
        labels=np.concatenate([boxes.labels, target.boxes.labels[mine]]),
        # Instance masks are for all boxes or for none; see ``Boxes``.
        masks=None if old is None else np.concatenate([old, instances]),
        canvas=boxes.canvas,
    )
