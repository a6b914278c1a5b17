from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.metrics import f1_score, jaccard_score

from identities import somebody
from tetract.tasks.segmentation.metrics import SegmentationRow, count_pixels, score_segmentation

NAMES = ("lung", "infection")


def row(
    counts: Sequence[tuple[int, int, int]],
    patient: str = "p",
    annotated: Sequence[int] = (1, 1),
    pixel_mm2: float | None = None,
) -> SegmentationRow:
    table = np.array(counts, dtype=np.int64)
    return SegmentationRow(
        true_positive=table[:, 0],
        false_positive=table[:, 1],
        false_negative=table[:, 2],
        annotated=np.array(annotated, dtype=np.bool_),
        pixel_mm2=pixel_mm2,
        identity=somebody(patient),
    )


def one(counts: tuple[int, int, int], patient: str = "p", **more: float) -> SegmentationRow:
    """A row that only annotates infection."""
    return row([(9, 9, 9), counts], patient, annotated=(0, 1), **more)


@settings(deadline=None, max_examples=20)
@given(arrays(np.bool_, (2, 4, 5)), arrays(np.bool_, (2, 4, 5)))
def test_dice_and_iou_of_one_slice_match_scikit_learn(said: np.ndarray, true: np.ndarray) -> None:
    true[1, 0, 0] = True
    hit, extra, missed = count_pixels(said.astype(np.float32), true)
    slice_ = row(list(zip(hit.tolist(), extra.tolist(), missed.tolist(), strict=True)))
    scores = score_segmentation([slice_], NAMES).classes[1]
    flat = (true[1].ravel(), said[1].ravel())
    for figure in (scores.dice, scores.dice_pooled, scores.dice_slices):
        assert figure.value == pytest.approx(f1_score(*flat, zero_division=0))
    assert scores.iou.value == pytest.approx(jaccard_score(*flat, zero_division=0))


def test_probability_one_half_is_painted() -> None:
    image = np.array([[[0.5, 0.4999]]], dtype=np.float32)
    hit, extra, missed = count_pixels(image, np.ones((1, 1, 2), dtype=np.bool_))
    assert (hit.tolist(), extra.tolist(), missed.tolist()) == ([1], [0], [1])


def test_pixels_are_pooled_within_a_patient_and_patients_weigh_the_same() -> None:
    rows = [one((10, 0, 0), "a"), one((0, 0, 10), "a"), one((1, 0, 0), "b")]
    infection = score_segmentation(rows, NAMES).classes[1]
    assert infection.dice.value == pytest.approx((20 / 30 + 1) / 2)
    assert infection.iou.value == pytest.approx((10 / 20 + 1) / 2)
    assert infection.dice_pooled.value == pytest.approx(22 / 32)
    assert infection.dice_slices.value == pytest.approx((1 + 0 + 1) / 3)
    assert infection.dice.support.patients == 2


def test_painting_a_free_slice_of_a_bearing_patient_lowers_that_patients_dice() -> None:
    clean = score_segmentation([one((5, 0, 0)), one((0, 0, 0))], NAMES).classes[1]
    painted = score_segmentation([one((5, 0, 0)), one((0, 10, 0))], NAMES).classes[1]
    assert (clean.dice.value, painted.dice.value) == (1.0, pytest.approx(0.5))
    assert painted.dice_slices.value == 1.0


@pytest.mark.parametrize("extra", [0, 50])
def test_an_empty_reference_never_enters_dice(extra: int) -> None:
    infection = score_segmentation([one((5, 5, 5)), one((0, extra, 0), "free")], NAMES).classes[1]
    assert infection.dice.value == infection.dice_slices.value == pytest.approx(0.5)
    assert infection.dice.support.patients == 1
    assert (infection.slices_with, infection.slices_without) == (1, 1)
    assert infection.false_positive_px.value == extra


def test_only_empty_references_give_no_dice_but_false_positives() -> None:
    infection = score_segmentation([one((0, 6, 0)), one((0, 0, 0))], NAMES).classes[1]
    assert (
        infection.dice.value is infection.dice_pooled.value is infection.dice_slices.value is None
    )
    assert infection.iou.reason == "no reference pixels"
    assert infection.false_positive_px.value == 3.0


def test_area_is_measured_only_where_the_spacing_is_known() -> None:
    rows = [one((0, 6, 0), pixel_mm2=0.5), one((0, 100, 0))]
    infection = score_segmentation(rows, NAMES).classes[1]
    assert infection.false_positive_mm2.value == 3.0
    assert infection.false_positive_mm2.support.slices == 1
    unknown = score_segmentation([one((0, 100, 0))], NAMES).classes[1].false_positive_mm2
    assert (unknown.value, unknown.reason) == (None, "pixel spacing unknown")


def test_a_class_that_was_not_annotated_counts_nothing() -> None:
    lung = score_segmentation([one((5, 0, 0))], NAMES).classes[0]
    assert (lung.slices_with, lung.slices_without, lung.dice.value) == (0, 0, None)
    assert lung.false_positive_px.reason == "no slices free of it"


def test_macro_is_the_mean_of_the_defined_classes() -> None:
    both = row([(8, 0, 0), (1, 1, 1)])
    assert score_segmentation([both], NAMES).dice_macro.value == pytest.approx(0.75)
    assert score_segmentation([one((1, 1, 1))], NAMES).dice_macro.value == pytest.approx(0.5)


def test_lesion_pixels_pooled_are_those_of_the_annotated_classes_that_are_no_anatomy() -> None:
    both = row([(8, 0, 0), (1, 1, 1)])
    assert score_segmentation([both], NAMES).dice_lesions_pooled.value == pytest.approx(18 / 20)
    rows = [both, one((3, 0, 1)), one((0, 2, 0))]
    found = score_segmentation(rows, NAMES, anatomy=("lung",)).dice_lesions_pooled
    assert found.value == pytest.approx(2 * 4 / (2 * 4 + 3 + 2))
    assert found.support.slices == 3


def test_slices_of_unknown_patients_stand_alone() -> None:
    infection = score_segmentation([one((1, 0, 0), ""), one((0, 0, 9), "")], NAMES).classes[1]
    assert infection.dice.value == pytest.approx(0.5)
    assert infection.dice.support.slices_without_patient == 2


def test_no_rows_give_no_figure() -> None:
    scores = score_segmentation([], NAMES)
    assert scores.dice_macro.value is scores.iou_macro.value is None
    assert scores.dice_lesions_pooled.reason == "no reference pixels"
    assert scores.classes[0].false_positive_px.value is None


@settings(deadline=None, max_examples=20)
@given(st.lists(st.tuples(*[st.integers(0, 30)] * 3), max_size=6))
def test_the_order_of_rows_does_not_matter(
    counts: list[tuple[int, int, int]],
) -> None:
    rows = [one(c, patient=str(i % 2)) for i, c in enumerate(counts)]
    turned = rows[::-1]
    first, second = (score_segmentation(r, NAMES).classes[1].dice.value for r in (rows, turned))
    assert first == pytest.approx(second)
