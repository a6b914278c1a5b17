"""Training on windows of a slice: fine pixels at the price of a small image.

A window is chosen where a lesion is as often as the recipe says. What it shows decides what it
teaches: a lesion that it cuts to a sliver is neither there nor absent.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float32

from tetract.data.augment import MIN_VISIBLE
from tetract.types import Boxes, BoxTarget, Targets
from tetract.types.batch import Sample


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """A square part of a slice, in pixels: rows from ``top`` and columns from ``left`` on."""

    top: int
    left: int
    side: int

    @property
    def part(self) -> tuple[slice, slice]:
        """Rows and columns."""
        return slice(self.top, self.top + self.side), slice(self.left, self.left + self.side)


def draw_window(sample: Sample, side: int, rng: np.random.Generator, *, at_lesion: float) -> Window:
    """A window of ``side`` px, anywhere or so that it holds the middle of a lesion.

    Args:
        sample: The slice, at least ``side`` px wide and high.
        side: Side of the window in pixels.
        rng: Source of randomness; each call takes the same number of values from it.
        at_lesion: Probability of looking for a lesion; without one the window lies anywhere.
    """
    wants, which, down, right = rng.random(4)
    height, width = sample.image.shape[-2:]
    top, left = int(down * (height - side + 1)), int(right * (width - side + 1))
    middles = _lesion_middles(sample.targets)
    if wants < at_lesion and len(middles):
        y, x = middles[int(which * len(middles))]
        top = int(np.clip(y - down * side, 0, height - side))
        left = int(np.clip(x - right * side, 0, width - side))
    return Window(top=top, left=left, side=side)


def crop(sample: Sample, window: Window) -> Sample:
    """What the window shows, and what is then still known.

    Boxes are clipped; where a lesion keeps less than a quarter of its box in view the window says
    nothing about lesions. A class that is known for sure is kept unless lesions were marked on the
    slice and none of them is in view; candidate sets only exclude, and what a slice does not show
    none of its parts does.
    """
    rows, columns = window.part
    targets = sample.targets
    masks, boxes = targets.masks, targets.boxes
    if masks is not None:
        masks = replace(masks, pixels=np.ascontiguousarray(masks.pixels[:, rows, columns]))
    seen = None if boxes is None else _seen(boxes.boxes, window)
    if boxes is not None and seen is not None:
        sliver = bool(((seen > 0) & (seen < MIN_VISIBLE)).any())
        boxes = None if sliver else _cropped(boxes, seen, window)
    label = targets.label
    if label is not None and int(label.sum()) == 1 and seen is not None and len(seen):
        label = label if bool((seen >= MIN_VISIBLE).any()) else None
    return replace(
        sample,
        image=np.ascontiguousarray(sample.image[:, rows, columns]),
        targets=replace(targets, label=label, masks=masks, boxes=boxes),
        identity=replace(sample.identity, frame_px=_frame(sample.identity.frame_px, window)),
    )


def _frame(
    frame_px: tuple[int, int, int, int] | None, window: Window
) -> tuple[int, int, int, int] | None:
    """The part of the window that shows the slice."""
    if frame_px is None:
        return None
    starts = (window.top, window.left) * 2
    top, left, bottom, right = (
        min(max(edge - start, 0), window.side) for edge, start in zip(frame_px, starts, strict=True)
    )
    return top, left, bottom, right


def _lesion_middles(targets: Targets) -> Float32[np.ndarray, "N 2"]:
    """``(y, x)`` of the middle of each box, or of each painted pixel where there are no boxes."""
    if targets.boxes is not None:
        xyxy = targets.boxes.boxes.xyxy
        return np.stack([xyxy[:, [1, 3]].mean(axis=1), xyxy[:, [0, 2]].mean(axis=1)], axis=1)
    if targets.masks is None:
        return np.zeros((0, 2), dtype=np.float32)
    painted = targets.masks.pixels[targets.masks.annotated].any(axis=0)
    return np.argwhere(painted).astype(np.float32) + np.float32(0.5)


def _clipped(boxes: Boxes, window: Window) -> Float32[np.ndarray, "N 4"]:
    moved = boxes.xyxy - np.array([window.left, window.top] * 2, dtype=np.float32)
    return np.clip(moved, 0, window.side)


def _seen(boxes: Boxes, window: Window) -> Float32[np.ndarray, " N"]:
    """Share of each box's area inside the window."""
    inside = _clipped(boxes, window)
    area = (boxes.xyxy[:, 2:] - boxes.xyxy[:, :2]).prod(axis=1)
    return (inside[:, 2:] - inside[:, :2]).prod(axis=1) / area


def _cropped(target: BoxTarget, seen: Float32[np.ndarray, " N"], window: Window) -> BoxTarget:
    old, rows, columns = target.boxes, *window.part
    kept: Bool[np.ndarray, " N"] = seen > 0
    masks = None
    if old.masks is not None:
        masks = np.ascontiguousarray(old.masks[:, rows, columns])
        kept &= masks.any(axis=(1, 2))  # the corner of a box may hold nothing of its lesion
        masks = masks[kept]
    boxes = Boxes(
        xyxy=_clipped(old, window)[kept],
        labels=old.labels[kept],
        masks=masks,
        canvas=(window.side, window.side),
    )
    return replace(target, boxes=boxes)
