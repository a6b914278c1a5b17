"""Figures of weighted patients, and rows on disk."""

from __future__ import annotations

import dataclasses
import itertools
import json
import math
from collections.abc import Callable

import numpy as np
import pytest
from segmentation_cases import NOTHING, figures, measured, square

from tetract.evaluate.rows_codec import decode, encode
from tetract.tasks.segmentation.columns import columns, dice_of, iou_of
from tetract.tasks.segmentation.metrics import SegmentationRow, mean_dice, score_segmentation
from tetract.tasks.segmentation.overlap_scores import score_pooled
from tetract.types.identity import group_keys
from tetract.types.resamples import Resamples, draw_resamples, estimate, ratio
from tetract.types.studentised import Sums

NAMES = ("lung", "lesion")
Overlap = Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]
PATIENTS = ["a", "a", "a", "b", "b", "", "c", "c", "d", "e", "", "f"]


def some_rows(seed: int) -> list[SegmentationRow]:
    """Slices of all kinds: with and without the class, painted or not, spacing known or not."""
    random = np.random.default_rng(seed)

    def mask() -> np.ndarray:
        return (random.random((2, 12, 12)) < 0.3) & (random.random((2, 1, 1)) < 0.6)

    spacings = [None, (0.5, 0.8), (6.0, 7.0)]
    rows = [
        measured(mask(), mask(), who, source="xy"[n % 2], spacing=spacings[random.integers(3)])
        for n, who in enumerate(PATIENTS)
    ]
    looked = [np.array([n != 4, n != 6]) for n in range(len(rows))]
    return [
        dataclasses.replace(row, annotated=known) for row, known in zip(rows, looked, strict=True)
    ]


def repeated(rows: list[SegmentationRow], times: dict[object, int]) -> list[SegmentationRow]:
    """Each patient as many people as ``times`` says."""
    number = itertools.count(10_000)
    return [
        dataclasses.replace(
            row,
            identity=dataclasses.replace(
                row.identity,
                row=next(number),
                patient=row.identity.patient and f"{row.identity.patient}{copy}",
            ),
        )
        for row, key in zip(rows, group_keys(rows), strict=True)
        for copy in range(times[key])
    ]


@pytest.mark.parametrize("seed", range(6))
def test_a_figure_of_weights_is_the_figure_of_the_repeated_patients(seed: int) -> None:
    rows = some_rows(seed)
    keys = sorted(set(group_keys(rows)))
    times = np.random.default_rng(seed).integers(0, 4, len(keys))
    resamples = Resamples(
        patients={key: column for column, key in enumerate(keys)},
        counts=np.stack([np.ones(len(keys)), times]),
        draws=1,
        strata=np.zeros(len(keys), dtype=np.int64),
    )
    weighted = dict(figures(score_segmentation(rows, NAMES, resamples=resamples)))
    plain = dict(figures(score_segmentation(rows, NAMES)))
    more = repeated(rows, dict(zip(keys, times.tolist(), strict=True)))
    again = dict(figures(score_segmentation(more, NAMES)))
    assert len(weighted) == len(again) > 50
    for name, figure in weighted.items():
        assert figure.value == pytest.approx(plain[name].value, abs=1e-9), name
        assert figure.reason == plain[name].reason
        if figure.studies is None:
            assert figure.value is None
            continue
        drawn, expected = figure.studies[1], again[name].value
        if "macro" in name and math.isnan(drawn):
            continue  # a class that no drawn patient bears: see below
        assert (None if math.isnan(drawn) else drawn) == pytest.approx(expected, abs=1e-9), name


def test_a_draw_without_one_of_the_classes_has_no_macro_mean() -> None:
    one, other = np.stack([square(4), NOTHING]), np.stack([NOTHING, square(4)])
    rows = [measured(one, one, "a"), measured(other & False, other, "b")]
    keys = group_keys(rows)
    resamples = Resamples(
        patients={key: column for column, key in enumerate(keys)},
        counts=np.array([[1.0, 1.0], [2.0, 0.0], [1.0, 3.0]]),
        draws=2,
        strata=np.zeros(2, dtype=np.int64),
    )
    macro = score_segmentation(rows, NAMES, resamples=resamples).dice_macro
    assert macro.studies is not None
    assert macro.studies.tolist() == pytest.approx([0.5, math.nan, 0.5], nan_ok=True)
    assert mean_dice(rows, [1], resamples=resamples).value == 0.0


def test_intervals_lie_around_their_figures() -> None:
    random = np.random.default_rng(0)
    shifts = random.integers(0, 4, 30)
    rows = [measured(square(4 + n), square(4), f"p{i}") for i, n in enumerate(shifts)]
    resamples = draw_resamples(rows, draws=200, seed=0)
    lesion = score_segmentation(rows, ("lesion",), resamples=resamples).classes[0]
    for figure in (
        lesion.dice,
        lesion.dice_pooled,
        lesion.contours_px.hd95,
        lesion.contours_px.nsd,
    ):
        assert figure.interval is not None
        assert figure.value is not None
        assert figure.interval.low < figure.value < figure.interval.high


def test_nothing_at_all_scores_with_draws_too() -> None:
    resamples = draw_resamples(some_rows(0), draws=10, seed=0)
    scores = dict(figures(score_segmentation([], NAMES, resamples=resamples)))
    assert all(figure.value is None and figure.reason for figure in scores.values())


@pytest.mark.parametrize("seed", range(3))
def test_rows_survive_strict_json(seed: int) -> None:
    for row in some_rows(seed):
        again = decode(SegmentationRow, json.loads(json.dumps(encode(row), allow_nan=False)))
        assert encode(again) == encode(row)
        assert again.contours is not None
        assert again.contours.hd95.dtype == np.float64


@pytest.mark.parametrize(("overlap", "times"), [(dice_of, 2), (iou_of, 1)])
def test_pooled_overlap_reaches_as_far_as_its_own_sums(overlap: Overlap, times: int) -> None:
    random = np.random.default_rng(4)
    masks = random.random((30, 2, 20, 20)) < random.random((30, 1, 1, 1)) ** 3
    rows = [measured(said, true, str(n // 2)) for n, (said, true) in enumerate(masks)]
    column, resamples = columns(rows, 0), draw_resamples(rows, draws=300, seed=0)
    hit = times * column.true_positive
    below = hit + column.false_positive + column.false_negative
    sums = Sums(above=hit, below=below, is_share=True)
    expected = estimate(
        lambda weights: ratio(weights @ hit, weights @ below), rows, resamples, reason="", sums=sums
    )
    found, own = score_pooled(column, overlap, resamples).interval, expected.interval
    assert found is not None
    assert own is not None
    assert (found.low, found.high) == (pytest.approx(own.low), pytest.approx(own.high))
