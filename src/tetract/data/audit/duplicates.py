"""Which slices show the same picture: hashes propose, pixels decide."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from jaxtyping import Float64, Int64

from tetract.data.audit.perceptual_hash import body_extent, views_of
from tetract.data.audit.picture_match import Level, Overlay, laid_over, level_of, likeness
from tetract.data.audit.propose_pairs import Proposals, propose_pairs
from tetract.data.audit.thumbnail import Thumbnails

Progress = Callable[[int, int], None]

_PAIRS_AT_ONCE: Final = 256
_COARSE, _MIDDLE, _FINE = 4, 2, 1
_ROUNDS: Final = {_COARSE: 8, _MIDDLE: 6, _FINE: 6}


@dataclass(frozen=True, slots=True, kw_only=True)
class Thresholds:
    """What counts as a near duplicate. Measured: ``docs/results/audit.md``.

    Attributes:
        most_bits: Bits of 128 in which hashes may differ for a pair to be looked at.
        least_glance: Correlation before alignment for a pair to be aligned.
        least_coarse: Correlation at half size, after coarse alignment, to be aligned finely.
        least_similarity: Correlation inside the body, aligned, for a pair to be called near.
    """

    most_bits: int = 22
    least_glance: float = 0.8
    least_coarse: float = 0.65
    least_similarity: float = 0.7


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """Two slices, by their positions, that show the same picture.

    Attributes:
        first: The smaller position.
        second: The larger one.
        similarity: Correlation inside the body once they lie over each other; 1 if exact.
        is_exact: Whether every pixel has the same value.
    """

    first: int
    second: int
    similarity: float
    is_exact: bool


def exact_pairs(digests: Sequence[str]) -> tuple[Pair, ...]:
    """Each slice whose digest was seen before, with the first one that has it."""
    members: defaultdict[str, list[int]] = defaultdict(list)
    for place, digest in enumerate(digests):
        members[digest].append(place)
    return tuple(
        Pair(first=same[0], second=other, similarity=1.0, is_exact=True)
        for same in members.values()
        for other in same[1:]
    )


def near_pairs(
    thumbnails: Thumbnails,
    patients: Int64[np.ndarray, " N"],
    thresholds: Thresholds | None = None,
    progress: Progress | None = None,
) -> tuple[Pair, ...]:
    """Slices of different patients that show the same picture.

    Slices of one patient are not compared: neighbours in a scan resemble each other, and lie in
    one split anyway.

    Args:
        thumbnails: N slices, none of them blank.
        patients: A number for each slice's patient.
        thresholds: What counts.
        progress: Told (pairs compared, pairs in all).
    """
    limits = thresholds or Thresholds()
    proposed = propose_pairs(
        views_of(thumbnails),
        patients,
        most_bits=limits.most_bits,
        least_glance=limits.least_glance,
    )
    names, proposed = _renumbered(proposed)
    shown = thumbnails.pick(names)
    levels, extent = (level_of(shown, _COARSE), level_of(shown, _MIDDLE)), body_extent(shown)
    pairs: list[Pair] = []
    for first in range(0, len(proposed), _PAIRS_AT_ONCE):
        some = proposed.pick(slice(first, first + _PAIRS_AT_ONCE))
        overlay, alike = compare_coarsely(levels, extent, some)
        kept = np.flatnonzero(alike >= limits.least_coarse)
        some, overlay = some.pick(kept), overlay.pick(kept)
        scores = compare_finely(shown, some, overlay)
        pairs += _named(names, some, scores, limits.least_similarity)
        if progress is not None:
            progress(min(first + _PAIRS_AT_ONCE, len(proposed)), len(proposed))
    return tuple(pairs)


def compare_coarsely(
    levels: tuple[Level, Level], extent: Float64[np.ndarray, "N 4"], proposed: Proposals
) -> tuple[Overlay, Float64[np.ndarray, " P"]]:
    """Each pair aligned at a quarter of the size, and how alike it then is at half the size."""
    start = Overlay(
        part=_with_width(proposed.part),
        target=_with_width(proposed.target),
        body=extent[proposed.fixed],
    )
    coarse, middle = ((x.pick(proposed.moving), x.pick(proposed.fixed)) for x in levels)
    overlay = laid_over(*coarse, start, rounds=_ROUNDS[_COARSE])
    return overlay, likeness(*middle, overlay)


def compare_finely(
    thumbnails: Thumbnails, proposed: Proposals, overlay: Overlay
) -> Float64[np.ndarray, " P"]:
    """The similarity of each pair, aligned further at half and full size."""
    names, local = _renumbered(proposed)
    shown = thumbnails.pick(names)
    scores = np.zeros(len(proposed))
    for factor in (_MIDDLE, _FINE):
        level = level_of(shown, factor)
        moving, fixed = level.pick(local.moving), level.pick(local.fixed)
        overlay = laid_over(moving, fixed, overlay, rounds=_ROUNDS[factor])
        scores = likeness(moving, fixed, overlay)
    return scores


def _renumbered(proposed: Proposals) -> tuple[Int64[np.ndarray, " N"], Proposals]:
    """The slices that are proposed at all, and the pairs in terms of their places among these."""
    both = np.concatenate([proposed.moving, proposed.fixed])
    names, places = np.unique(both, return_inverse=True)
    moving, fixed = np.split(places.astype(np.int64), 2)
    return names, replace(proposed, moving=moving, fixed=fixed)


def _named(
    names: Int64[np.ndarray, " N"],
    proposed: Proposals,
    scores: Float64[np.ndarray, " P"],
    least: float,
) -> list[Pair]:
    pairs: list[Pair] = []
    for k in np.flatnonzero(scores >= least):
        one, other = sorted((int(names[proposed.moving[k]]), int(names[proposed.fixed[k]])))
        pairs.append(Pair(first=one, second=other, similarity=float(scores[k]), is_exact=False))
    return pairs


def _with_width(box: Float64[np.ndarray, "P 3"]) -> Float64[np.ndarray, "P 4"]:
    return np.concatenate([box, box[:, 2:]], axis=1)
