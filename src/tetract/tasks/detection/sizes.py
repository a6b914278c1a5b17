"""Lesions by size: the longest side of their reference box on the slice."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Float64

SMALL_MM = 6.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SizeBin:
    """Sizes from ``low`` up to but not including ``high``.

    Attributes:
        name: In words, with the unit.
        in_mm: Of lesions of known size in mm; or else of those whose pixel spacing is unknown, in
            pixels.
        low: Smallest size.
        high: First size that is too large.
    """

    name: str
    in_mm: bool
    low: float
    high: float


SIZE_BINS = (
    SizeBin(name="< 6 mm", in_mm=True, low=0.0, high=SMALL_MM),
    SizeBin(name="6-10 mm", in_mm=True, low=SMALL_MM, high=10.0),
    SizeBin(name="10-30 mm", in_mm=True, low=10.0, high=float(np.nextafter(30.0, 31.0))),
    SizeBin(name="> 30 mm", in_mm=True, low=float(np.nextafter(30.0, 31.0)), high=np.inf),
    SizeBin(name="< 8 px", in_mm=False, low=0.0, high=8.0),
    SizeBin(name="8-16 px", in_mm=False, low=8.0, high=16.0),
    SizeBin(name="16-32 px", in_mm=False, low=16.0, high=float(np.nextafter(32.0, 33.0))),
    SizeBin(name="> 32 px", in_mm=False, low=float(np.nextafter(32.0, 33.0)), high=np.inf),
)


def lesion_sizes(
    truth: Float[np.ndarray, "T 4"], spacing_mm: tuple[float, float] | None
) -> Float64[np.ndarray, "T 2"]:
    """Longest side of each box in mm and in px; the one that is not to be used is NaN.

    Args:
        truth: ``x0 y0 x1 y1`` in pixels, half-open.
        spacing_mm: Height and width of a pixel, or None if unknown.
    """
    sides = truth[:, 2:].astype(np.float64) - truth[:, :2]
    unknown = np.full(len(truth), np.nan)
    if spacing_mm is None:
        return np.stack([unknown, sides.max(axis=1)], axis=1)
    height_mm, width_mm = spacing_mm
    return np.stack([(sides * [width_mm, height_mm]).max(axis=1), unknown], axis=1)


def in_bin(sizes: Float64[np.ndarray, "T 2"], one: SizeBin) -> Bool[np.ndarray, " T"]:
    """Which lesions are of this size."""
    size = sizes[:, 0 if one.in_mm else 1]
    return (one.low <= size) & (size < one.high)
