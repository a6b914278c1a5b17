from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from detection_cases import HERE, NOWHERE, THERE, figures, placed, random_row, row
from hypothesis import given, settings
from hypothesis import strategies as st

from tetract.errors import InputError, LabelError
from tetract.tasks.detection.metrics import ANY_LESION, DetectionRow, score_detection
from tetract.types.resamples import Resamples, draw_resamples

NAMES = ("nodule", "infection")


def aps(rows: Sequence[DetectionRow]) -> list[float | None]:
    one = score_detection(rows, NAMES).any_lesion
    return [one.ap_10.value, one.ap_30.value, one.ap_50.value]


def test_perfect_boxes_score_one() -> None:
    rows = [row([(HERE, 0.9, 0), (THERE, 0.8, 1)], [(HERE, 0), (THERE, 1)]), row()]
    one = score_detection(rows, NAMES).any_lesion
    assert aps(rows) == pytest.approx([1.0, 1.0, 1.0])
    assert (one.ap_coco.value, one.per_slice.cpm.value) == pytest.approx((1.0, 1.0))
    assert one.sensitivity_1fp.value == 1.0
    assert (one.lesions, one.support.slices) == (2, 2)


def test_no_boxes_score_zero_where_there_are_lesions() -> None:
    one = score_detection([row([], [(HERE, 0)])], NAMES).any_lesion
    assert aps([row([], [(HERE, 0)])]) == [0.0, 0.0, 0.0]
    assert one.sensitivity_1fp.value == one.per_slice.cpm.value == one.ap_coco.value == 0.0


def test_one_of_two_found_behind_a_false_positive() -> None:
    rows = [row([(NOWHERE, 0.9, 0), (HERE, 0.8, 0)], [(HERE, 0), (THERE, 0)])]
    # Precision 1/2 at recall 1/2: it holds for the recall levels 0, 0.01 ... 0.5, 51 of 101.
    assert aps(rows) == pytest.approx([0.5 * 51 / 101] * 3)


def test_overlap_decides_at_which_threshold_a_box_counts() -> None:
    shifted = (0.0, 0.0, 10.0, 4.0)  # IoU 0.4
    one = score_detection([row([(shifted, 0.9, 0)], [(HERE, 0)])], NAMES).any_lesion
    found = [one.ap_10, one.ap_20, one.ap_30, one.ap_40, one.ap_50, one.ap_coco]
    assert [figure.value for figure in found] == pytest.approx([1, 1, 1, 1, 0, 0])


def test_a_second_box_on_one_lesion_is_a_false_positive() -> None:
    rows = [row([(HERE, 0.9, 0), (HERE, 0.8, 0), (THERE, 0.7, 0)], [(HERE, 0), (THERE, 0)])]
    curve = score_detection(rows, NAMES).any_lesion.froc
    assert curve is not None
    assert curve.false_positives.tolist() == [0, 0, 1, 1]
    assert curve.sensitivity.tolist() == [0, 0.5, 0.5, 1]


def test_only_annotated_slices_count_for_a_lesion() -> None:
    blind = row([(NOWHERE, 0.9, 0), (NOWHERE, 0.9, 1)], [], annotated=(0, 1))
    scores = score_detection([row([(HERE, 0.5, 0)], [(HERE, 0)], annotated=(1, 0)), blind], NAMES)
    assert scores.classes[0].ap_50.value == pytest.approx(1.0)
    assert scores.classes[0].support.slices == 1


def test_any_lesion_reads_only_what_each_slice_was_annotated_for() -> None:
    with_other = row([(HERE, 0.5, 0), (NOWHERE, 0.9, 1)], [(HERE, 0)], annotated=(1, 0))
    assert aps([with_other]) == pytest.approx([1.0, 1.0, 1.0])


def test_the_wrong_name_on_the_right_place_counts_only_as_any_lesion() -> None:
    scores = score_detection([row([(HERE, 0.9, 1)], [(HERE, 0)])], NAMES)
    assert scores.any_lesion.ap_50.value == pytest.approx(1.0)
    assert scores.classes[0].ap_50.value == 0.0
    assert scores.classes[1].ap_50.value is None


def test_of_one_kind_of_lesion_any_is_that_one() -> None:
    scores = score_detection([row([(HERE, 0.9, 0)], [(HERE, 0)], [1])], ("nodule",))
    assert scores.any_lesion == replace(scores.classes[0], name=ANY_LESION)


