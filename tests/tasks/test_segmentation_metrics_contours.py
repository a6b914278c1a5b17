from __future__ import annotations

import math
from fractions import Fraction
from itertools import product

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from segmentation_cases import NOTHING, measured, square

from tetract.tasks.segmentation import contours
from tetract.tasks.segmentation.contours import compare_contours
from tetract.tasks.segmentation.metrics import ContourScores, SegmentationRow, score_segmentation

SIDES = [Fraction(1), Fraction(1, 2), Fraction(7, 10), Fraction(2, 3), Fraction(2)]
MASKS = arrays(np.bool_, (7, 6))
SPACINGS = st.tuples(st.sampled_from(SIDES), st.sampled_from(SIDES))
Pixel = tuple[int, int]


def outline(mask: np.ndarray) -> list[Pixel]:
    inside = {(int(y), int(x)) for y, x in np.argwhere(mask)}
    return [
        (y, x) for y, x in inside if not {(y - 1, x), (y + 1, x), (y, x - 1), (y, x + 1)} <= inside
    ]


def nearest(start: list[Pixel], goal: list[Pixel], side: tuple[Fraction, ...]) -> list[Fraction]:
    """Squared distances, exactly, over all pairs."""
    return [
        min(((y - v) * side[0]) ** 2 + ((x - u) * side[1]) ** 2 for v, u in goal) for y, x in start
    ]


def percentile_95(squared: list[Fraction]) -> float:
    found = sorted(math.sqrt(one) for one in squared)
    place = 0.95 * (len(found) - 1)
    low = int(place)
    high = min(low + 1, len(found) - 1)
    return found[low] + (place - low) * (found[high] - found[low])


@settings(deadline=None)
@given(MASKS, MASKS, SPACINGS, st.sampled_from(SIDES))
def test_hd95_and_nsd_are_those_of_all_pairs_of_contour_pixels(
    said: np.ndarray, true: np.ndarray, side: tuple[Fraction, Fraction], tolerance: Fraction
) -> None:
    assume(said.any() and true.any())
    ends = outline(said), outline(true)
    there, back = nearest(*ends, side), nearest(ends[1], ends[0], side)
    near = sum(one <= tolerance**2 for one in there + back)
    hd95, nsd = compare_contours(
        said, true, spacing=(float(side[0]), float(side[1])), tolerance=float(tolerance)
    )
    assert hd95 == pytest.approx(max(percentile_95(there), percentile_95(back)), abs=1e-9)
    assert nsd == pytest.approx(near / len(there + back), abs=1e-12)


@settings(deadline=None, max_examples=30)
@given(MASKS, MASKS)
def test_the_tree_and_the_distance_map_agree(said: np.ndarray, true: np.ndarray) -> None:
    assume(said.any() and true.any())
    by_tree = compare_contours(said, true, spacing=(0.7, 1.3), tolerance=1.4)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(contours, "_MOST_IN_TREE", 0)
        by_map = compare_contours(said, true, spacing=(0.7, 1.3), tolerance=1.4)
    assert by_map == pytest.approx(by_tree, abs=1e-9)


@settings(deadline=None, max_examples=30)
@given(MASKS)
def test_a_mask_lies_on_itself(mask: np.ndarray) -> None:
    assume(mask.any())
    assert compare_contours(mask, mask, spacing=(1.0, 1.0), tolerance=0.0) == (0.0, 1.0)


@pytest.mark.parametrize(("spacing", "far"), [((1.0, 1.0), 3.0), ((2.0, 0.5), 1.5)])
def test_a_single_pixel_moved_along_a_row_lies_its_way_apart(
    spacing: tuple[float, float], far: float
) -> None:
    said, true = square(5, side=1), square(8, side=1)
    assert compare_contours(said, true, spacing=spacing, tolerance=2.0) == (far, float(far <= 2))


def only(rows: list[SegmentationRow], unit: str) -> ContourScores:
    scores = score_segmentation(rows, ("lesion",)).classes[0]
    return scores.contours_mm if unit == "mm" else scores.contours_px


