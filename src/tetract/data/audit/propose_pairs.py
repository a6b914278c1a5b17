"""Which pairs of slices are worth a close look: their hashes are near, and a glance agrees."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

import numpy as np
from jaxtyping import Bool, Float32, Float64, Int64, UInt64

from tetract.data.audit.perceptual_hash import (
    CROPS,
    VIEW_PX,
    WHOLE,
    Crop,
    View,
    distances,
    hashes,
    sampling,
)
from tetract.data.audit.picture_match import local_contrast

_POINTS: Final = 24
_INNER: Final = (0.28, 0.4)  # half axes of an ellipse inside the chest, as shares of the view
_AROUND_PX: Final = 1.5
_ROWS_AT_ONCE: Final = 32  # against all others: their distances fit the cache
_BLOCK: Final = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposals:
    """P pairs: the square ``part`` of slice ``moving`` resembles ``target`` of slice ``fixed``.

    Attributes:
        moving: Position of the slice that will be moved.
        fixed: Position of the other one.
        part: Centre row, centre column and side in px of the thumbnail.
        target: The same in the other slice.
        glance: Correlation of their contrasts as they lie.
    """

    moving: Int64[np.ndarray, " P"]
    fixed: Int64[np.ndarray, " P"]
    part: Float64[np.ndarray, "P 3"]
    target: Float64[np.ndarray, "P 3"]
    glance: Float64[np.ndarray, " P"]

    def __len__(self) -> int:
        """Number of pairs."""
        return len(self.moving)

    def pick(self, which: Int64[np.ndarray, " Q"] | slice) -> Proposals:
        """The pairs at these places."""
        return Proposals(
            moving=self.moving[which],
            fixed=self.fixed[which],
            part=self.part[which],
            target=self.target[which],
            glance=self.glance[which],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Known:
    """What is known of a view before its crops are compared."""

    view: View
    contrast: Float32[np.ndarray, "N 48 48"]
    words: UInt64[np.ndarray, "N 2"]
    glances: Float32[np.ndarray, "N points"]


def propose_pairs(
    views: Sequence[View],
    patients: Int64[np.ndarray, " N"],
    *,
    most_bits: int,
    least_glance: float,
) -> Proposals:
    """Pairs of different patients that may be one picture, each with its best start.

    Args:
        views: The same N slices seen in several ways.
        patients: A number for each slice's patient.
        most_bits: Bits of 128 in which the hashes may differ.
        least_glance: Least correlation as they lie.
    """
    known = [_known(view) for view in views]
    work = [(one, crop) for one in known for crop in CROPS]

    def look(item: tuple[_Known, Crop]) -> Proposals:
        near = _near(item[0], item[1], patients, most_bits)
        return _glanced(item[0], item[1], near, least_glance)

    # Two at a time: numpy counts bits and multiplies without holding the interpreter.
    with ThreadPoolExecutor(max_workers=2) as pool:
        found = list(pool.map(look, work))
    return _best_of_each(found)


def _known(view: View) -> _Known:
    contrast = np.empty(view.pixels.shape, dtype=np.float32)
    for first in range(0, len(contrast), _BLOCK):
        grey = view.pixels[first : first + _BLOCK].astype(np.float32) / np.float32(255)
        ones = np.ones(grey.shape[:2], dtype=np.float32)
        made = local_contrast(grey, ones, ones, around_px=_AROUND_PX)
        contrast[first : first + _BLOCK] = made
    return _Known(
        view=view, contrast=contrast, words=hashes(view), glances=_glances(contrast, WHOLE)
    )


def _near(
    known: _Known, crop: Crop, patients: Int64[np.ndarray, " N"], most_bits: int
) -> tuple[Int64[np.ndarray, " H"], Int64[np.ndarray, " H"]]:
    """Slices whose crop has a hash near that of another patient's slice."""
    cropped = known.words if crop == WHOLE else hashes(known.view, crop)
    moving = [np.zeros(0, dtype=np.int64)]
    fixed = [np.zeros(0, dtype=np.int64)]
    for first in range(0, len(cropped), _ROWS_AT_ONCE):
        apart = distances(cropped[first : first + _ROWS_AT_ONCE], known.words)
        one, other = np.divmod(np.flatnonzero(apart <= most_bits), len(cropped))
        one += first
        allowed = patients[one] != patients[other]
        if crop == WHOLE:  # here both directions are the same
            allowed &= one < other
        moving.append(one[allowed])
        fixed.append(other[allowed])
    return np.concatenate(moving), np.concatenate(fixed)


def _glanced(
    known: _Known,
    crop: Crop,
    near: tuple[Int64[np.ndarray, " H"], Int64[np.ndarray, " H"]],
    least: float,
) -> Proposals:
    one, other = near
    seen = known.glances if crop == WHOLE else _glances(known.contrast, crop)
    alike = np.empty(len(one), dtype=np.float64)
    for first in range(0, len(one), _BLOCK):
        part = slice(first, first + _BLOCK)
        alike[part] = np.einsum("pk,pk->p", seen[one[part]], known.glances[other[part]])
    kept = np.flatnonzero(alike >= least)
    one, other = one[kept], other[kept]
    return Proposals(
        moving=one,
        fixed=other,
        part=known.view.box_of(crop)[one],
        target=known.view.box[other],
        glance=alike[kept],
    )


def _glances(contrast: Float32[np.ndarray, "N 48 48"], crop: Crop) -> Float32[np.ndarray, "N k"]:
    """Contrasts inside a part of each slice, of mean 0 and length 1."""
    down, right = (
        sampling(
            np.array([(0.5 + shift) * VIEW_PX]), np.array([crop.side * VIEW_PX]), _POINTS, VIEW_PX
        )[0]
        for shift in (crop.down, crop.right)
    )
    place = (np.arange(_POINTS) + 0.5) / _POINTS - 0.5
    inner = (place[:, None] / _INNER[0]) ** 2 + (place / _INNER[1]) ** 2 < 1
    made = np.empty((len(contrast), int(inner.sum())), dtype=np.float32)
    for first in range(0, len(contrast), _BLOCK):
        flat = (down @ contrast[first : first + _BLOCK] @ right.T)[:, inner]
        flat = flat - flat.mean(axis=1, keepdims=True)
        length = np.linalg.norm(flat, axis=1, keepdims=True)
        made[first : first + _BLOCK] = flat / np.maximum(length, 1e-6)
    return made


def _best_of_each(found: Sequence[Proposals]) -> Proposals:
    """The most promising start of every pair, pairs in order of position."""
    joined = Proposals(
        moving=np.concatenate([one.moving for one in found]),
        fixed=np.concatenate([one.fixed for one in found]),
        part=np.concatenate([one.part for one in found]),
        target=np.concatenate([one.target for one in found]),
        glance=np.concatenate([one.glance for one in found]),
    )
    low = np.minimum(joined.moving, joined.fixed)
    high = np.maximum(joined.moving, joined.fixed)
    order = np.lexsort((-joined.glance, high, low))
    low, high = low[order], high[order]
    is_new: Bool[np.ndarray, " P"] = np.ones(len(order), dtype=bool)
    is_new[1:] = (low[1:] != low[:-1]) | (high[1:] != high[:-1])
    return joined.pick(order[is_new])
