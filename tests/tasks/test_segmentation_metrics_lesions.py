from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis.extra.numpy import arrays
from segmentation_cases import NOTHING, drawn, measured, square

from tetract.tasks.segmentation.lesions import match_lesions
from tetract.tasks.segmentation.metrics import (
    LesionwiseScores,
    MaskScores,
    SegmentationRow,
    lesion_points,
    patient_dice,
    score_segmentation,
)

Pixels = set[tuple[int, int]]


def parts_of(mask: np.ndarray) -> list[Pixels]:
    """8-connected parts, grown pixel by pixel."""
    left = {(int(y), int(x)) for y, x in np.argwhere(mask)}
    parts: list[Pixels] = []
    while left:
        part, edge = set[tuple[int, int]](), {min(left)}
        while edge:
            part |= edge
            edge = {
                (y + v, x + u) for y, x in edge for v in (-1, 0, 1) for u in (-1, 0, 1)
            } & left - part
        left -= part
        parts.append(part)
    return parts


@settings(deadline=None, max_examples=200)
@given(arrays(np.bool_, (9, 9)), arrays(np.bool_, (9, 9)))
def test_lesions_are_matched_as_their_definition_says(said: np.ndarray, true: np.ndarray) -> None:
    said[::2] &= said[:, ::-1][::2]  # fewer and larger parts
    lesions, parts = parts_of(true), parts_of(said)
    expected: list[float] = []
    forgiven: list[Pixels] = []
    for lesion in lesions:
        touching = [part for part in parts if part & lesion]
        union = set[tuple[int, int]]().union(*touching)
        expected.append(len(union & lesion) / len(union | lesion))
        if len(union & lesion) * 10 >= len(union | lesion):
            forgiven += touching
    false = [part for part in parts if part not in forgiven]
    area, iou, false_parts = match_lesions(said, true)
    assert sorted(area.tolist()) == sorted(len(lesion) for lesion in lesions)
    assert sorted(iou.tolist()) == pytest.approx(sorted(expected), abs=1e-12)
    assert false_parts == len(false)


def lesions_of(*rows: SegmentationRow) -> LesionwiseScores:
    return score_segmentation(rows, ("lesion",)).classes[0].lesions


@pytest.mark.parametrize(("painted", "found"), [(10, 1), (11, 0)])
def test_a_lesion_is_found_at_an_iou_of_one_tenth(painted: int, found: int) -> None:
    said, true = np.zeros((2, 3, 12), dtype=np.bool_)
    said[1, :painted] = true[1, 0] = True
    scores = lesions_of(measured(said, true))
    assert (scores.found, scores.false_positives) == (found, 1 - found)


def test_painting_everything_finds_nothing_and_is_false() -> None:
    scores = lesions_of(measured(np.ones((20, 20), dtype=np.bool_), square(4)))
    assert (scores.lesions, scores.found, scores.false_positives) == (1, 0, 1)
    assert (scores.sensitivity.value, scores.precision.value, scores.f1.value) == (0, 0, 0)


def test_two_parts_find_one_lesion_together_and_one_part_finds_two() -> None:
    whole, halves = drawn("###########"), drawn("#####.#####")
    together = lesions_of(measured(halves, whole))
    apart = lesions_of(measured(whole, halves))
    assert (together.lesions, together.found, together.false_positives) == (1, 1, 0)
    assert (apart.lesions, apart.found, apart.false_positives) == (2, 2, 0)


def test_corners_join() -> None:
    scores = lesions_of(measured(drawn("#.", ".."), drawn("#.", ".#")))
    assert (scores.lesions, scores.found) == (1, 1)


def test_lesions_are_pooled_over_slices_and_patients() -> None:
    three = square(1, side=2) | square(6, side=2) | square(11, side=2)
    rows = [
        measured(square(1, side=2) | square(16, side=2), three, "a"),  # 1 of 3, 1 false
        measured(square(4), square(4), "b"),  # 1 of 1
        measured(square(4), NOTHING, "b"),  # 1 false
    ]
    scores = lesions_of(*rows)
    assert (scores.lesions, scores.found, scores.false_positives) == (4, 2, 2)
    assert scores.sensitivity.value == pytest.approx(2 / 4)
    assert scores.precision.value == pytest.approx(2 / 4)
    assert scores.f1.value == pytest.approx(4 / 8)
    assert scores.f1.support.slices == 3


def test_nothing_to_find_and_nothing_said_are_no_numbers() -> None:
    free = lesions_of(measured(square(4), NOTHING))
    assert {free.sensitivity.reason, free.precision.reason, free.f1.reason} == {
        "no reference lesions"
    }
    silent = lesions_of(measured(NOTHING, square(4)))
    assert (silent.sensitivity.value, silent.f1.value, silent.precision.value) == (0.0, 0.0, None)
    assert silent.precision.reason == "no lesion found and none made up"


