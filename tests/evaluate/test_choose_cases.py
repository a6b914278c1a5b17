"""Cases are chosen by a rule that anybody can count out."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from evaluation_cases import CASES, Oracle, make_batch

from identities import somebody
from tetract.evaluate.choose_cases import choose_cases, lesion_channels, lesion_dice, margin
from tetract.evaluate.collect import collect
from tetract.evaluate.result import Hiding, Setting
from tetract.tasks.classification.metrics import ClassificationRow
from tetract.tasks.detection.metrics import DetectionRow
from tetract.types import Task
from tetract.types.case import Place

SETTING = Setting(hiding=Hiding(patch_px=4, fraction=0.5, seed=3))
LESION = (0.0, 0.0, 10.0, 10.0)
ELSEWHERE = (20.0, 20.0, 30.0, 30.0)


def boxed(truth: list[tuple[float, ...]], *said: tuple[tuple[float, ...], float]) -> DetectionRow:
    return DetectionRow(
        xyxy=np.array([box for box, _ in said], dtype=np.float32).reshape(-1, 4),
        scores=np.array([score for _, score in said], dtype=np.float64),
        labels=np.zeros(len(said), dtype=np.int64),
        truth_xyxy=np.array(truth, dtype=np.float32).reshape(-1, 4),
        truth_labels=np.zeros(len(truth), dtype=np.int64),
        annotated=np.array([True]),
        identity=somebody(),
    )


@pytest.mark.parametrize(
    ("row", "value"),
    [
        (boxed([LESION], (LESION, 0.75)), 0.75),
        (boxed([LESION], (LESION, 0.75), (ELSEWHERE, 0.5)), 0.25),
        (boxed([LESION, ELSEWHERE], (LESION, 0.5)), 0.25),
        (boxed([LESION], (ELSEWHERE, 0.5)), -0.5),
        (boxed([LESION]), 0.0),
        (boxed([], (LESION, 0.5)), None),
    ],
    ids=["found", "and a false alarm", "one of two", "only a false alarm", "nothing", "no lesion"],
)
def test_the_margin_is_what_hits_have_over_the_best_false_alarm(
    row: DetectionRow, value: float | None
) -> None:
    assert margin(row) == value


def test_a_box_of_a_lesion_that_nobody_looked_for_is_no_false_alarm() -> None:
    row = boxed([LESION], (LESION, 0.75), (ELSEWHERE, 0.5))
    labels, annotated = np.array([0, 1]), np.array([True, False])
    assert margin(replace(row, labels=labels, annotated=annotated)) == 0.75


def test_dice_of_a_case_leaves_out_anatomy_and_empty_references() -> None:
    collected = collect(Oracle(), [make_batch()], SETTING)
    lesions = lesion_channels(collected.label_space.mask_classes)
    assert lesions.tolist() == [False, True]
    found = [lesion_dice(row, lesions) for row in collected.segmentation]
    assert found == [1.0 if infected else None for *_, infected in CASES if infected is not None]


def test_best_median_and_worst_are_in_order_and_no_slice_comes_twice() -> None:
    collected = collect(Oracle(), [make_batch()], SETTING)
    for task in Task:
        mine = [one for one in choose_cases(collected) if one.task is task]
        assert {one.place for one in mine} >= {Place.BEST, Place.WORST}
        assert len({one.identity.row for one in mine}) == len(mine)
        sign = -1 if task is Task.RECONSTRUCTION else 1
        values = [sign * one.value for one in mine]
        assert values == sorted(values, reverse=True)


def test_the_worst_classified_slice_is_the_one_least_given_its_class() -> None:
    shares = (0.9, 0.2, 0.6)
    rows = tuple(
        ClassificationRow(
            probabilities=np.array([share, 1 - share]),
            candidates=np.array([True, False]),
            identity=replace(somebody(), row=row),
        )
        for row, share in enumerate(shares)
    )
    collected = replace(collect(Oracle(), [make_batch()], SETTING), classification=rows)
    mine = [one for one in choose_cases(collected) if one.task is Task.CLASSIFICATION]
    assert [(one.place, one.identity.row) for one in mine] == [
        (Place.BEST, 0), (Place.MEDIAN, 2), (Place.WORST, 1)
    ]  # fmt: skip
