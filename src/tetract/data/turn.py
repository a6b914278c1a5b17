"""The eight turns and mirrorings of a square: exact, so every label stays what it was."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from jaxtyping import Float32, Shaped

from tetract.data.config import AugmentConfig
from tetract.types import Boxes, BoxTarget, MaskTarget
from tetract.types.batch import Sample

Turn = tuple[int, bool]
"""Quarter turns anticlockwise as displayed, 0 to 3, after mirroring left and right or not."""

STAYS: Turn = (0, False)


def draw_turn(config: AugmentConfig, rng: np.random.Generator) -> Turn:
    """Draw one of the eight with equal chances, as often as the recipe says."""
    happens = bool(rng.random() < config.quarter_turns)
    which = int(rng.integers(8))
    return (which % 4, which >= 4) if happens else STAYS


def turn_pixels(pixels: Shaped[np.ndarray, "K S S"], turn: Turn) -> Shaped[np.ndarray, "K S S"]:
    """Square images or masks, turned; a copy that torch can take."""
    quarters, mirrored = turn
    seen = pixels[..., ::-1] if mirrored else pixels
    # Not ascontiguousarray: it returns no masks at all as they are, with their negative strides.
    return np.rot90(seen, quarters, axes=(-2, -1)).copy()


def turn_sample(sample: Sample, turn: Turn) -> Sample:
    """Image, masks and boxes of a square sample, turned alike."""
    if turn == STAYS:
        return sample
    masks, boxes = sample.targets.masks, sample.targets.boxes
    if masks is not None:
        pixels = turn_pixels(masks.pixels, turn)
        masks = MaskTarget(pixels=pixels, annotated=masks.annotated)
    if boxes is not None:
        boxes = BoxTarget(boxes=turn_boxes(boxes.boxes, turn), annotated=boxes.annotated)
    identity, spacing = sample.identity, sample.identity.spacing_mm
    if spacing is not None and turn[0] % 2:
        identity = replace(identity, spacing_mm=(spacing[1], spacing[0]))
    targets = replace(sample.targets, masks=masks, boxes=boxes)
    image = turn_pixels(sample.image, turn)
    return replace(sample, image=image, targets=targets, identity=identity)


def turn_boxes(boxes: Boxes, turn: Turn) -> Boxes:
    """Boxes and their instance masks on a square canvas, turned."""
    quarters, mirrored = turn
    side = boxes.canvas[1]
    xyxy = boxes.xyxy.copy()
    if mirrored:
        xyxy = _mirrored(xyxy, side)
    for _ in range(quarters):
        xyxy = _turned_once(xyxy, side)
    lesions = None if boxes.masks is None else turn_pixels(boxes.masks, turn)
    return replace(boxes, xyxy=xyxy, masks=lesions)


def _mirrored(xyxy: Float32[np.ndarray, "N 4"], side: int) -> Float32[np.ndarray, "N 4"]:
    flipped = xyxy.copy()
    flipped[:, [0, 2]] = side - xyxy[:, [2, 0]]
    return flipped


def _turned_once(xyxy: Float32[np.ndarray, "N 4"], side: int) -> Float32[np.ndarray, "N 4"]:
    """A point at ``x`` from the left comes to lie at ``side - x`` from the top."""
    x0, y0, x1, y1 = xyxy.T
    return np.stack([y0, side - x1, y1, side - x0], axis=1).astype(np.float32)