def test_sensitivity_by_size_knows_mm_from_pixels() -> None:
    def pair(side: int, spacing: tuple[float, float] | None, *, found: bool) -> SegmentationRow:
        lesion = square(2, side=side, size=40)
        return measured(lesion if found else lesion & False, lesion, spacing=spacing)

    rows = [
        pair(3, (1.0, 1.0), found=True),  # 3.4 mm
        pair(3, (1.0, 4.0), found=False),  # 6.8 mm
        pair(7, (1.0, 1.0), found=True),  # 7.9 mm
        pair(30, (1.0, 1.0), found=False),  # 33.9 mm
        pair(10, None, found=True),  # 11.3 px
    ]
    groups = lesions_of(*rows).by_size
    told = [(g.unit, g.low, g.high, g.lesions, g.sensitivity.value) for g in groups]
    assert told == [
        ("mm", 0, 6, 1, 1.0),
        ("mm", 6, 10, 2, 0.5),
        ("mm", 10, 30, 0, None),
        ("mm", 30, None, 1, 0.0),
        ("px", 0, 6, 0, None),
        ("px", 6, 10, 0, None),
        ("px", 10, 30, 1, 1.0),
        ("px", 30, None, 0, None),
    ]


def test_a_lesion_at_the_limit_of_a_size_is_in_the_larger_group() -> None:
    spacing = (np.pi * 9 / 16, 1.0)  # 16 pixels are a disc 6 mm across
    groups = lesions_of(measured(square(4), square(4), spacing=spacing)).by_size
    assert [group.lesions for group in groups[:2]] == [0, 1]


def scores_of(*rows: SegmentationRow) -> MaskScores:
    return score_segmentation(rows, ("lesion",)).classes[0]


def test_false_lesions_are_told_per_slice_and_per_patient_free_of_them() -> None:
    two = square(1) | square(8)
    rows = [
        measured(two, NOTHING, "free", spacing=(1.0, 0.5)),
        measured(square(1), NOTHING, "free", spacing=(1.0, 0.5)),
        measured(NOTHING, NOTHING, "clean", spacing=(1.0, 0.5)),
        measured(two, NOTHING, "ill", spacing=(1.0, 0.5)),
        measured(NOTHING, square(4), "ill", spacing=(1.0, 0.5)),
    ]
    scores = scores_of(*rows)
    assert scores.false_lesions.value == pytest.approx((2 + 1 + 0 + 2) / 4)
    assert scores.false_positive_mm2.value == pytest.approx((32 + 16 + 0 + 32) / 4 * 0.5)
    per_patient = scores.free_patients
    assert per_patient.lesions.value == pytest.approx((3 + 0) / 2)
    assert per_patient.px.value == pytest.approx((48 + 0) / 2)
    assert per_patient.mm2.value == pytest.approx((24 + 0) / 2)
    assert (per_patient.px.support.patients, per_patient.px.support.slices) == (2, 3)


def test_no_free_patient_is_no_number() -> None:
    scores = scores_of(measured(square(4), square(4)), measured(square(4), NOTHING))
    assert scores.free_patients.px.reason == "no patients free of it"
    assert scores.false_lesions.value == 1.0


def test_a_patient_of_partly_unknown_spacing_has_no_area() -> None:
    rows = [
        measured(square(1), NOTHING, "a", spacing=(1.0, 1.0)),
        measured(square(1), NOTHING, "a"),
    ]
    free = scores_of(*rows).free_patients
    assert free.px.value == 32
    assert (free.mm2.value, free.mm2.reason) == (None, "pixel spacing unknown")


def test_plots_get_each_lesion_and_each_patient() -> None:
    rows = [
        measured(square(4), square(4), "a", source="x", spacing=(2.0, 2.0)),
        measured(NOTHING, square(4), "b", source="y"),
        measured(square(4), NOTHING, "c", source="y"),
    ]
    mm, px = lesion_points(rows, 0)
    assert (mm.unit, mm.found.tolist(), px.unit, px.found.tolist()) == ("mm", [True], "px", [False])
    assert mm.diameter == pytest.approx([2 * 2 * np.sqrt(16 / np.pi)])
    assert px.diameter == pytest.approx([2 * np.sqrt(16 / np.pi)])
    dice = patient_dice(rows, 0)
    assert (dice.dice.tolist(), dice.sources) == ([1.0, 0.0], ("x", "y"))
    assert dice.rows == (rows[0].identity.row, rows[1].identity.row)
