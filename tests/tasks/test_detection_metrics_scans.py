from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from detection_cases import HERE, NOWHERE, THERE, Box, boxes, placed, row
from hypothesis import given, settings
from hypothesis import strategies as st

from tetract.tasks.detection.merge import find_scans, merge_slices
from tetract.tasks.detection.metrics import DetectionRow, score_detection


def merged(
    slices: Sequence[Sequence[tuple[Box, float]]], *, iou: float = 0.1
) -> list[tuple[float, ...]]:
    """Corners and score of each box in the scan."""
    found, scores = merge_slices(
        [np.array([box for box, _ in one], dtype=np.float32).reshape(-1, 4) for one in slices],
        [np.array([score for _, score in one], dtype=np.float32) for one in slices],
        first_slice=10,
        iou=iou,
    )
    return [(*box, round(score, 6)) for box, score in zip(found.tolist(), scores, strict=True)]


def test_neighbours_that_overlap_are_one_with_the_best_score() -> None:
    shifted = (2.0, 0.0, 12.0, 10.0)
    assert merged([[(HERE, 0.3)], [(shifted, 0.7)], [(HERE, 0.5)]]) == [(0, 0, 10, 12, 10, 13, 0.7)]


def test_a_slice_between_parts_them() -> None:
    assert merged([[(HERE, 0.3)], [], [(HERE, 0.5)]]) == [
        (0, 0, 10, 10, 10, 11, 0.3),
        (0, 0, 12, 10, 10, 13, 0.5),
    ]


def test_too_little_overlap_parts_them() -> None:
    apart = (5.0, 0.0, 15.0, 10.0)  # IoU 1/3
    assert len(merged([[(HERE, 0.3)], [(apart, 0.5)]], iou=0.33)) == 1
    assert len(merged([[(HERE, 0.3)], [(apart, 0.5)]], iou=0.34)) == 2


def test_of_two_above_one_the_nearer_is_linked() -> None:
    near, far = (1.0, 0.0, 11.0, 10.0), (6.0, 0.0, 16.0, 10.0)
    assert merged([[(far, 0.9), (near, 0.3)], [(HERE, 0.5)]]) == [
        (6, 0, 10, 16, 10, 11, 0.9),
        (0, 0, 10, 11, 10, 12, 0.5),
    ]


def test_boxes_side_by_side_never_merge() -> None:
    pair = [(HERE, 0.5), ((8.0, 0.0, 18.0, 10.0), 0.6)]
    assert [box[:6] for box in merged([pair, pair])] == [
        (0, 0, 10, 10, 10, 12),
        (8, 0, 10, 18, 10, 12),
    ]


def test_nothing_merges_to_nothing() -> None:
    assert merged([[], []]) == merged([]) == []


def series(slices: int, *, patient: str = "p", series: str = "s") -> list[DetectionRow]:
    return [
        placed(
            row([(HERE, 0.5 + z / 100, 0)], [(HERE, 0)], [1], patient), series=series, slice_index=z
        )
        for z in range(slices)
    ]


def test_a_scan_is_a_series_of_a_patient() -> None:
    rows = [*series(2), *series(3, series="t"), *series(2, patient="q")]
    assert find_scans(rows[::-1]) == [[1, 0], [4, 3, 2], [6, 5]]


def without(rows: list[DetectionRow], **what: object) -> list[DetectionRow]:
    return [replace(one, identity=replace(one.identity, **what)) for one in rows]


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        (without(series(3), series=""), "the series of some slices is unknown"),
        (without(series(3), patient=""), "the patient of some slices is unknown"),
        ([*series(3), *series(1, series="t")], "some series are a single slice"),
        ([series(3)[0], series(3)[2]], "some series have gaps"),
        ([*series(3), series(3)[1]], "or hold a slice twice"),
    ],
)
def test_slices_that_are_no_whole_series_have_no_figures_per_scan(
    rows: list[DetectionRow], reason: str
) -> None:
    one = score_detection(rows, ("nodule",)).any_lesion
    assert one.scans is one.merged.lesions is None
    for figure in (one.per_scan.cpm, *one.per_scan.sensitivity, one.merged.ap_10, one.merged.ap_30):
        assert figure.value is None
        assert reason in figure.reason
    assert one.merged.froc.cpm.value is one.merged.froc.band is None
    assert one.per_slice.cpm.value == 1.0


