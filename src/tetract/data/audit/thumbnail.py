"""Slices made small and alike, so that copies of one picture can be recognised."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from jaxtyping import Bool, Float32, Int32, Shaped, UInt8

from tetract.data.letterbox import Letterbox
from tetract.data.preprocess import normalise

THUMBNAIL_PX: Final = 128
COMPARED_WINDOW_HU: Final = (-1000.0, 400.0)  # air is black, so a body has an outline
_EDGE_RANGE = 0.08  # of the whole range: quiet enough for JPEG, too little for anatomy
_LEAST_SIDE_PX = 16
_LEAST_SPREAD = 4.0  # grey levels of 255; an empty slice is like every other empty slice


@dataclass(frozen=True, slots=True, kw_only=True)
class Thumbnails:
    """N slices without their plain borders, letterboxed.

    Attributes:
        pixels: (N, 128, 128) grey levels; 0 beyond the frame.
        frame: Top, left, bottom and right of what is slice and not padding, half-open, in px.
    """

    pixels: UInt8[np.ndarray, "N 128 128"]
    frame: Int32[np.ndarray, "N 4"]

    def __len__(self) -> int:
        """Number of slices."""
        return len(self.pixels)

    def pick(self, which: Shaped[np.ndarray, " M"]) -> Thumbnails:
        """The thumbnails at these positions."""
        return Thumbnails(pixels=self.pixels[which], frame=self.frame[which])

    @property
    def is_blank(self) -> Bool[np.ndarray, " N"]:
        """Which slices show nothing that could be compared."""
        spread = [float(picture.std()) for picture in self.pixels]
        return np.asarray(spread, dtype=np.float64) < _LEAST_SPREAD


def shrink(values: Shaped[np.ndarray, "H W"], *, hu_known: bool) -> Thumbnails:
    """One slice made small.

    HU go through a window of -1000 to 400; grey values of pictures are divided by their bit
    depth. Borders of one grey, of any colour, are cut off, since copies differ in them most.

    Raises:
        ReadError: ``E_GREY_TYPE`` when grey values without HU are not 8- or 16-bit unsigned.
    """
    normalised, _ = normalise(values, hu_known=hu_known, window_hu=COMPARED_WINDOW_HU)
    inner = np.ascontiguousarray(_without_borders(normalised))
    letterbox = Letterbox(original=(inner.shape[0], inner.shape[1]), size_px=THUMBNAIL_PX)
    pixels = np.rint(letterbox.image_to_model(inner) * 255).astype(np.uint8)
    (top, left), scale = letterbox.offset, letterbox.scale
    frame = (
        math.ceil(top * scale),
        math.ceil(left * scale),
        math.floor((top + inner.shape[0]) * scale),
        math.floor((left + inner.shape[1]) * scale),
    )
    return Thumbnails(pixels=pixels[None], frame=np.array([frame], dtype=np.int32))


def stack_thumbnails(parts: Sequence[Thumbnails]) -> Thumbnails:
    """Many thumbnails as one."""
    side = THUMBNAIL_PX
    none = Thumbnails(
        pixels=np.zeros((0, side, side), dtype=np.uint8), frame=np.zeros((0, 4), dtype=np.int32)
    )
    everything = [none, *parts]
    return Thumbnails(
        pixels=np.concatenate([part.pixels for part in everything]),
        frame=np.concatenate([part.frame for part in everything]),
    )


def _without_borders(image: Float32[np.ndarray, "H W"]) -> Float32[np.ndarray, "h w"]:
    least = _EDGE_RANGE * float(image.max() - image.min())
    before = (0, 0)
    while image.shape != before:  # a white frame around a black one is two borders
        before = image.shape
        rows = np.flatnonzero(image.max(axis=1) - image.min(axis=1) > least)
        columns = np.flatnonzero(image.max(axis=0) - image.min(axis=0) > least)
        if min(len(rows), len(columns)) < _LEAST_SIDE_PX:
            break
        image = image[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    return image
