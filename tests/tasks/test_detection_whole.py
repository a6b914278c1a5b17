"""FROC, sizes, the rule of the centre and merged boxes against their rules walked through by hand.

Small boxes on a coarse grid, so that overlaps, scores and sizes tie; average precision has its own
referee in ``test_detection_metrics_coco``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from statistics import fmean

import numpy as np
import pytest
from detection_cases import Box, placed, row
from hypothesis import given, settings
from hypothesis import strategies as st

from tetract.tasks.detection.merge import merge_slices
from tetract.tasks.detection.metrics import DetectionRow, LesionScores, score_detection

RATES = (0.125, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0)
SIZES_MM = [(0.0, 6.0), (6.0, 10.0), (10.0, 30.001), (30.001, np.inf)]
SIZES_PX = [(0.0, 8.0), (8.0, 16.0), (16.0, 32.001), (32.001, np.inf)]
BOX = st.tuples(*[st.integers(0, 6)] * 2, *[st.sampled_from([1, 3, 4, 10])] * 2).map(
    lambda b: (float(b[0]), float(b[1]), float(b[0] + b[2]), float(b[1] + b[3]))
)
SLICE = st.tuples(
    st.lists(st.tuples(BOX, st.integers(1, 4).map(lambda k: k / 4)), max_size=5),
    st.lists(BOX, max_size=3),
    st.sampled_from([None, (1.0, 1.0), (3.5, 0.5)]),
)
Slice = tuple[list[tuple[Box, float]], list[Box], tuple[float, float] | None]
Hits = Callable[[Box, tuple[int, int]], bool]


def iou(one: Box, two: Box) -> float:
    def cells(box: Box) -> set[tuple[int, int]]:
        x0, y0, x1, y1 = map(int, box)
        return {(x, y) for x in range(x0, x1) for y in range(y0, y1)}

    mine, theirs = cells(one), cells(two)
    return len(mine & theirs) / len(mine | theirs)


def size(box: Box, spacing: tuple[float, float] | None) -> float:
    height, width = spacing or (1.0, 1.0)
    return max((box[2] - box[0]) * width, (box[3] - box[1]) * height)


def is_small(slices: Sequence[Slice], lesion: tuple[int, int]) -> bool:
    spacing = slices[lesion[0]][2]
    return spacing is not None and size(slices[lesion[0]][1][lesion[1]], spacing) < 6


def match(slices: Sequence[Slice], hits: Hits) -> list[tuple[float, tuple[int, int] | None]]:
    """Best score first, each takes the free lesion it overlaps most; the later of equal ones."""
    said = [(score, z, box) for z, one in enumerate(slices) for box, score in one[0]]
    free = {(z, t) for z, one in enumerate(slices) for t in range(len(one[1]))}
    told: list[tuple[float, tuple[int, int] | None]] = []
    for score, z, box in sorted(said, key=lambda one: -one[0]):
        may = [lesion for lesion in free if lesion[0] == z and hits(box, lesion)]
        best = max(
            may, key=lambda lesion: (iou(box, slices[z][1][lesion[1]]), lesion), default=None
        )
        free -= {best}
        told.append((score, best))
    return told


def froc(
    told: Sequence[tuple[float, tuple[int, int] | None]], count: set[tuple[int, int]], images: int
) -> list[float | None]:
    """LUNA16's reading: thresholds strict to loose, straight lines, flat past the end."""
    if not count:
        return [None] * 7
    points = [(0.0, 0.0)]
    for cut in sorted({score for score, _ in told}, reverse=True):
        kept = [lesion for score, lesion in told if score >= cut]
        points.append((kept.count(None) / images, len(count & set(kept)) / len(count)))
    return np.interp(RATES, *zip(*points, strict=True)).tolist()