def test_without_lesions_nothing_is_defined_and_it_says_so() -> None:
    one = score_detection([row([(HERE, 0.9, 0)])], NAMES).any_lesion
    assert {figure.value for _, figure in figures(one)} == {None}
    assert one.froc is one.per_slice.band is None
    assert one.ap_30.reason == "no reference lesions"
    assert one.support.slices == 1


def test_without_slices_nothing_is_defined_and_it_says_so() -> None:
    one = score_detection([], NAMES).any_lesion
    assert {figure.value for _, figure in figures(one)} == {None}
    assert one.ap_50.reason == one.per_scan.cpm.reason == "no annotated slices"


def test_nothing_is_printed(capfd: pytest.CaptureFixture[str]) -> None:
    score_detection([row([(HERE, 0.9, 0)], [(HERE, 0)])], NAMES)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("score", [float("nan"), float("inf")])
def test_a_score_that_is_no_number_is_refused_in_one_line(score: float) -> None:
    with pytest.raises(InputError, match="E_PREDICTION_NOT_FINITE source s, row") as caught:
        score_detection([row([(HERE, score, 0)], [(HERE, 0)])], NAMES)
    assert "\n" not in str(caught.value)


def test_a_box_that_is_no_number_is_refused_on_either_side() -> None:
    broken = (0.0, 0.0, float("nan"), 10.0)
    with pytest.raises(InputError, match="E_PREDICTION_NOT_FINITE"):
        score_detection([row([(broken, 0.9, 0)])], NAMES)
    with pytest.raises(LabelError, match="E_BAD_BOX"):
        score_detection([row([], [(broken, 0)])], NAMES)


def test_sensitivity_is_told_apart_by_size_in_mm() -> None:
    big, true = (0.0, 0.0, 20.0, 40.0), [((0.0, 0.0, 20.0, 40.0), 0), ((60.0, 60.0, 64.0, 68.0), 0)]
    # Pixels 1 mm high and 0.5 mm wide: sides of 40 x 10 mm and of 8 x 2 mm.
    one = placed(row([(big, 0.9, 0)], true), spacing_mm=(1.0, 0.5))
    sizes = {s.name: s for s in score_detection([one], NAMES).any_lesion.by_size}
    assert {name: s.lesions for name, s in sizes.items() if s.lesions} == {
        "6-10 mm": 1,
        "> 30 mm": 1,
    }
    assert sizes["> 30 mm"].sensitivity_1fp.value == 1.0
    assert sizes["6-10 mm"].sensitivity_1fp.value == 0.0
    assert sizes["< 6 mm"].sensitivity_1fp.reason == "no reference lesions of this size"


def test_lesions_of_unknown_spacing_are_told_apart_in_px_and_nowhere_else() -> None:
    known = placed(row([], [(HERE, 0)]), spacing_mm=(3.0, 3.0))
    one = score_detection([known, row([(HERE, 0.9, 0)], [(HERE, 0)])], NAMES).any_lesion
    assert {s.name: s.lesions for s in one.by_size if s.lesions} == {"10-30 mm": 1, "8-16 px": 1}
    assert [s.sensitivity_1fp.value for s in one.by_size if s.lesions] == [0.0, 1.0]


@pytest.mark.parametrize(
    ("side", "name"),
    [(5.9, "< 6 mm"), (6, "6-10 mm"), (10, "10-30 mm"), (30, "10-30 mm"), (31, "> 30 mm")],
)
def test_each_size_falls_into_one_bin(side: float, name: str) -> None:
    one = placed(row([], [((0.0, 0.0, side, 1.0), 0)]), spacing_mm=(1.0, 1.0))
    found = score_detection([one], NAMES).any_lesion.by_size
    assert [s.name for s in found if s.lesions] == [name]


def test_a_box_too_large_for_a_small_lesion_finds_it_by_its_centre() -> None:
    small, around = (8.0, 8.0, 12.0, 12.0), (4.0, 4.0, 16.0, 16.0)  # IoU 1/9
    one = score_detection(
        [placed(row([(around, 0.9, 0)], [(small, 0)]), spacing_mm=(1.0, 1.0))], NAMES
    ).any_lesion
    assert one.sensitivity_1fp.value == 0.0
    assert one.centre.lesions == 1
    assert one.centre.small_sensitivity_1fp.value == one.centre.cpm.value == 1.0


