from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tetract.data import (
    Row,
    Split,
    SplitFractions,
    assign_splits,
    check_no_patient_in_two_splits,
    split_hash,
)
from tetract.errors import LabelError


def rows_of(*patients: tuple[str, int], source: str = "s", **changes: object) -> list[Row]:
    return [
        Row(image=Path(f"/d/{source}/{p}-{i}"), source=source, patient=p, **changes)  # pyright: ignore[reportArgumentType]  fields by name
        for p, n in patients
        for i in range(n)
    ]


# Plain tuples: beartype draws random numbers when it checks a Row, which a strategy must not.
COHORTS = st.lists(
    st.tuples(
        st.none() | st.sampled_from("abcdefghij"),
        st.sampled_from("xy"),
        st.booleans(),
        st.integers(0, 999),
    ),
    min_size=1,
    max_size=40,
)


def cohort(drawn: list[tuple[str | None, str, bool, int]]) -> list[Row]:
    return [
        Row(
            image=Path(f"/d/f/{i}"),
            source=source,
            patient=patient,
            label=frozenset({"sick"}) if sick else None,
        )
        for patient, source, sick, i in drawn
    ]


@settings(deadline=None)  # other work on the machine is no failure
@given(COHORTS.flatmap(lambda c: st.tuples(st.just(c), st.permutations(c))), st.integers(0, 9))
def test_the_order_of_rows_has_no_influence(pair: tuple[list, list], seed: int) -> None:
    one, other = (assign_splits(cohort(drawn), seed=seed) for drawn in pair)
    assert {row.group: row.split for row in one} == {row.group: row.split for row in other}


@settings(deadline=None)  # other work on the machine is no failure
@given(COHORTS, st.integers(0, 9))
def test_no_patient_leaks_and_no_row_stays_unassigned(drawn: list, seed: int) -> None:
    rows = cohort(drawn)
    assigned = assign_splits(rows, seed=seed)
    check_no_patient_in_two_splits(assigned)
    assert all(row.split != Split.UNASSIGNED for row in assigned)
    assert [replace(row, split=Split.UNASSIGNED) for row in assigned] == rows


@settings(deadline=None)  # other work on the machine is no failure
@given(st.integers(3, 12), st.integers(0, 20))
def test_three_patients_or_more_fill_all_parts(patients: int, seed: int) -> None:
    rows = rows_of(*((f"p{i}", 1 + i % 4) for i in range(patients)))
    assert {row.split for row in assign_splits(rows, seed=seed)} == {"train", "val", "test"}


def test_one_patient_trains_and_two_train_and_test() -> None:
    assert {row.split for row in assign_splits(rows_of(("a", 3)))} == {"train"}
    assert {row.split for row in assign_splits(rows_of(("a", 3), ("b", 9)))} == {"train", "test"}


def test_published_words_stay_and_the_rest_of_the_patient_follows() -> None:
    first, second, other = rows_of(("a", 2), ("b", 1))
    given_word = replace(first, split=Split.VAL)
    assigned = assign_splits([given_word, second, other])
    assert [row.split for row in assigned[:2]] == ["val", "val"]


def test_shares_of_slices_are_met_closely() -> None:
    rows = rows_of(*((f"p{i}", 1 + i % 3) for i in range(120)))
    counts = Counter(row.split for row in assign_splits(rows))
    shares = {part: counts[part] / len(rows) for part in counts}
    assert shares == pytest.approx({"train": 0.7, "val": 0.1, "test": 0.2}, abs=0.02)


def test_sick_and_healthy_patients_are_spread_alike() -> None:
    sick = rows_of(*((f"s{i}", 1) for i in range(20)), label=frozenset({"sick"}))
    rows = rows_of(*((f"h{i}", 1) for i in range(80))) + sick
    counts = Counter(row.split for row in assign_splits(rows) if row.label)
    assert counts == {"train": 14, "val": 2, "test": 4}


def test_sources_are_split_on_their_own() -> None:
    rows = rows_of(*((f"a{i}", 1) for i in range(10))) + rows_of(
        *((f"b{i}", 9) for i in range(10)), source="t"
    )
    parts: defaultdict[str, Counter[Split]] = defaultdict(Counter)
    for row in assign_splits(rows):
        parts[row.source][row.split] += 1
    assert parts["s"] == {"train": 7, "val": 1, "test": 2}
    assert parts["t"] == {"train": 63, "val": 9, "test": 18}


def test_another_seed_draws_another_split() -> None:
    rows = rows_of(*((f"p{i}", 1) for i in range(30)))
    hashes = {split_hash(assign_splits(rows, seed=seed)) for seed in range(5)}
    assert len(hashes) == 5


def test_the_hash_ignores_order_and_place_but_not_the_split() -> None:
    rows = assign_splits(rows_of(("a", 2), ("b", 1), ("c", 1)))
    moved = [replace(row, image=Path("/elsewhere") / row.image.name) for row in reversed(rows)]
    assert split_hash(moved) == split_hash(rows)
    swapped = [replace(row, split=Split.TEST) for row in rows]
    assert split_hash(swapped) != split_hash(rows)


def test_a_torn_patient_is_refused_before_anything_is_assigned() -> None:
    one, two = rows_of(("a", 2))
    torn = [replace(one, split=Split.TRAIN), replace(two, split=Split.TEST)]
    with pytest.raises(LabelError, match=r"E_PATIENT_LEAK.*'a'.*train and test"):
        assign_splits(torn)


def test_shares_must_sum_to_one() -> None:
    with pytest.raises(LabelError, match="E_SPLIT_FRACTIONS"):
        SplitFractions(train=0.9)
