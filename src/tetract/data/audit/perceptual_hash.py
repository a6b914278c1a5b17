"""Perceptual hashes: 64 bits of DCT and 64 bits of gradient that survive small alterations.

A DCT hash compares the 8 x 8 lowest cosine coefficients of a 32 x 32 picture with their median
(the idea of Zauner, "Implementation and benchmarking of perceptual image hash functions", 2010);
a gradient hash says of 8 x 8 places whether grey rises to the right. Chest CT look so much alike
that neither is an answer by itself: their summed distance only proposes pairs, and
``picture_match`` decides. Each slice is seen twice, whole and cut down to the body, so
that a border costs nothing; a slice that has lost part of the body is met by hashing the other
one again in the crops of ``CROPS``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, cast

import numpy as np
from jaxtyping import Float32, Float64, UInt8, UInt64
from scipy import fft

from tetract.data.audit.thumbnail import THUMBNAIL_PX, Thumbnails

VIEW_PX: Final = 48
_HASHED_PX = 32
_BODY_GREY = 0.4  # between air and soft tissue, as a share of the range from 2 % to 98 %
_BODY_SHARE = 0.04  # of a row or column; arrows and letters are thinner
_LEAST_BODY_PX = 8
_BLOCK = 1024  # slices at a time


@dataclass(frozen=True, slots=True, kw_only=True)
class Crop:
    """A part of a square view, as shares of its side.

    Attributes:
        down: Shift of the centre.
        right: Shift of the centre.
        side: Side of what is kept.
    """

    down: float = 0.0
    right: float = 0.0
    side: float = 1.0


WHOLE: Final = Crop()
CROPS: Final = (
    WHOLE,
    Crop(side=0.93),
    Crop(side=0.86),
    *(
        Crop(down=down, right=right, side=side)
        for side in (0.96, 0.88)
        for down, right in ((0.03, 0.0), (-0.03, 0.0), (0.0, 0.03), (0.0, -0.03))
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """The same kind of square cut out of N thumbnails.

    Attributes:
        pixels: (N, 48, 48) grey levels.
        box: Centre row, centre column and side of the square in px of the thumbnail.
    """

    pixels: UInt8[np.ndarray, "N 48 48"]
    box: Float64[np.ndarray, "N 3"]

    def box_of(self, crop: Crop) -> Float64[np.ndarray, "N 3"]:
        """The square that ``crop`` keeps, in px of the thumbnail."""
        row, column, side = self.box.T
        return np.stack(
            [row + crop.down * side, column + crop.right * side, crop.side * side], axis=1
        )


def views_of(thumbnails: Thumbnails) -> tuple[View, View]:
    """The slices cut down to the body, and whole."""
    extent = body_extent(thumbnails)
    body = np.concatenate([extent[:, :2], extent[:, 2:].max(axis=1, keepdims=True)], axis=1)
    side = float(THUMBNAIL_PX)
    whole = np.tile(np.array([side / 2, side / 2, side]), (len(thumbnails), 1))
    half = _halved(thumbnails.pixels)
    return _view(half, body), _view(half, whole)


def body_extent(thumbnails: Thumbnails) -> Float64[np.ndarray, "N 4"]:
    """Centre row, centre column, height and width in px of what is brighter than air."""
    side = float(THUMBNAIL_PX)
    found = np.tile(np.array([side / 2, side / 2, side, side]), (len(thumbnails), 1))
    for number, picture in enumerate(thumbnails.pixels):
        low, high = np.percentile(picture[::2, ::2], [2, 98])
        bright = picture > low + _BODY_GREY * (high - low)
        rows = np.flatnonzero(bright.mean(axis=1) > _BODY_SHARE)
        columns = np.flatnonzero(bright.mean(axis=0) > _BODY_SHARE)
        if min(len(rows), len(columns)) >= _LEAST_BODY_PX:
            spans = [(int(span[0]), int(span[-1]) + 1) for span in (rows, columns)]
            found[number] = [(a + b) / 2 for a, b in spans] + [b - a for a, b in spans]
    return found


def hashes(view: View, crop: Crop = WHOLE) -> UInt64[np.ndarray, "N 2"]:
    """DCT hash and gradient hash of a part of each slice."""
    down = _part(crop.down, crop.side, _HASHED_PX)
    right = _part(crop.right, crop.side, _HASHED_PX)
    cosines = np.asarray(fft.dct(np.eye(_HASHED_PX), axis=0, norm="ortho"), dtype=np.float32)[:8]
    rows, columns = _part(crop.down, crop.side, 8), _part(crop.right, crop.side, 9)
    words: list[UInt64[np.ndarray, "block 2"]] = []
    for first in range(0, len(view.pixels), _BLOCK):
        pixels = view.pixels[first : first + _BLOCK].astype(np.float32)
        low = (cosines @ down) @ pixels @ (cosines @ right).T
        low = low.reshape(len(pixels), 64)
        above = low > np.median(low[:, 1:], axis=1, keepdims=True)  # without the mean grey
        small = rows @ pixels @ columns.T
        rising = (small[:, :, 1:] > small[:, :, :-1]).reshape(len(pixels), 64)
        bits = np.concatenate([above, rising], axis=1)
        words.append(np.packbits(bits, axis=1).view(np.uint64))
    return np.concatenate([np.zeros((0, 2), dtype=np.uint64), *words])


def distances(
    some: UInt64[np.ndarray, "A 2"], others: UInt64[np.ndarray, "B 2"]
) -> UInt8[np.ndarray, "A B"]:
    """In how many of the 128 bits each of ``some`` differs from each of ``others``."""
    first = _ones(some[:, :1] ^ others[:, 0])
    first += _ones(some[:, 1:] ^ others[:, 1])
    return first


def sampling(
    centre: Float64[np.ndarray, " N"], side: Float64[np.ndarray, " N"], points: int, length: int
) -> Float32[np.ndarray, "N points length"]:
    """Matrices that average ``points`` equal parts of a span of a row of ``length`` pixels."""
    step = side / points
    edges = (centre - side / 2)[:, None] + step[:, None] * np.arange(points + 1)
    pixel = np.arange(length, dtype=np.float32)
    reached = np.clip(edges.astype(np.float32)[:, :, None] - pixel, 0, 1)
    return np.diff(reached, axis=1) / step.astype(np.float32)[:, None, None]


def _view(half: UInt8[np.ndarray, "N 64 64"], box: Float64[np.ndarray, "N 3"]) -> View:
    pixels = np.empty((len(half), VIEW_PX, VIEW_PX), dtype=np.uint8)
    for first in range(0, len(half), _BLOCK):
        part = slice(first, first + _BLOCK)
        row, column, side = box[part].T / 2
        grey = half[part].astype(np.float32)
        down = sampling(row, side, VIEW_PX, grey.shape[1])
        right = sampling(column, side, VIEW_PX, grey.shape[1])
        pixels[part] = np.clip(np.rint(down @ grey @ right.transpose(0, 2, 1)), 0, 255)
    return View(pixels=pixels, box=box)


def _halved(pixels: UInt8[np.ndarray, "N 128 128"]) -> UInt8[np.ndarray, "N 64 64"]:
    total = pixels[:, ::2].astype(np.uint16) + pixels[:, 1::2]
    return ((total[:, :, ::2] + total[:, :, 1::2] + 2) // 4).astype(np.uint8)


def _part(shift: float, side: float, points: int) -> Float32[np.ndarray, "points 48"]:
    centre = np.array([(0.5 + shift) * VIEW_PX])
    return sampling(centre, np.array([side * VIEW_PX]), points, VIEW_PX)[0]


def _ones(words: UInt64[np.ndarray, "A B"]) -> UInt8[np.ndarray, "A B"]:
    # numpy 2 counts bits by itself; the lower bound of the package is older.
    count = cast("Callable[[Any], Any] | None", getattr(np, "bitwise_count", None))
    return np.asarray((count or count_ones)(words), dtype=np.uint8)


def count_ones(words: UInt64[np.ndarray, "A B"]) -> UInt8[np.ndarray, "A B"]:
    """Bits set in each word, by adding neighbours (Warren, Hacker's Delight, section 5-1)."""
    two, four, eight = (
        np.uint64(mask) for mask in (0x5555555555555555, 0x3333333333333333, 0x0F0F0F0F0F0F0F0F)
    )
    found = words - ((words >> np.uint64(1)) & two)
    found = (found & four) + ((found >> np.uint64(2)) & four)
    found = (found + (found >> np.uint64(4))) & eight
    # The product gathers all eight bytes in the highest one; what runs over is meant to go.
    return ((found * np.uint64(0x0101010101010101)) >> np.uint64(56)).astype(np.uint8)