def test_the_centre_decides_for_small_lesions_only() -> None:
    around = (0.0, 0.0, 30.0, 30.0)
    large = placed(row([(around, 0.9, 0)], [((10.0, 10.0, 20.0, 20.0), 0)]), spacing_mm=(1.0, 1.0))
    one = score_detection([large, row([], [((0.0, 0.0, 4.0, 4.0), 0)])], NAMES).any_lesion
    # Neither 10 mm nor 4 px of unknown spacing is known to be under 6 mm.
    assert one.centre.lesions == 0
    assert one.centre.cpm.reason == "no reference lesions known to be under 6 mm"
    small = placed(row([], [((0.0, 0.0, 4.0, 4.0), 0)]), spacing_mm=(1.0, 1.0))
    found = score_detection([large, small], NAMES).any_lesion.centre
    assert (found.lesions, found.sensitivity_1fp.value) == (1, 0.0)


def study(patients: int) -> list[DetectionRow]:
    """Two slices of each patient; every third is without a lesion, every fourth is missed."""
    rows: list[DetectionRow] = []
    for number in range(patients):
        hit = (HERE if number % 4 else NOWHERE, 0.3 + number / 50, 0)
        true = [(HERE, 0)] if number % 3 else []
        rows += [
            placed(row([hit], true, [1], f"p{number}"), series="s", slice_index=5),
            placed(row([], [], [1], f"p{number}"), series="s", slice_index=6),
        ]
    return rows


def test_figures_have_intervals_and_the_curve_a_band() -> None:
    rows = study(30)
    one = score_detection(rows, ("nodule",), resamples=draw_resamples(rows, draws=200, seed=0))
    found = one.any_lesion
    for figure in (found.ap_30, found.sensitivity_1fp, found.per_scan.cpm, found.merged.ap_10):
        assert figure.interval is not None, figure
        assert figure.interval.low < figure.interval.high
    band = found.per_slice.band
    assert band is not None
    at_one = band.false_positives.index(1.0)
    assert band.sensitivity[at_one] == found.sensitivity_1fp.value
    interval = found.sensitivity_1fp.interval
    assert interval is not None
    assert (band.low[at_one], band.high[at_one]) == (interval.low, interval.high)


def test_draws_do_not_change_a_figure() -> None:
    rows = study(12)
    plain = score_detection(rows, ("nodule",))
    drawn = score_detection(rows, ("nodule",), resamples=draw_resamples(rows, draws=20, seed=1))
    assert [f.value for _, f in figures(plain)] == [f.value for _, f in figures(drawn)]


@settings(deadline=None, max_examples=10)
@given(st.integers(0, 10_000), st.lists(st.integers(0, 3), min_size=4, max_size=4))
def test_a_patient_that_counts_w_times_is_w_patients(seed: int, times: list[int]) -> None:
    random = np.random.default_rng(seed)
    scores = iter((random.permutation(1000) + 1) / 1001)  # no ties
    rows = [
        placed(
            random_row(random, [next(scores) for _ in range(random.integers(0, 6))], f"p{patient}"),
            series="s",
            slice_index=depth,
            spacing_mm=(0.7, 0.7) if patient else None,
        )
        for patient in range(4)
        for depth in range(2 + patient % 2)
    ]
    again = [
        replace(one, identity=replace(one.identity, patient=f"{one.identity.patient} {copy}"))
        for one in rows
        for copy in range(times[int(one.identity.patient[1:])])
    ]
    weighted = Resamples(
        patients={("s", f"p{number}", -1, -1): number for number in range(4)},
        counts=np.array([times, times], dtype=np.float64),
        draws=1,
    )
    here = dict(figures(score_detection(rows, ("nodule",), resamples=weighted).any_lesion))
    there = dict(figures(score_detection(again, ("nodule",)).any_lesion))
    for path, figure in there.items():
        if figure.value is None and path.startswith(".centre"):
            # Without a small lesion the rule of the centre is that of IoU: another reason.
            continue
        value = here[path].value
        assert value == (None if figure.value is None else pytest.approx(figure.value, abs=1e-9))