def test_a_lesion_on_many_slices_is_one_in_the_scan() -> None:
    # Found on its first slice only: half of the boxes on slices, IoU 1/2 in the scan.
    rows = [replace(series(2)[0]), placed(row([], [(HERE, 0)], [1]), series="s", slice_index=1)]
    one = score_detection(rows, ("nodule",)).any_lesion
    assert (one.lesions, one.merged.lesions, one.scans) == (2, 1, 1)
    assert one.merged.ap_30.value == one.merged.froc.cpm.value == 1.0
    assert one.sensitivity_1fp.value == 0.5


def test_false_positives_in_the_scan_are_counted_per_scan() -> None:
    said = [(NOWHERE, 0.9, 0), (THERE, 0.8, 0), (HERE, 0.7, 0)]
    rows = [placed(row(said, [(HERE, 0)], [1]), series="s", slice_index=z) for z in range(3)]
    one = score_detection(rows, ("nodule",)).any_lesion
    assert [figure.value for figure in one.merged.froc.sensitivity] == [0, 0, 0, 0, 1, 1, 1]
    # On the slices they are two on each, six in the scan.
    assert [figure.value for figure in one.per_scan.sensitivity] == [0, 0, 0, 0, 0, 0, 1]
    assert [figure.value for figure in one.per_slice.sensitivity] == [0, 0, 0, 0, 1, 1, 1]


def voxels(box: Sequence[float]) -> set[tuple[int, int, int]]:
    x0, y0, z0, x1, y1, z1 = (int(corner) for corner in box)
    return {(x, y, z) for x in range(x0, x1) for y in range(y0, y1) for z in range(z0, z1)}


def plain_ap(
    scans: Sequence[tuple[list[tuple[float, ...]], list[tuple[float, ...]]]], iou: float
) -> float:
    """Average precision written down from its definition, voxel by voxel."""
    judged: list[tuple[float, bool]] = []
    for said, true in scans:
        free = set(range(len(true)))
        for box in sorted(said, key=lambda box: -box[6]):
            mine = voxels(box[:6])
            overlaps = {t: len(mine & (o := voxels(true[t][:6]))) / len(mine | o) for t in free}
            best = max(free, key=lambda t: (overlaps[t], t), default=None)
            hit = best is not None and overlaps[best] >= iou
            free -= {best} if hit else set()
            judged.append((box[6], hit))
    judged.sort(key=lambda pair: -pair[0])
    hits = np.cumsum([hit for _, hit in judged])
    recall = hits / sum(len(true) for _, true in scans)
    precision = hits / np.arange(1, len(judged) + 1)
    levels = np.linspace(0, 1, 101)
    return float(np.mean([precision[recall >= level].max(initial=0.0) for level in levels]))


@settings(deadline=None, max_examples=8)
@given(st.integers(0, 10_000))
def test_average_precision_in_the_scan_is_its_definition(seed: int) -> None:
    random = np.random.default_rng(seed)
    rows: list[DetectionRow] = []
    scans = []
    for patient in ("p", "q"):
        said, true = [], []
        for z in range(3):
            said.append([(box, float(random.random())) for box in boxes(random, 4)])
            true.append([(box, 1.0) for box in boxes(random, 2)])
            drawn = row(
                [(b, s, 0) for b, s in said[-1]], [(b, 0) for b, _ in true[-1]], [1], patient
            )
            rows.append(placed(drawn, series="s", slice_index=10 + z))
        # Equal overlaps are linked in the order of the boxes: the best first.
        best_first = [sorted(one, key=lambda pair: -pair[1]) for one in said]
        scans.append((merged(best_first), merged(true)))
    one = score_detection(rows, ("nodule",)).any_lesion.merged
    assert one.lesions == sum(len(true) for _, true in scans)
    assert (one.ap_10.value, one.ap_30.value) == pytest.approx(
        (plain_ap(scans, 0.1), plain_ap(scans, 0.3)), abs=1e-9
    )
