from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from identities import somebody
from tetract.errors import InputError
from tetract.tasks.classification.metrics import ClassificationRow, score_classification
from tetract.tasks.classification.pool import (
    Level,
    Pooled,
    pool_candidates,
    pool_probabilities,
    pool_rows,
)
from tetract.types.identity import group_key
from tetract.types.resamples import draw_resamples

NAMES = ("covid", "normal", "cancer")
COVID, NORMAL, CANCER, NOT_COVID, ANY = (
    (1, 0, 0),
    (0, 1, 0),
    (0, 0, 1),
    (0, 1, 1),
    (1, 1, 1),
)
HEALTHY = np.array([False, True, False])


def row(
    candidates: Sequence[int],
    patient: str = "p",
    series: str = "a",
    probabilities: Sequence[float] = (0.2, 0.5, 0.3),
    source: str = "s",
) -> ClassificationRow:
    return ClassificationRow(
        probabilities=np.array(probabilities, dtype=np.float32),
        candidates=np.array(candidates, dtype=np.bool_),
        identity=somebody(patient, source, series=series),
    )


def pooled(rows: Sequence[ClassificationRow], level: Level = Level.PATIENT) -> Pooled:
    return pool_rows(rows, NAMES, level, healthy={"normal"})


@pytest.mark.parametrize(
    ("slices", "unit"),
    [
        ([NORMAL, NORMAL], NORMAL),
        ([NORMAL, COVID], COVID),
        ([NOT_COVID, COVID], COVID),
        ([COVID, COVID, NORMAL], COVID),
        ([COVID, CANCER], (0, 0, 0)),
        ([NOT_COVID, NOT_COVID], NOT_COVID),
        # One slice may show cancer, the other may be healthy beside it.
        ([NORMAL, NOT_COVID], NOT_COVID),
        ([CANCER, NOT_COVID], CANCER),
        ([ANY, NORMAL], ANY),
        ([ANY, COVID], COVID),
    ],
)
def test_a_unit_has_the_disease_of_any_of_its_slices(
    slices: list[tuple[int, ...]], unit: tuple[int, ...]
) -> None:
    found = pool_candidates(np.array(slices, dtype=bool), HEALTHY)
    assert tuple(found.astype(int)) == unit


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.lists(st.booleans(), min_size=3, max_size=3).filter(any), min_size=1, max_size=4),
    st.lists(st.booleans(), min_size=3, max_size=3),
)
def test_candidates_of_a_unit_are_those_that_some_choice_of_slices_allows(
    slices: list[list[bool]], healthy: list[bool]
) -> None:
    possible = [False] * 3
    for choice in itertools.product(*([c for c in range(3) if s[c]] for s in slices)):
        diseases = {c for c in choice if not healthy[c]}
        if len(diseases) == 1:
            possible[diseases.pop()] = True
        elif not diseases and len(set(choice)) == 1:
            possible[choice[0]] = True
    found = pool_candidates(np.array(slices), np.array(healthy))
    assert found.tolist() == possible


def test_a_unit_is_as_healthy_as_its_three_least_healthy_slices() -> None:
    healthy = np.array([0.9, 0.1, 0.8, 0.2, 0.3, 0.7])
    slices = np.stack([1 - healthy, healthy], axis=1)
    found = pool_probabilities(slices, np.array([False, True]))
    assert found == pytest.approx([0.8, 0.2])
    assert pool_probabilities(slices[:1], np.array([False, True])) == pytest.approx([0.1, 0.9])


def test_without_a_healthy_class_all_slices_count() -> None:
    slices = np.array([[0.9, 0.1], [0.5, 0.5], [0.1, 0.9], [0.1, 0.9]])
    found = pool_probabilities(slices, np.zeros(2, dtype=bool))
    assert found == pytest.approx([0.4, 0.6])


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 2**32 - 1), st.integers(1, 7))
def test_pooled_probabilities_are_probabilities(seed: int, count: int) -> None:
    slices = np.random.default_rng(seed).dirichlet(np.ones(3), size=count)
    found = pool_probabilities(slices, HEALTHY)
    assert found.sum() == pytest.approx(1)
    assert found[1] <= slices[:, 1].mean() + 1e-12


