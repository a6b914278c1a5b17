"""Random changes of a sample: what to change is drawn first, then applied to everything alike.

Image, masks, instance masks and boxes go through one transform. A change of geometry that would
leave only a sliver of a boxed lesion in view is reduced to its flips, so a lesion is either boxed
or out of sight, never visible and called background.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from jaxtyping import Bool, Float32, Float64

from tetract.data.augment_draw import AugmentDraw
from tetract.data.intensity import change_intensity
from tetract.data.lesions import tight_boxes
from tetract.data.warp import MovedMask, Warp, moved_corners
from tetract.types import Boxes, Targets
from tetract.types.batch import Sample

MIN_VISIBLE = 0.25  # share of a box's area that must stay in view
MIN_SIDE_PX = 0.5  # a thinner box falls back to its lesion's pixels
_HALF = 0.5 - 1e-4  # interpolated masks: a share of exactly one half must not depend on rounding


def apply(sample: Sample, change: AugmentDraw) -> Sample:
    """The changed sample, on the same grid.

    A row with a box that has no instance mask is not rotated: the rotated corners would enclose
    more than the lesion. Boxes that leave the view go; boxes cut by the border are clipped.

    Args:
        sample: One slice; it is not modified. Masks that nothing moves are shared with it.
        change: What ``draw`` gave.
    """
    image, targets = _flip(sample.image, sample.targets, change)
    if not change.flips_only:
        image, targets = _affine(image, targets, _allowed(change, targets))
    if image is sample.image:
        image = image.copy()
    return replace(sample, image=change_intensity(image, change), targets=targets)


def _allowed(change: AugmentDraw, targets: Targets) -> AugmentDraw:
    if targets.boxes is not None and len(targets.boxes.boxes):
        boxes = targets.boxes.boxes
        if boxes.masks is None:
            change = replace(change, rotation_deg=0.0)
        visible = _visible(boxes, change)
        if ((visible > 0) & (visible < MIN_VISIBLE)).any():
            return change.without_affine()
    return change


def _flip(
    image: Float32[np.ndarray, "C H W"], targets: Targets, change: AugmentDraw
) -> tuple[Float32[np.ndarray, "C H W"], Targets]:
    dims = [axis for axis, is_on in ((-2, change.flip_y), (-1, change.flip_x)) if is_on]
    if not dims:
        return image, targets

    def flipped(pixels: np.ndarray) -> np.ndarray:
        return torch.from_numpy(pixels).flip(dims).numpy()  # a tenth of the time of numpy's copy

    masks, boxes = targets.masks, targets.boxes
    if masks is not None:
        masks = replace(masks, pixels=flipped(masks.pixels))
    if boxes is not None:
        old = boxes.boxes
        height, width = old.canvas
        xyxy = old.xyxy.copy()
        if change.flip_x:
            xyxy[:, [0, 2]] = width - xyxy[:, [2, 0]]
        if change.flip_y:
            xyxy[:, [1, 3]] = height - xyxy[:, [3, 1]]
        lesions = None if old.masks is None else flipped(old.masks)
        boxes = replace(boxes, boxes=replace(old, xyxy=xyxy, masks=lesions))
    return flipped(image), replace(targets, masks=masks, boxes=boxes)


def _affine(
    image: Float32[np.ndarray, "C H W"], targets: Targets, change: AugmentDraw
) -> tuple[Float32[np.ndarray, "C H W"], Targets]:
    if change.flips_only:
        return image, targets
    warp = Warp(change, image.shape[-1])
    masks, boxes = targets.masks, targets.boxes
    if masks is not None:
        pixels = np.zeros_like(masks.pixels)
        for channel, moved in zip(pixels, warp.masks(masks.pixels), strict=True):
            if moved is not None:
                channel[moved.window] = moved.share >= _HALF
        masks = replace(masks, pixels=pixels)
    if boxes is not None:
        boxes = replace(boxes, boxes=_moved_boxes(boxes.boxes, warp, change))
    return warp.image(image), replace(targets, masks=masks, boxes=boxes)


def _moved_boxes(boxes: Boxes, warp: Warp, change: AugmentDraw) -> Boxes:
    height, width = boxes.canvas
    frame = [width, height, width, height]
    kept = _visible(boxes, change) >= MIN_VISIBLE
    if boxes.masks is None:
        xyxy = np.clip(_corners(boxes, change), 0, frame)[kept].astype(np.float32)
        return Boxes(xyxy=xyxy, labels=boxes.labels[kept], masks=None, canvas=boxes.canvas)
    if not len(boxes):
        return boxes
    masks = np.zeros_like(boxes.masks)
    for mask, moved in zip(masks, warp.masks(boxes.masks), strict=True):
        if moved is not None:
            mask[moved.window] = _lesion(moved)
    kept &= masks.any(axis=(1, 2))
    masks = masks[kept]
    # A box keeps its distance from its lesion's pixels: parts of a pixel, or a reader's margin.
    tight = tight_boxes(masks)
    margin = (boxes.xyxy[kept] - tight_boxes(boxes.masks[kept])) * np.float32(change.scale)
    xyxy = np.clip(tight + margin, 0, frame).astype(np.float32)
    flat = ((xyxy[:, 2:] - xyxy[:, :2]) < MIN_SIDE_PX).any(axis=1)
    xyxy[flat] = tight[flat]
    return Boxes(xyxy=xyxy, labels=boxes.labels[kept], masks=masks, canvas=boxes.canvas)


def _lesion(moved: MovedMask) -> Bool[np.ndarray, "h w"]:
    """The pixels that a moved lesion fills to half, or its fullest one when it fills none."""
    pixels = moved.share >= _HALF
    if not pixels.any() and moved.share.any():  # a pixel or two fell between the pixels
        pixels[np.unravel_index(moved.share.argmax(), moved.share.shape)] = True
    return pixels


def _visible(boxes: Boxes, change: AugmentDraw) -> Float64[np.ndarray, " N"]:
    """Share of each moved box's area that stays in view."""
    height, width = boxes.canvas
    moved = _corners(boxes, change)
    clipped = np.clip(moved, 0, [width, height, width, height])
    area = (moved[:, 2:] - moved[:, :2]).prod(axis=1)
    return (clipped[:, 2:] - clipped[:, :2]).prod(axis=1) / area


def _corners(boxes: Boxes, change: AugmentDraw) -> Float64[np.ndarray, "N 4"]:
    return moved_corners(boxes.xyxy.astype(np.float64), change, boxes.canvas[0])
