"""Whether two slices are one picture: laid over each other, then compared pixel by pixel.

Brightness, contrast and window are taken out first by dividing each pixel's difference from its
surroundings by how much its surroundings vary. One slice is then shifted and stretched until it
fits the other, from coarse to fine (Gauss-Newton on both axes, the idea of Lucas and Kanade,
IJCAI 1981). The similarity is the correlation that remains inside the body, where patients differ;
the outline, which is alike in everybody, is left out.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from jaxtyping import Bool, Float32, Float64, Int64
from scipy import ndimage

from tetract.data.audit.thumbnail import THUMBNAIL_PX, Thumbnails

_SMOOTH_PX, _AROUND_PX = 0.7, 2.5  # of each level
_QUIET = 0.02  # grey, of 1: what varies less is noise
_POINTS: Final = {4: 32, 2: 48, 1: 64}  # per side of what is laid over, by how much is shrunk
_FINAL_POINTS: Final = {4: 32, 2: 48, 1: 96}
_INNER: Final = 0.8  # of the body's half axes
_LEAST_OVERLAP: Final = 0.6
_STEP_PX: Final = 2.0

Rectangles = Float64[np.ndarray, "P 4"]
Squares = Float32[np.ndarray, "P side side"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """P slices at one size.

    Attributes:
        factor: By how much the thumbnail was shrunk: 4, 2 or 1.
        contrast: (P, side, side) contrast to the surroundings.
        rows: (P, side) 1 where a row belongs to the slice, 0 in the padding.
        columns: (P, side) likewise.
    """

    factor: int
    contrast: Squares
    rows: Float32[np.ndarray, "P side"]
    columns: Float32[np.ndarray, "P side"]

    def pick(self, which: Int64[np.ndarray, " Q"]) -> Level:
        """The slices at these positions."""
        return Level(
            factor=self.factor,
            contrast=self.contrast[which],
            rows=self.rows[which],
            columns=self.columns[which],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Overlay:
    """How P slices lie over P others: parts that should show the same, in px of the thumbnail.

    Attributes:
        part: Centre row, centre column, height and width in the slice that is moved.
        target: The same in the slice that stays.
        body: Extent of the body in the slice that stays.
    """

    part: Rectangles
    target: Rectangles
    body: Rectangles

    def pick(self, which: Int64[np.ndarray, " Q"] | slice) -> Overlay:
        """The pairs at these positions."""
        return Overlay(part=self.part[which], target=self.target[which], body=self.body[which])


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sampled:
    values: Float32[np.ndarray, "P points points"]
    is_inside: Bool[np.ndarray, "P points points"]


def level_of(thumbnails: Thumbnails, factor: int) -> Level:
    """The slices shrunk by ``factor``, 4, 2 or 1, as contrasts."""
    count, side = len(thumbnails), THUMBNAIL_PX // factor
    grey = thumbnails.pixels.astype(np.float32).reshape(count, side, factor, THUMBNAIL_PX)
    rows = grey.mean(axis=2).reshape(count, side, side, factor)
    small = rows.mean(axis=3) / np.float32(255)
    place = np.arange(side) * factor
    top, left, bottom, right = (thumbnails.frame[:, k, None] for k in range(4))
    rows = ((place >= top) & (place + factor <= bottom)).astype(np.float32)
    columns = ((place >= left) & (place + factor <= right)).astype(np.float32)
    contrast = local_contrast(small, rows, columns, around_px=_AROUND_PX)
    return Level(factor=factor, contrast=contrast, rows=rows, columns=columns)


def local_contrast(
    grey: Squares,
    rows: Float32[np.ndarray, "P side"],
    columns: Float32[np.ndarray, "P side"],
    *,
    around_px: float,
) -> Squares:
    """Difference from the surroundings over its spread; the padding has no part in either."""
    inside = rows[:, :, None] * columns[:, None, :]

    def mean(values: Squares, sigma: float) -> Squares:
        size = (0.0, sigma, sigma)
        total = ndimage.gaussian_filter(values * inside, size, truncate=3.0, mode="constant")
        down, right = (
            ndimage.gaussian_filter1d(axis, sigma, axis=1, truncate=3.0, mode="constant")
            for axis in (rows, columns)
        )
        return total / np.maximum(down[:, :, None] * right[:, None, :], np.float32(1e-3))

    smooth = mean(grey, _SMOOTH_PX)
    apart = smooth - mean(smooth, around_px)
    spread = np.sqrt(np.maximum(mean(apart * apart, around_px), 0))
    return (apart / (spread + np.float32(_QUIET)) * inside).astype(np.float32)


def laid_over(moving: Level, fixed: Level, overlay: Overlay, *, rounds: int) -> Overlay:
    """The overlay after shifting and stretching the moved parts ``rounds`` times."""
    part, target = overlay.part, overlay.target
    shown = _sample(fixed, target, _POINTS[fixed.factor])
    for _ in range(rounds):
        part = _fitted(moving, shown, part)
        part[:, 2:] = np.clip(part[:, 2:], target[:, 2:] * 0.6, target[:, 2:] * 1.6)
    return replace(overlay, part=part)


def likeness(moving: Level, fixed: Level, overlay: Overlay) -> Float64[np.ndarray, " P"]:
    """Correlation of each pair inside the body, -1 to 1; -1 where too little of it is shared."""
    points = _FINAL_POINTS[fixed.factor]
    one = _sample(moving, overlay.part, points)
    other = _sample(fixed, overlay.target, points)
    inner = _inside_body(overlay, points)
    shared = one.is_inside & other.is_inside & inner
    overlap = shared.sum(axis=(1, 2)) / np.maximum(inner.sum(axis=(1, 2)), 1)
    found = _correlation(one.values, other.values, shared)
    return np.where(overlap >= _LEAST_OVERLAP, found, -1.0)


def _fitted(mobile: Level, shown: _Sampled, part: Rectangles) -> Rectangles:
    """One round: where to move and how to stretch the part for a better fit."""
    points = shown.values.shape[1]
    now = _sample(mobile, part, points)
    weight = (now.is_inside & shown.is_inside).astype(np.float32)
    down = np.gradient(now.values, axis=1) * weight
    right = np.gradient(now.values, axis=2) * weight
    place = ((np.arange(points) + 0.5) / points - 0.5).astype(np.float32)
    changes = [down, right, down * place[:, None], right * place, now.values * weight, weight]
    design = np.stack(changes, axis=1).reshape(len(part), len(changes), points * points)
    normal = (design @ design.transpose(0, 2, 1)).astype(np.float64)
    normal += 1e-3 * np.eye(len(changes))
    wanted = design @ (shown.values * weight).reshape(len(part), points * points, 1)
    solved = np.linalg.solve(normal, wanted.astype(np.float64))[:, :, 0]
    gain = solved[:, 4:5]
    step = np.clip(solved[:, :4] / np.maximum(gain, 0.1), -_STEP_PX, _STEP_PX)
    step = np.where(gain > 0.02, step, 0) / points  # without likeness there is no direction
    size = part[:, 2:]
    return np.concatenate([part[:, :2] + step[:, :2] * size, size * (1 + step[:, 2:])], axis=1)


def _sample(level: Level, part: Rectangles, points: int) -> _Sampled:
    row, column, height, width = (part / level.factor).T
    side = level.contrast.shape[1]
    down, right = _bilinear(row, height, points, side), _bilinear(column, width, points, side)
    in_rows = (down @ level.rows[:, :, None])[:, :, 0] > 0.98
    in_columns = (right @ level.columns[:, :, None])[:, :, 0] > 0.98
    return _Sampled(
        values=down @ level.contrast @ right.transpose(0, 2, 1),
        is_inside=in_rows[:, :, None] & in_columns[:, None, :],
    )


def _bilinear(
    centre: Float64[np.ndarray, " P"], size: Float64[np.ndarray, " P"], points: int, side: int
) -> Float32[np.ndarray, "P points side"]:
    place = (np.arange(points) + 0.5) / points - 0.5
    at = (centre[:, None] + size[:, None] * place - 0.5).astype(np.float32)
    return np.maximum(1 - np.abs(at[:, :, None] - np.arange(side, dtype=np.float32)), 0)


def _inside_body(overlay: Overlay, points: int) -> Bool[np.ndarray, "P points points"]:
    place = (np.arange(points) + 0.5) / points - 0.5
    target, body = overlay.target, overlay.body
    squares: list[Float64[np.ndarray, "P points"]] = []
    for axis in (0, 1):
        at = target[:, axis, None] + target[:, axis + 2, None] * place
        squares.append(((at - body[:, axis, None]) / (body[:, axis + 2, None] / 2)) ** 2)
    return squares[0][:, :, None] + squares[1][:, None, :] < _INNER**2


def _correlation(
    one: Squares, other: Squares, where: Bool[np.ndarray, "P side side"]
) -> Float64[np.ndarray, " P"]:
    weight = where.astype(np.float32)
    count = np.maximum(weight.sum(axis=(1, 2), keepdims=True), 1)
    left, right = (
        (values - (values * weight).sum(axis=(1, 2), keepdims=True) / count) * weight
        for values in (one, other)
    )
    scale = np.sqrt((left**2).sum(axis=(1, 2)) * (right**2).sum(axis=(1, 2)))
    return ((left * right).sum(axis=(1, 2)) / np.maximum(scale, 1e-9)).astype(np.float64)