def test_slices_are_averaged_within_the_patient_and_patients_weigh_the_same() -> None:
    moved = [("a", 0), ("a", 2), ("b", 3)]
    rows = [measured(square(4 + by), square(4), who, spacing=(1.0, 2.0)) for who, by in moved]
    scores = only(rows, "mm")
    each = [
        compare_contours(square(4 + by), square(4), spacing=(1.0, 2.0), tolerance=2.0)
        for by in (2, 3)
    ]
    assert scores.hd95.value == pytest.approx(((0 + each[0][0]) / 2 + each[1][0]) / 2)
    assert scores.nsd.value == pytest.approx(((1 + each[0][1]) / 2 + each[1][1]) / 2)
    assert (scores.hd95.support.slices, scores.hd95.support.patients) == (3, 2)
    assert (scores.slices, scores.missed, scores.tolerance) == (3, 0, 2.0)


def test_a_missed_slice_has_nsd_0_and_no_hd95_and_is_counted() -> None:
    rows = [measured(square(6), square(4)), measured(NOTHING, square(4))]
    found, both = only(rows[:1], "px"), only(rows, "px")
    assert found.nsd.value is not None
    assert both.nsd.value == pytest.approx(found.nsd.value / 2)
    assert both.hd95.value == found.hd95.value
    assert (both.missed, both.slices, both.hd95.support.slices) == (1, 2, 1)


def test_all_missed_is_no_distance_and_said() -> None:
    scores = only([measured(NOTHING, square(4), spacing=(1.0, 1.0))], "mm")
    assert scores.hd95.value is None
    assert scores.hd95.reason == "nothing painted where the reference holds pixels"
    assert (scores.nsd.value, scores.missed) == (0.0, 1)


def test_an_empty_reference_does_not_count() -> None:
    rows = [measured(square(4), NOTHING), measured(NOTHING, NOTHING)]
    scores = only(rows, "px")
    assert scores.hd95.reason == scores.nsd.reason == "no reference pixels"
    assert (scores.slices, scores.missed) == (0, 0)


def test_mm_and_pixels_never_meet_in_one_mean() -> None:
    rows = [
        measured(square(6), square(4), "a", spacing=(0.5, 0.5)),
        measured(square(6), square(4), "b"),
    ]
    mm, px = only(rows, "mm"), only(rows, "px")
    assert (mm.hd95.value, px.hd95.value) == (1.0, 2.0)
    assert (mm.slices, px.slices) == (1, 1)
    assert only(rows[1:], "mm").hd95.reason == "pixel spacing unknown"
    assert only(rows[:1], "px").nsd.reason == "pixel spacing known: given in mm"


def test_two_tolerances_make_no_mean() -> None:
    rows = [
        measured(square(6), square(4), spacing=(1.0, 1.0), tolerance_mm=mm) for mm in (1.0, 2.0)
    ]
    scores = only(rows, "mm")
    assert (scores.nsd.value, scores.tolerance) == (None, None)
    assert scores.nsd.reason == "slices were measured at different tolerances"
    assert scores.hd95.value == 2.0


@pytest.mark.parametrize("spacing", [None, (0.5, 2.0)])
def test_padding_is_no_part_of_the_slice(spacing: tuple[float, float] | None) -> None:
    said, true = (np.random.default_rng(seed).random((6, 8)) < 0.5 for seed in (1, 2))
    padded = np.pad(said, ((1, 2), (3, 0)), constant_values=True), np.pad(true, ((1, 2), (3, 0)))
    framed = measured(*padded, spacing=spacing, frame=(1, 3, 7, 11))
    plain = measured(said, true, spacing=spacing)
    assert framed.contours is not None
    assert plain.contours is not None
    assert framed.false_positive == plain.false_positive
    assert framed.contours.hd95 == plain.contours.hd95
    assert framed.contours.nsd == plain.contours.nsd


def test_each_channel_is_measured_by_itself() -> None:
    pairs = list(product((square(4), square(6), NOTHING), repeat=2))
    said, true = (np.stack([pair[side] for pair in pairs]) for side in (0, 1))
    together = measured(said, true).contours
    assert together is not None
    for channel, pair in enumerate(pairs):
        alone = measured(*pair).contours
        assert alone is not None
        assert together.compared[channel] == alone.compared[0] == (pair[0].any() and pair[1].any())
        assert together.hd95[channel] == alone.hd95[0]
        assert together.nsd[channel] == alone.nsd[0]
