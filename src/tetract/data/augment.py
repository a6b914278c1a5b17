"""Random changes of a sample: what to change is drawn first, then applied to everything alike.

Image, masks, instance masks and boxes go through one transform. A change of geometry that would
leave only a sliver of a boxed lesion in view is reduced to its flips, so a lesion is either boxed
or out of sight, never visible and called background.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Bool, Float32, Float64
from scipy import ndimage
from torch.nn import functional as nn

from tetract.data.config import AugmentConfig
from tetract.data.lesions import tight_boxes
from tetract.types import Boxes, Targets
from tetract.types.batch import Sample

MIN_VISIBLE = 0.25  # share of a box's area that must stay in view
MIN_SIDE_PX = 0.5  # a thinner box falls back to its lesion's pixels
_HALF = 0.5 - 1e-4  # interpolated masks: a share of exactly one half must not depend on rounding


@dataclass(frozen=True, slots=True, kw_only=True)
class AugmentDraw:
    """One drawn change; the defaults change nothing.

    Attributes:
        flip_x: Swap left and right.
        flip_y: Swap top and bottom.
        rotation_deg: Clockwise as displayed, about the centre.
        scale: Zoom about the centre.
        shift_px: Shift ``(down, right)`` in pixels.
        gamma: Exponent.
        contrast: Factor on the distance from 0.5.
        brightness: Offset in model units.
        noise_std: Standard deviation of Gaussian noise in model units.
        noise_seed: Seed of that noise.
        blur_px: Standard deviation of a Gaussian blur in pixels.
    """

    flip_x: bool = False
    flip_y: bool = False
    rotation_deg: float = 0.0
    scale: float = 1.0
    shift_px: tuple[float, float] = (0.0, 0.0)
    gamma: float = 1.0
    contrast: float = 1.0
    brightness: float = 0.0
    noise_std: float = 0.0
    noise_seed: int = 0
    blur_px: float = 0.0

    @property
    def flips_only(self) -> bool:
        """Whether pixels keep their values and only swap places."""
        return (self.rotation_deg, self.scale, self.shift_px) == (0.0, 1.0, (0.0, 0.0))

    def without_affine(self) -> AugmentDraw:
        """The same draw without rotation, zoom and shift."""
        return replace(self, rotation_deg=0.0, scale=1.0, shift_px=(0.0, 0.0))


def draw(config: AugmentConfig, rng: np.random.Generator, size: int) -> AugmentDraw:
    """Draw a change.

    Args:
        config: Ranges and probabilities.
        rng: Source of randomness; each call takes the same number of values from it.
        size: Side of the image in pixels.
    """
    happens = rng.random(6) < [
        config.flip_x,
        config.flip_y,
        config.geometry,
        config.intensity,
        config.noise,
        config.blur,
    ]
    flip_x, flip_y, geometry, intensity, noise, blur = (bool(x) for x in happens)
    low, high = np.log(config.scale)
    rotation, down, right = rng.uniform(-1, 1, 3)
    zoom = float(np.exp(rng.uniform(low, high)))
    gamma = float(np.exp(rng.uniform(*np.log(config.gamma))))
    contrast = float(rng.uniform(*config.contrast))
    brightness = float(rng.uniform(-1, 1)) * config.brightness
    noise_std, blur_px = rng.uniform(0, 1, 2) * (config.noise_std, config.blur_px)
    noise_seed = int(rng.integers(2**32))
    if not config.enabled:
        return AugmentDraw()
    reach = config.shift * size
    return AugmentDraw(
        flip_x=flip_x,
        flip_y=flip_y,
        rotation_deg=float(rotation) * config.rotation_deg if geometry else 0.0,
        scale=zoom if geometry else 1.0,
        shift_px=(float(down) * reach, float(right) * reach) if geometry else (0.0, 0.0),
        gamma=gamma if intensity else 1.0,
        contrast=contrast if intensity else 1.0,
        brightness=brightness if intensity else 0.0,
        noise_std=float(noise_std) if noise else 0.0,
        noise_seed=noise_seed,
        blur_px=float(blur_px) if blur else 0.0,
    )


def apply(sample: Sample, change: AugmentDraw) -> Sample:
    """The changed sample, on the same grid.

    A row with a box that has no instance mask is not rotated: the rotated corners would enclose
    more than the lesion. Boxes that leave the view go; boxes cut by the border are clipped.

    Args:
        sample: One slice; it is not modified.
        change: What ``draw`` gave.
    """
    image, targets = _flip(sample.image, sample.targets, change)
    if not change.flips_only:
        image, targets = _affine(image, targets, _allowed(change, targets))
    return replace(sample, image=change_intensity(image, change), targets=targets)


def change_intensity(
    image: Float32[np.ndarray, "C H W"], change: AugmentDraw
) -> Float32[np.ndarray, "C H W"]:
    """Gamma, contrast and brightness, blur, noise; the result stays in [0, 1]."""
    # In place from the first copy on: fresh memory costs more than the arithmetic.
    image = image**change.gamma if change.gamma != 1.0 else image.copy()
    if (change.contrast, change.brightness) != (1.0, 0.0):
        image -= 0.5
        image *= change.contrast
        image += 0.5 + change.brightness
    if change.blur_px > 0:
        image = ndimage.gaussian_filter(image, (0, change.blur_px, change.blur_px), truncate=3)
    if change.noise_std > 0:
        rng = np.random.default_rng(change.noise_seed)
        noise = rng.standard_normal(image.shape, dtype=np.float32)
        noise *= np.float32(change.noise_std)
        image += noise
    return np.clip(image, 0.0, 1.0, out=image)


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
    def flipped(pixels: np.ndarray) -> np.ndarray:
        rows = slice(None, None, -1 if change.flip_y else 1)
        columns = slice(None, None, -1 if change.flip_x else 1)
        return pixels[..., rows, columns].copy()  # torch takes no negative strides

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
    masks, boxes = targets.masks, targets.boxes
    shape = image.shape[-2:]
    none = np.zeros((0, *shape), dtype=bool)
    pixels = none if masks is None else masks.pixels
    lesions = none if boxes is None or boxes.boxes.masks is None else boxes.boxes.masks
    moved = _warp_seen(image, np.concatenate([pixels, lesions]), change)
    channels, after = len(image), len(image) + len(pixels)
    if masks is not None:
        masks = replace(masks, pixels=moved[channels:after] >= _HALF)
    if boxes is not None:
        boxes = replace(boxes, boxes=_moved_boxes(boxes.boxes, moved[after:], change))
    return moved[:channels], replace(targets, masks=masks, boxes=boxes)


def _warp_seen(
    image: Float32[np.ndarray, "C H W"], masks: Bool[np.ndarray, "M H W"], change: AugmentDraw
) -> Float32[np.ndarray, "K H W"]:
    """Image and masks, warped; a mask without a pixel stays so and is not worth the time."""
    seen = masks.any(axis=(1, 2))
    warped = _warp(np.concatenate([image, masks[seen].astype(np.float32)]), change)
    if seen.all():
        return warped
    moved = np.zeros((len(image) + len(masks), *image.shape[1:]), dtype=np.float32)
    moved[: len(image)] = warped[: len(image)]
    moved[len(image) :][seen] = warped[len(image) :]
    return moved


def _moved_boxes(boxes: Boxes, lesions: Float32[np.ndarray, "M H W"], change: AugmentDraw) -> Boxes:
    height, width = boxes.canvas
    frame = [width, height, width, height]
    kept = _visible(boxes, change) >= MIN_VISIBLE
    if boxes.masks is None:
        xyxy = np.clip(_corners(boxes, change), 0, frame)[kept].astype(np.float32)
        return Boxes(xyxy=xyxy, labels=boxes.labels[kept], masks=None, canvas=boxes.canvas)
    kept &= lesions.max(axis=(1, 2), initial=0.0) > 0
    masks = lesions[kept] >= _HALF
    for mask, lesion in zip(masks, lesions[kept], strict=True):
        if not mask.any():  # a lesion of a pixel or two fell between the pixels
            mask[np.unravel_index(lesion.argmax(), lesion.shape)] = True
    # A box keeps its distance from its lesion's pixels: parts of a pixel, or a reader's margin.
    tight = tight_boxes(masks)
    margin = (boxes.xyxy - tight_boxes(boxes.masks))[kept] * np.float32(change.scale)
    xyxy = np.clip(tight + margin, 0, frame).astype(np.float32)
    flat = ((xyxy[:, 2:] - xyxy[:, :2]) < MIN_SIDE_PX).any(axis=1)
    xyxy[flat] = tight[flat]
    return Boxes(xyxy=xyxy, labels=boxes.labels[kept], masks=masks, canvas=boxes.canvas)


def _visible(boxes: Boxes, change: AugmentDraw) -> Float64[np.ndarray, " N"]:
    """Share of each moved box's area that stays in view."""
    height, width = boxes.canvas
    moved = _corners(boxes, change)
    clipped = np.clip(moved, 0, [width, height, width, height])
    area = (moved[:, 2:] - moved[:, :2]).prod(axis=1)
    return (clipped[:, 2:] - clipped[:, :2]).prod(axis=1) / area