def test_there_is_one_row_per_series_or_patient_of_a_source() -> None:
    rows = [
        row(COVID, "p", "a"),
        row(COVID, "p", "b"),
        row(NORMAL, "q", "a"),
        row(COVID, "p", "a", source="t"),
        row(NORMAL, "p", "a"),
    ]
    assert len(pooled(rows, Level.SLICE).rows) == 5
    series = pooled(rows, Level.SERIES).rows
    keys = [(r.identity.source, r.identity.patient, r.identity.series) for r in series]
    assert keys == [("s", "p", "a"), ("s", "p", "b"), ("s", "q", "a"), ("t", "p", "a")]
    patients = pooled(rows).rows
    assert [group_key(r.identity)[:2] for r in patients] == [("s", "p"), ("s", "q"), ("t", "p")]
    assert [r.candidates.astype(int).tolist() for r in patients] == [
        [1, 0, 0],
        [0, 1, 0],
        [1, 0, 0],
    ]


def test_the_order_of_the_slices_changes_nothing() -> None:
    rows = [row(NORMAL, "p", "a", p) for p in ((0.5, 0.5, 0), (0, 0.5, 0.5), (0.3, 0.4, 0.3))]
    rows += [row(NORMAL, "p", "a", (0.5, 0.5, 0)), row(COVID, "q")]
    one, other = pooled(rows).rows, pooled(rows[::-1]).rows
    assert [r.identity for r in one] == [r.identity for r in other]
    for first, second in zip(one, other, strict=True):
        assert first.probabilities.tolist() == second.probabilities.tolist()


def test_slices_of_unknown_units_are_left_out_counted_and_said() -> None:
    rows = [row(COVID, "p", ""), row(COVID, "", "a"), row(NORMAL, "q", "a")]
    patients, series = pooled(rows), pooled(rows, Level.SERIES)
    assert (len(patients.rows), patients.slices_left_out) == (2, 1)
    assert (len(series.rows), series.slices_left_out) == (1, 2)
    assert series.note == "Left out: labelled slices whose series is unknown: 2."
    assert pooled(rows[2:]).note == ""


def test_a_unit_of_two_diseases_is_left_out_counted_and_said() -> None:
    found = pooled([row(COVID, "p"), row(CANCER, "p"), row(CANCER, "q")])
    assert (len(found.rows), found.units_left_out, found.slices_left_out) == (1, 1, 0)
    assert found.note == "Left out: patients with labels that no one of them can have: 1."


def test_only_healthy_names_of_the_recipe_count() -> None:
    found = pool_rows([row(COVID)], NAMES, Level.PATIENT, healthy=("clear", "normal"))
    assert found.healthy == ("normal",)


def test_pooled_rows_are_scored_like_slices_with_intervals_by_patient() -> None:
    generator = np.random.default_rng(0)
    rows: list[ClassificationRow] = []
    for patient in range(40):
        for number in range(6):
            shows = patient % 2 == 0 and number < 3
            p = float(np.clip(generator.normal(0.6 if shows else 0.3, 0.2), 0, 1))
            label = COVID if shows else NORMAL
            rows.append(row(label, f"p{patient}", "a", (p, 1 - p, 0)))
    resamples = draw_resamples(rows, draws=100, seed=0)
    slices = score_classification(rows, NAMES, resamples=resamples).classes[0]
    patients = score_classification(pooled(rows).rows, NAMES, resamples=resamples).classes[0]
    assert (slices.positives, slices.negatives) == (60, 180)
    assert (patients.positives, patients.negatives) == (20, 20)
    assert patients.auroc.interval is not None
    assert patients.auroc.value != slices.auroc.value


def test_no_rows_pool_to_none_and_nan_is_refused() -> None:
    assert pooled([]).rows == ()
    with pytest.raises(InputError, match="E_PREDICTION_NOT_FINITE"):
        pooled([row(COVID, probabilities=(float("nan"), 0, 0))])
