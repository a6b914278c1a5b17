from __future__ import annotations

import json
from collections import Counter, defaultdict
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tetract.data import Row, Split
from tetract.data.fold_file import FOLDS_NAME, load_folds, save_folds
from tetract.data.folds import fold_hash, fold_rows
from tetract.data.splits import groups_of
from tetract.errors import LabelError, ReadError


def cohort(patients: list[tuple[str, bool, int]]) -> list[Row]:
    """One patient per (source, sick, rows)."""
    return [
        Row(
            image=Path(f"/d/{number}/{row}"),
            source=source,
            patient=f"p{number}",
            label=frozenset({"sick"}) if sick else None,
        )
        for number, (source, sick, rows) in enumerate(patients)
        for row in range(rows)
    ]


PATIENTS = st.lists(
    st.tuples(st.sampled_from("xy"), st.booleans(), st.integers(1, 5)), min_size=10, max_size=16
)


@settings(deadline=None, max_examples=15)  # other work on the machine is no failure
@given(PATIENTS, st.integers(2, 5), st.integers(0, 3))
def test_each_patient_is_tested_exactly_once_and_whole(
    patients: list, folds: int, seed: int
) -> None:
    rows = cohort(patients)
    try:
        made = fold_rows(rows, folds, seed)
    except LabelError as error:
        assert "E_FEW_PATIENTS" in str(error)  # noqa: PT017 - drawn cohorts may be lopsided
        return
    tested = [{row.patient for row in fold if row.split == Split.TEST} for fold in made]
    assert sum(map(len, tested)) == len(set().union(*tested)) == len(patients)
    for fold in made:
        assert len({(row.patient, row.split) for row in fold}) == len(patients)
        assert {row.split for row in fold} == {Split.TRAIN, Split.VAL, Split.TEST}
        assert [replace(row, split=Split.UNASSIGNED) for row in fold] == rows


@settings(deadline=None, max_examples=15)  # other work on the machine is no failure
@given(PATIENTS, st.integers(2, 5))
def test_folds_differ_by_no_more_rows_of_a_kind_than_its_largest_patient(
    patients: list, folds: int
) -> None:
    rows = cohort([*patients, ("x", True, 1), ("y", False, 1)])
    try:
        made = fold_rows(rows, folds)
    except LabelError:
        return
    counts: defaultdict[tuple[str, bool], Counter[int]] = defaultdict(Counter)
    for number, fold in enumerate(made):
        for row in fold:
            counts[row.source, row.label is not None][number] += row.split == Split.TEST
    for (source, sick), found in counts.items():
        mine = [g for g in groups_of(rows) if g.source == source and bool(g.stratum) == sick]
        if len(mine) >= folds:
            spread = max(found[k] for k in range(folds)) - min(found[k] for k in range(folds))
            assert spread <= max(group.size for group in mine)


def test_order_and_old_splits_have_no_influence() -> None:
    rows = cohort([("x", k % 3 == 0, 1 + k % 4) for k in range(20)])
    other = [replace(row, split=Split.TEST) for row in reversed(rows)]
    assert fold_hash(fold_rows(other, 4)) == fold_hash(fold_rows(rows, 4))
    assert fold_hash(fold_rows(rows, 4, seed=1)) != fold_hash(fold_rows(rows, 4))


def test_tuning_gets_about_an_eighth_of_the_rest() -> None:
    rows = cohort([("x", False, 2) for _ in range(100)])
    for fold in fold_rows(rows, 5):
        assert Counter(row.split for row in fold) == {"test": 40, "val": 20, "train": 140}


def test_fewer_patients_than_folds_are_refused() -> None:
    rows = cohort([("x", False, 5)] * 4)
    with pytest.raises(LabelError, match=r"E_FEW_PATIENTS.*expected 5 or more patients, found 4"):
        fold_rows(rows, 5)


def test_a_fold_that_leaves_nothing_to_tune_on_is_refused() -> None:
    rows = cohort([("x", False, 9), ("x", False, 1), ("x", False, 1)])
    with pytest.raises(LabelError, match=r"E_FEW_PATIENTS.*found 1 in fold"):
        fold_rows(rows, 2)


def test_one_fold_is_none() -> None:
    with pytest.raises(LabelError, match=r"E_BAD_FOLDS.*2 or more"):
        fold_rows(cohort([("x", False, 1)] * 4), 1)


def test_saved_folds_come_back_and_equal_folds_give_equal_bytes(tmp_path: Path) -> None:
    rows = cohort([("x", k % 2 == 0, 2) for k in range(9)])
    made = fold_rows(rows, 3)
    save_folds(tmp_path, made, seed=0)
    first = (tmp_path / FOLDS_NAME).read_bytes()
    assert load_folds(tmp_path, rows) == made
    save_folds(tmp_path, fold_rows(list(reversed(rows)), 3), seed=0)
    assert (tmp_path / FOLDS_NAME).read_bytes() == first


def test_folds_of_other_patients_are_refused(tmp_path: Path) -> None:
    rows = cohort([("x", False, 2) for _ in range(9)])
    save_folds(tmp_path, fold_rows(rows, 3), seed=0)
    with pytest.raises(LabelError, match=r"E_FOLDS_CHANGED.*found 1 patients"):
        load_folds(tmp_path, rows[2:])


def test_a_split_changed_by_hand_is_noticed(tmp_path: Path) -> None:
    rows = cohort([("x", False, 2) for _ in range(9)])
    save_folds(tmp_path, fold_rows(rows, 3), seed=0)
    content = json.loads((tmp_path / FOLDS_NAME).read_text())
    content["splits"]["p0"] = ["train", "train", "train"]
    (tmp_path / FOLDS_NAME).write_text(json.dumps(content))
    with pytest.raises(LabelError, match="E_FOLDS_CHANGED"):
        load_folds(tmp_path, rows)


@pytest.mark.parametrize("text", ["{", '{"schema_version": 2}', "[]"])
def test_damaged_folds_are_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / FOLDS_NAME).write_text(text)
    with pytest.raises(ReadError, match="E_BAD_FOLDS"):
        load_folds(tmp_path, [])


def test_no_folds_say_how_to_make_them(tmp_path: Path) -> None:
    with pytest.raises(ReadError, match=r"E_NO_FOLDS.*--folds K"):
        load_folds(tmp_path, [])