def _corners(boxes: Boxes, change: AugmentDraw) -> Float64[np.ndarray, "N 4"]:
    """Smallest upright boxes around the moved corners, not clipped."""
    height, width = boxes.canvas
    picks = boxes.xyxy.astype(np.float64)[:, [[0, 1], [2, 1], [2, 3], [0, 3]]]  # (N, 4, 2) of x, y
    centre = np.array([width, height]) / 2
    down, right = change.shift_px
    moved = (picks - centre) @ _rotation(change).T * change.scale + centre + (right, down)
    return np.concatenate([moved.min(axis=1), moved.max(axis=1)], axis=1)


def _rotation(change: AugmentDraw) -> Float64[np.ndarray, "2 2"]:
    """Acts on (x, y) with y downwards, so a positive angle turns clockwise as displayed."""
    angle = np.deg2rad(change.rotation_deg)
    return np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])


def _warp(stack: Float32[np.ndarray, "K S S"], change: AugmentDraw) -> Float32[np.ndarray, "K S S"]:
    """Rotate, zoom and shift all channels through one bilinear grid; what comes in is 0."""
    side = stack.shape[-1]
    # Where each output pixel comes from, in units of half the side. By numpy: torch's affine_grid
    # wakes all threads for a millisecond of work.
    back = (_rotation(change).T / change.scale).astype(np.float32)
    centres = (2 * np.arange(side, dtype=np.float32) + 1) / side - 1
    down, right = (np.float32(2 * shift / side) for shift in change.shift_px)
    x, y = centres[None, :] - right, centres[:, None] - down
    grid = torch.from_numpy(np.stack([back[i, 0] * x + back[i, 1] * y for i in (0, 1)], axis=-1))
    moved = nn.grid_sample(
        torch.from_numpy(stack)[None], grid[None], "bilinear", "zeros", align_corners=False
    )
    return moved[0].numpy()