def scored(slices: Sequence[Slice], patients: int) -> LesionScores:
    rows: list[DetectionRow] = []
    for z, (said, true, spacing) in enumerate(slices):
        drawn = row([(b, s, 0) for b, s in said], [(b, 0) for b in true], [1], f"p{z % patients}")
        rows.append(placed(drawn, series="s", slice_index=z // patients, spacing_mm=spacing))
    return score_detection(rows, ("nodule",)).any_lesion


def by_overlap(slices: Sequence[Slice]) -> Hits:
    return lambda box, lesion: iou(box, slices[lesion[0]][1][lesion[1]]) >= 0.3


def by_centre(slices: Sequence[Slice]) -> Hits:
    def hits(box: Box, lesion: tuple[int, int]) -> bool:
        x0, y0, x1, y1 = slices[lesion[0]][1][lesion[1]]
        if not is_small(slices, lesion):
            return by_overlap(slices)(box, lesion)
        x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
        return x0 <= x < x1 and y0 <= y < y1

    return hits


def lesions(slices: Sequence[Slice]) -> set[tuple[int, int]]:
    return {(z, t) for z, one in enumerate(slices) for t in range(len(one[1]))}


@settings(deadline=None, max_examples=60)
@given(st.lists(SLICE, min_size=1, max_size=5), st.integers(1, 2))
def test_froc_and_sizes_are_their_rules(slices: list[Slice], patients: int) -> None:
    found, told = scored(slices, patients), match(slices, by_overlap(slices))
    everything = froc(told, lesions(slices), len(slices))
    assert [one.value for one in found.per_slice.sensitivity] == pytest.approx(everything, abs=1e-6)
    known = [one for one in everything if one is not None]
    assert found.per_slice.cpm.value == (pytest.approx(fmean(known), abs=1e-6) if known else None)
    limits = [(True, one) for one in SIZES_MM] + [(False, one) for one in SIZES_PX]
    for group, (in_mm, (low, high)) in zip(found.by_size, limits, strict=True):
        own = {
            (z, t)
            for z, t in lesions(slices)
            if (slices[z][2] is not None) == in_mm
            and low <= size(slices[z][1][t], slices[z][2]) < high
        }
        assert group.lesions == len(own)
        expected = froc(told, own, len(slices))[3]
        assert group.sensitivity_1fp.value == (
            None if expected is None else pytest.approx(expected, abs=1e-6)
        )


@settings(deadline=None, max_examples=60)
@given(st.lists(SLICE, min_size=1, max_size=5))
def test_the_rule_of_the_centre_is_walked_through(slices: list[Slice]) -> None:
    found = scored(slices, 1).centre
    small = {one for one in lesions(slices) if is_small(slices, one)}
    assert found.lesions == len(small)
    if not small:
        assert found.cpm.value is found.sensitivity_1fp.value is found.small_sensitivity_1fp.value
        assert found.cpm.value is None
        return
    told = match(slices, by_centre(slices))
    everything = [one for one in froc(told, lesions(slices), len(slices)) if one is not None]
    assert found.cpm.value == pytest.approx(fmean(everything), abs=1e-6)
    assert found.sensitivity_1fp.value == pytest.approx(everything[3], abs=1e-6)
    assert found.small_sensitivity_1fp.value == pytest.approx(
        froc(told, small, len(slices))[3], abs=1e-6
    )


def chains(slices: Sequence[Sequence[tuple[Box, float]]]) -> list[tuple[float, ...]]:
    """Boxes of neighbouring slices joined, largest overlap first, each once up and once down."""
    joined: dict[tuple[int, int], tuple[int, int]] = {}
    for z in range(len(slices) - 1):
        pairs = [
            (-iou(upper, lower), a, b)
            for a, (upper, _) in enumerate(slices[z])
            for b, (lower, _) in enumerate(slices[z + 1])
        ]
        taken: set[int] = set()
        for overlap, a, b in sorted(pairs):
            if -overlap >= 0.1 and (z, a) not in joined and b not in taken:
                joined[z, a] = (z + 1, b)
                taken.add(b)
    starts = {(z, n) for z, one in enumerate(slices) for n in range(len(one))} - set(
        joined.values()
    )
    return [hull([slices[z][n] + (z,) for z, n in walk(start, joined)]) for start in starts]


def walk(
    start: tuple[int, int], joined: dict[tuple[int, int], tuple[int, int]]
) -> list[tuple[int, int]]:
    path = [start]
    while path[-1] in joined:
        path.append(joined[path[-1]])
    return path


def hull(members: Sequence[tuple[Box, float, int]]) -> tuple[float, ...]:
    corners = [(*box[:2], z, *box[2:], z + 1) for box, _, z in members]
    low, high = np.min(corners, axis=0)[:3], np.max(corners, axis=0)[3:]
    return (*low.tolist(), *high.tolist(), max(score for _, score, _ in members))


@settings(deadline=None, max_examples=100)
@given(st.lists(SLICE.map(lambda one: one[0]), max_size=4))
def test_boxes_are_merged_over_slices_as_the_rule_says(
    slices: list[list[tuple[Box, float]]],
) -> None:
    found, scores = merge_slices(
        [np.array([box for box, _ in one], dtype=np.float32).reshape(-1, 4) for one in slices],
        [np.array([score for _, score in one], dtype=np.float32) for one in slices],
    )
    ours = [(*box, score) for box, score in zip(found.tolist(), scores.tolist(), strict=True)]
    assert sorted(ours) == sorted(chains(slices))
