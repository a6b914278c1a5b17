from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from detection_cases import Box, placed, row
from hypothesis import given, settings
from hypothesis import strategies as st

from tetract.tasks.detection.boxes import box_iou, centre_inside
from tetract.tasks.detection.froc import FrocCurve, froc_curve
from tetract.tasks.detection.matching import Detections, by_iou, find_lesions, rank_detections
from tetract.tasks.detection.metrics import DetectionRow, score_detection

RATES = (0.125, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0)


def detections(scores: Sequence[float], hits: Sequence[bool], lesions: int) -> Detections:
    """Far-apart lesions; each hit lies exactly on one of its own."""
    truth = np.array([(i * 20, 0, i * 20 + 5, 5) for i in range(lesions)], dtype=np.float32)
    free = iter(range(lesions))
    places = [(next(free) * 20, 0) if hit else (1000 + 20 * i, 0) for i, hit in enumerate(hits)]
    boxes = np.array([(x, y, x + 5, y + 5) for x, y in places], dtype=np.float32)
    return Detections(
        boxes=boxes.reshape(-1, 4),
        scores=np.array(scores, dtype=np.float32),
        truth=truth.reshape(-1, 4),
    )


def curve_of(images: Sequence[Detections]) -> FrocCurve | None:
    ranking = rank_detections(images)
    return froc_curve(ranking, find_lesions(ranking, by_iou(ranking, 0.3)), images=len(images))


def test_froc_is_linear_between_points() -> None:
    curve = curve_of([detections([0.5] * 3, [True, False, False], 1)])
    assert curve is not None
    assert curve.at(1.0) == pytest.approx(0.5)


def test_froc_past_its_end_stays_at_what_was_found() -> None:
    curve = curve_of([detections([0.9, 0.5], [True, False], 2)] * 4)
    assert curve is not None
    assert curve.at(8.0) == 0.5


def test_froc_at_a_jump_takes_the_upper_end() -> None:
    curve = curve_of([detections([0.9, 0.5], [False, True], 1)])
    assert curve is not None
    assert (curve.at(0.999), curve.at(1.0)) == (0.0, 1.0)


def test_froc_of_no_lesion_does_not_exist() -> None:
    assert curve_of([detections([0.9], [False], 0)]) is None


def test_iou_of_half_open_boxes() -> None:
    boxes = np.array([(0, 0, 10, 10), (5, 0, 15, 10)], dtype=np.float32)
    assert box_iou(boxes, boxes) == pytest.approx(np.array([[1, 1 / 3], [1 / 3, 1]]))


def test_iou_of_boxes_in_a_scan() -> None:
    boxes = np.array([(0, 0, 0, 10, 10, 2), (0, 0, 1, 10, 10, 3)], dtype=np.float64)
    assert box_iou(boxes, boxes) == pytest.approx(np.array([[1, 1 / 3], [1 / 3, 1]]))


def test_boxes_without_area_overlap_nothing() -> None:
    flat = np.array([(3, 3, 3, 3)], dtype=np.float32)
    assert box_iou(flat, flat).tolist() == [[0.0]]


def test_a_centre_on_the_far_edge_lies_outside() -> None:
    truth = np.array([(0, 0, 4, 4)], dtype=np.float32)
    boxes = np.array([(-2, 0, 2, 4), (2, 0, 6, 4), (-3, 0, 1, 4)], dtype=np.float32)
    assert centre_inside(boxes, truth)[:, 0].tolist() == [True, False, False]


# A slice: scores in eighths of predictions, each on one of the lesions or (-1) beside all.
SLICES = st.lists(
    st.tuples(
        st.lists(st.tuples(st.integers(1, 5), st.integers(-1, 2)), max_size=6), st.integers(0, 3)
    ),
    min_size=1,
    max_size=6,
)
Slice = tuple[list[tuple[int, int]], int]


def luna_froc(
    slices: Sequence[Slice], images: int, *, second_hit_is_false: bool
) -> list[float] | None:
    """The evaluation of LUNA16, written down from its rules, at its seven rates.

    A lesion is found with the best score among the predictions that hit it; the others that hit
    it are left out, or counted as false.
    """
    found, false, lesions = [], [], 0
    for said, count in slices:
        lesions += count
        for lesion in range(count):
            hits = sorted((score for score, on in said if on == lesion), reverse=True)
            found += hits[:1]
            false += hits[1:] if second_hit_is_false else []
        false += [score for score, on in said if not 0 <= on < count]
    if lesions == 0:
        return None
    thresholds = sorted({*found, *false}, reverse=True)
    rates = [0.0] + [sum(score >= t for score in false) / images for t in thresholds]
    sensitivity = [0.0] + [sum(score >= t for score in found) / lesions for t in thresholds]
    return np.interp(RATES, rates, sensitivity).tolist()


def row_of(one: Slice, patient: str, slice_index: int) -> DetectionRow:
    """Lesions of 4 mm far apart; a hit has the lesion's own box."""
    said, count = one

    def place(on: int) -> Box:
        x = 500.0 if not 0 <= on < count else 20.0 * on
        return (x, 0.0, x + 4, 4.0)

    drawn = row(
        [(place(on), score / 8, 0) for score, on in said],
        [(place(lesion), 0) for lesion in range(count)],
        [1],
        patient,
    )
    return placed(drawn, series="s", slice_index=slice_index, spacing_mm=(1.0, 1.0))


@settings(deadline=None, max_examples=25)
@given(SLICES)
def test_froc_is_that_of_luna16_but_for_second_hits(slices: list[Slice]) -> None:
    found = score_detection(
        [row_of(one, "p", z) for z, one in enumerate(slices)], ("nodule",)
    ).any_lesion
    ours = [figure.value for figure in found.per_slice.sensitivity]
    expected = luna_froc(slices, len(slices), second_hit_is_false=True)
    if expected is None:
        assert ours == [None] * 7
        assert found.centre.cpm.value is found.froc is None
        return
    assert ours == pytest.approx(expected, abs=1e-9)
    assert found.per_slice.cpm.value == pytest.approx(np.mean(expected), abs=1e-9)
    assert found.sensitivity_1fp.value == pytest.approx(expected[3], abs=1e-9)
    assert found.centre.cpm.value == pytest.approx(np.mean(expected), abs=1e-9)
    assert found.froc is not None
    assert [found.froc.at(rate) for rate in RATES] == pytest.approx(expected, abs=1e-9)
    kinder = luna_froc(slices, len(slices), second_hit_is_false=False)
    assert kinder is not None
    assert all(a <= b + 1e-9 for a, b in zip(expected, kinder, strict=True))


@settings(deadline=None, max_examples=10)
@given(SLICES, SLICES)
def test_per_scan_counts_false_positives_of_whole_series(
    first: list[Slice], second: list[Slice]
) -> None:
    rows = [row_of(one, "p", z) for z, one in enumerate([*first, first[0]])]
    rows += [row_of(one, "q", z) for z, one in enumerate([*second, second[0]])]
    found = score_detection(rows, ("nodule",)).any_lesion
    expected = luna_froc([*first, first[0], *second, second[0]], images=2, second_hit_is_false=True)
    assert found.scans == 2
    assert [figure.value for figure in found.per_scan.sensitivity] == (
        [None] * 7 if expected is None else pytest.approx(expected, abs=1e-9)
    )
