"""Fit a slice of any shape into a square without distortion, and bring answers back.

The slice is padded to a square on both sides and the square is resized, so one factor serves both
axes: ``model = (original + offset) * scale`` for continuous pixel coordinates whose pixel ``i``
spans ``[i, i + 1)`` (half-open, like the boxes).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float32, Float64
from scipy import ndimage
from torch.nn import functional as nn

from tetract.data.lesions import numbered_parts

HALF = 0.5 - 1e-6  # a share of exactly one half must not depend on rounding


@dataclass(frozen=True, slots=True, kw_only=True)
class Letterbox:
    """How one slice was fitted.

    Attributes:
        original: ``(H, W)`` of the slice in pixels.
        size_px: Side of the model's square image in pixels.
    """

    original: tuple[int, int]
    size_px: int

    @property
    def side_px(self) -> int:
        """Side of the padded square, in original pixels."""
        return max(self.original)

    @property
    def scale(self) -> float:
        """Model pixels per original pixel."""
        return self.size_px / self.side_px

    @property
    def offset(self) -> tuple[int, int]:
        """Rows above and columns left of the slice in the padded square, original pixels."""
        height, width = self.original
        return (self.side_px - height) // 2, (self.side_px - width) // 2

    @property
    def frame_px(self) -> tuple[int, int, int, int] | None:
        """``(top, left, bottom, right)`` of the model pixels that show nothing but the slice.

        Half-open; None for a square slice, which has no padding.
        """
        (top, left), (height, width) = self.offset, self.original
        if height == width:
            return None
        return (
            math.ceil(top * self.scale),
            math.ceil(left * self.scale),
            max(math.floor((top + height) * self.scale), 1),
            max(math.floor((left + width) * self.scale), 1),
        )

    def spacing_to_model(self, spacing_mm: tuple[float, float]) -> tuple[float, float]:
        """Height and width in mm of a model pixel, from those of an original pixel."""
        return spacing_mm[0] / self.scale, spacing_mm[1] / self.scale

    def image_to_model(self, image: Float32[np.ndarray, "H W"]) -> Float32[np.ndarray, "S S"]:
        """Pad with 0 and resize; antialiased, so that shrinking averages instead of skipping."""
        (top, left), (height, width) = self.offset, self.original
        below, right = self.side_px - height - top, self.side_px - width - left
        padded = np.pad(image, ((top, below), (left, right)))
        if self.side_px == self.size_px:
            return padded
        return _resize(padded[None], self.size_px)[0]

    def masks_to_model(self, masks: Bool[np.ndarray, "N H W"]) -> Bool[np.ndarray, "N S S"]:
        """Resize masks by area: a model pixel is set when at least half of it is covered.

        An 8-connected part that would vanish by that rule keeps its best covered pixel, so small
        lesions do not disappear.
        """
        fitted = [self._mask_to_model(mask) for mask in masks]
        empty = np.zeros((0, self.size_px, self.size_px), dtype=bool)
        return np.stack(fitted) if fitted else empty

    def lesions_to_model(self, lesions: Bool[np.ndarray, "N H W"]) -> Bool[np.ndarray, "N S S"]:
        """Resize instance masks by area; each keeps at least one pixel, whatever its parts do."""
        fitted = np.zeros((len(lesions), self.size_px, self.size_px), dtype=bool)
        for out, lesion in zip(fitted, lesions, strict=True):
            found = ndimage.find_objects(lesion.astype(np.uint8))
            if not found:
                continue
            seen, covered = self._coverage(lesion, found[0])
            out[seen] = covered >= HALF
            if not out.any():
                _keep_best(out[seen], covered)
        return fitted

    def boxes_to_model(self, xyxy: Float32[np.ndarray, "N 4"]) -> Float32[np.ndarray, "N 4"]:
        """Boxes in model pixels, from original pixels; exact, and never rounded."""
        moved = (xyxy.astype(np.float64) + self._shift) * self.scale
        return np.clip(moved, 0, self.size_px).astype(np.float32)

    def boxes_to_original(self, xyxy: Float32[np.ndarray, "N 4"]) -> Float32[np.ndarray, "N 4"]:
        """Boxes in original pixels, from model pixels, clipped to the slice.

        A box that lies in the padding alone comes back without area; the order is kept.
        """
        height, width = self.original
        moved = xyxy.astype(np.float64) / self.scale - self._shift
        return np.clip(moved, 0, [width, height, width, height]).astype(np.float32)

    def resize_probabilities_to_original(
        self, probabilities: Float32[np.ndarray, "K S S"]
    ) -> Float32[np.ndarray, "K H W"]:
        """Probabilities or reconstructions on the original grid; bilinear, padding cut off."""
        (top, left), (height, width) = self.offset, self.original
        square = probabilities
        if self.side_px != self.size_px and len(probabilities):
            square = _resize(probabilities, self.side_px)
        elif not len(probabilities):
            square = np.zeros((0, self.side_px, self.side_px), dtype=np.float32)
        return square[:, top : top + height, left : left + width]

    @property
    def _shift(self) -> np.ndarray:
        top, left = self.offset
        return np.array([left, top, left, top], dtype=np.float64)

    def _mask_to_model(self, mask: Bool[np.ndarray, "H W"]) -> Bool[np.ndarray, "S S"]:
        fitted = np.zeros((self.size_px, self.size_px), dtype=bool)
        for where in ndimage.find_objects(mask.astype(np.uint8)):  # none or one
            seen, covered = self._coverage(mask, where)
            fitted[seen] = covered >= HALF
        parts = numbered_parts(mask)
        for number, where in enumerate(ndimage.find_objects(parts), start=1):
            seen, covered = self._coverage(parts == number, where)
            if not (fitted[seen] & (covered > 0)).any():
                _keep_best(fitted[seen], covered)
        return fitted

    def _coverage(
        self, mask: Bool[np.ndarray, "H W"], where: tuple[slice, slice]
    ) -> tuple[tuple[slice, slice], Float64[np.ndarray, "h w"]]:
        """Share of each model pixel that the mask covers, within the window it can touch.

        ``where`` bounds the mask on the original grid.
        """
        covered = mask[where].astype(np.float64)
        seen: list[slice] = []
        for axis, part in enumerate(where):
            first = part.start + self.offset[axis]
            last = part.stop + self.offset[axis]
            low = first * self.size_px // self.side_px
            high = -(-last * self.size_px // self.side_px)
            edges = np.arange(low, high + 1) * (self.side_px / self.size_px) - first
            covered = _between(covered, edges).T  # both axes in turn
            seen.append(slice(low, high))
        return (seen[0], seen[1]), covered * self.scale**2


def _between(
    values: Float64[np.ndarray, "L M"], edges: Float64[np.ndarray, " E"]
) -> Float64[np.ndarray, "E_1 M"]:
    """Integral of a step function along axis 0 between neighbouring edges."""
    length = len(values)
    total = np.concatenate([np.zeros_like(values[:1]), np.cumsum(values, axis=0)])
    edges = np.clip(edges, 0, length)
    whole = np.minimum(edges.astype(np.int64), length - 1)
    part = (edges - whole)[:, None]
    return np.diff(total[whole] + part * values[whole], axis=0)


def _keep_best(fitted: Bool[np.ndarray, "h w"], covered: Float64[np.ndarray, "h w"]) -> None:
    fitted[np.unravel_index(covered.argmax(), covered.shape)] = True


def _resize(image: Float32[np.ndarray, "K A A"], size: int) -> Float32[np.ndarray, "K B B"]:
    tensor = torch.from_numpy(np.ascontiguousarray(image))[None]
    resized = nn.interpolate(
        tensor, size=(size, size), mode="bilinear", align_corners=False, antialias=True
    )
    return resized[0].numpy()
