"""Figures of one name in other units, over other slices or classes are not subtracted."""

from __future__ import annotations

from dataclasses import replace

import pytest
from evaluation_cases import Oracle, make_batch

from tetract.errors import InputError
from tetract.evaluate.collect import Collected, collect
from tetract.evaluate.compare.arms import Arm
from tetract.evaluate.compare.comparison import compare
from tetract.evaluate.compare.layout import comparison_tables
from tetract.evaluate.compare.units import figures_not_compared
from tetract.evaluate.named_figures import named_figures
from tetract.evaluate.result import Hiding, Setting
from tetract.evaluate.score import score

SETTING = Setting(
    hiding=Hiding(patch_px=4, fraction=0.5, seed=3),
    hu_window_width=1500.0,
    hu_window_low=-1000.0,
    hu_sources=("A",),
    grid_px=16,
    split="test",
    cases="ab",
    labels="cd",
    arm="one",
)


@pytest.fixture(scope="module")
def base() -> Collected:
    return collect(Oracle(), [make_batch()], SETTING)


@pytest.fixture(scope="module")
def names(base: Collected) -> set[str]:
    return set(named_figures(score(base)))


def changed(base: Collected, **changes: object) -> Collected:
    return replace(base, setting=replace(SETTING, arm="two", **changes))


def test_runs_alike_are_compared_in_everything(base: Collected, names: set[str]) -> None:
    assert figures_not_compared(names, [changed(base)], [base]) == {}


def test_what_is_left_out_is_in_no_table_and_said_above_it(base: Collected) -> None:
    arms = (Arm(name="a", runs=(base,)), Arm(name="b", runs=(changed(base, hu_window_low=-500.0),)))
    comparison = compare(arms, draws=20)
    (found,) = comparison.arms
    shown = [one.name for one in (*found.family, *found.others)]
    assert any("classification" in name for name in shown)
    assert not any("reconstruction" in name for name in shown)
    said = "reconstruction: other windows (-500 to 1000 HU against -1000 to 500 HU)"
    assert f"Not compared: {said}." in comparison_tables(comparison)[0].warning
    assert found.mean_relative.reason == "a task is not compared"
    assert (found.mean_relative.value, len(found.family)) == (None, 3)


@pytest.mark.parametrize("change", [{"hu_window_width": 800.0}, {"grid_px": 32}])
def test_errors_of_another_window_or_image_size_are_left_out(
    base: Collected, names: set[str], change: dict[str, object]
) -> None:
    out = figures_not_compared(names, [changed(base, **change)], [base])
    assert {name for name in names if "reconstruction/" in name} <= set(out)
    assert not any("classification" in name for name in out)


def test_pixels_of_other_sizes_are_left_out_and_millimetres_are_not(
    base: Collected, names: set[str]
) -> None:
    out = figures_not_compared(names, [changed(base, grid_px=32)], [base])
    assert "segmentation/infection/false_positive_px" in out
    assert "segmentation/infection/contours_px/hd95" in out
    left = names - set(out)
    assert {f"segmentation/infection/{one}" for one in ("false_positive_mm2", "dice")} <= left


def test_other_hidden_pixels_leave_the_whole_slice_to_compare(
    base: Collected, names: set[str]
) -> None:
    hiding = Hiding(patch_px=8, fraction=0.5, seed=3)
    out = figures_not_compared(names, [changed(base, hiding=hiding)], [base])
    assert {"reconstruction/masked_mae", "reconstruction/masked_skill"} <= set(out)
    assert "reconstruction/mae" not in out


def test_errors_in_hu_need_the_same_sources_in_hu(base: Collected, names: set[str]) -> None:
    out = figures_not_compared(names, [changed(base, hu_sources=("A", "B"))], [base])
    assert "reconstruction/mae_hu" in out
    assert "reconstruction/mae" not in out


def test_means_over_other_classes_are_left_out_and_single_classes_are_not(
    base: Collected, names: set[str]
) -> None:
    other = replace(base.label_space, mask_classes=("infection", "effusion"))
    out = figures_not_compared(names, [replace(base, label_space=other)], [base])
    assert "(infection, effusion against lung, infection)" in out["segmentation/dice_macro"]
    assert "segmentation/infection/dice" not in out


def test_a_task_scored_on_other_slices_or_boxes_is_left_out(
    base: Collected, names: set[str]
) -> None:
    fewer = replace(base, classification=base.classification[1:])
    out = figures_not_compared(names, [fewer], [base])
    assert set(out.values()) == {"classification: other slices (3 against 4)"}
    first = base.detection[0]
    bare = replace(first, truth_xyxy=first.truth_xyxy[:0], truth_labels=first.truth_labels[:0])
    unboxed = replace(base, detection=(bare, *base.detection[1:]))
    out = figures_not_compared(names, [unboxed], [base])
    assert set(out.values()) == {"detection: other reference boxes (1 against 2)"}


def test_other_labels_of_the_same_slices_are_refused(base: Collected) -> None:
    other = changed(base, labels="ef")
    with pytest.raises(InputError, match="E_OTHER_LABELS"):
        compare((Arm(name="a", runs=(base,)), Arm(name="b", runs=(other,))), draws=20)
