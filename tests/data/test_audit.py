from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from audit_cases import a_copy, a_picture, write_set

from tetract.data import DatasetFolder, Split, SplitFractions, open_dataset
from tetract.data.audit.audit import audit_dataset
from tetract.data.audit.check import check_audit
from tetract.data.audit.file import AUDIT_NAME, leaks_of, load_audit, save_audit
from tetract.data.audit.text import render_audit
from tetract.data.resplit import split_dataset, split_into_folds
from tetract.errors import LabelError, ReadError


def others(count: int = 6) -> list[tuple[np.ndarray, str | None, str]]:
    return [(a_picture(100 + k), f"p{100 + k}", ("train", "test")[k % 2]) for k in range(count)]


@pytest.fixture
def leaking(tmp_path: Path) -> DatasetFolder:
    """A picture in two splits under two ids, changed on its way; six others."""
    first = a_picture(1)
    pair: list[tuple[np.ndarray, str | None, str]] = [
        (first, "p1", "train"),
        (a_copy(first), "p2", "test"),
    ]
    return write_set(tmp_path / "set", pair + others())


def test_different_patients_are_no_duplicates(tmp_path: Path) -> None:
    audit = audit_dataset(write_set(tmp_path, others()))
    assert (audit.pictures, audit.findings, audit.unread) == (6, (), ())


def test_an_altered_copy_under_another_id_is_found_across_splits(leaking: DatasetFolder) -> None:
    (found,) = audit_dataset(leaking).findings
    assert (found.first.row, found.second.row) == (0, 1)
    assert (found.kind, found.patients, found.splits) == ("near", "different", ("train", "test"))
    assert 0.7 <= found.similarity <= 1


def test_equal_pixels_are_exact_whatever_the_file(tmp_path: Path) -> None:
    picture = a_picture(1)
    (found,) = audit_dataset(
        write_set(tmp_path, [(picture, None, "train"), (picture, None, "train"), *others(2)])
    ).findings
    assert (found.kind, found.similarity, found.patients) == ("exact", 1.0, "unknown")


def test_three_equal_pictures_are_two_pairs_and_found_in_any_split(tmp_path: Path) -> None:
    picture = a_picture(1)
    folder = write_set(tmp_path, [(picture, f"p{k}", "train") for k in range(3)] + others(2))
    audit = audit_dataset(folder)
    assert len(audit.findings) == 2
    assert leaks_of(audit.findings, folder.rows) == ()
    for k in range(3):
        moved = [replace(r, split=Split.TEST) if i == k else r for i, r in enumerate(folder.rows)]
        assert leaks_of(audit.findings, moved)


def test_neighbours_of_one_patient_are_not_compared(tmp_path: Path) -> None:
    first = a_picture(1)
    audit = audit_dataset(
        write_set(tmp_path, [(first, "p1", "train"), (a_copy(first), "p1", "train")])
    )
    assert audit.findings == ()


def test_empty_slices_are_no_duplicates_of_each_other(tmp_path: Path) -> None:
    blank = np.zeros((64, 64), dtype=np.uint8)
    audit = audit_dataset(write_set(tmp_path, [(blank, "a", "train"), (blank, "b", "test")]))
    assert (audit.pictures, audit.blank, audit.findings) == (0, 2, ())


def test_rows_that_cannot_be_read_are_told_and_travel(tmp_path: Path) -> None:
    folder = write_set(tmp_path, others(3))
    (tmp_path / "picture1.png").write_bytes(b"no picture")
    audit = audit_dataset(folder)
    assert [(u.row, u.name, u.code) for u in audit.unread] == [
        (1, "picture1.png", "E_NOT_AN_IMAGE")
    ]
    save_audit(tmp_path, audit)
    (warning,) = check_audit(tmp_path, folder.rows, allow_leaks=False)
    assert warning.startswith("W_AUDIT_PARTLY 1 rows")


def test_the_order_of_the_table_changes_nothing_but_the_numbers(tmp_path: Path) -> None:
    first = a_picture(1)
    pictures = [*others(4), (first, "p1", "train"), (a_copy(first), "p2", "test")]
    one = audit_dataset(write_set(tmp_path / "a", pictures))
    other = audit_dataset(write_set(tmp_path / "b", pictures[::-1]))
    assert len(one.findings) == len(other.findings) == 1
    assert one.findings[0].similarity == pytest.approx(other.findings[0].similarity, abs=0.02)


def test_an_audit_comes_back_and_equal_data_give_equal_bytes(leaking: DatasetFolder) -> None:
    save_audit(leaking.root, audit_dataset(leaking))
    first = (leaking.root / AUDIT_NAME).read_bytes()
    save_audit(leaking.root, audit_dataset(leaking))
    assert (leaking.root / AUDIT_NAME).read_bytes() == first
    assert load_audit(leaking.root) == audit_dataset(leaking)
    assert str(leaking.root).encode() not in first
    assert b'"p1"' not in first


def test_people_read_the_worst_first_by_base_name(leaking: DatasetFolder) -> None:
    text = render_audit(audit_dataset(leaking), leaking.rows)
    assert "1 pairs across two splits, 0 inside one; 1 between patients" in text
    assert "LEAK near" in text
    assert "picture0.png (train, table.csv row 2) and picture1.png (test, table.csv row 3)" in text


def test_a_data_set_without_audit_warns(leaking: DatasetFolder) -> None:
    (warning,) = check_audit(leaking.root, leaking.rows, allow_leaks=False)
    assert warning.startswith("W_NOT_AUDITED nobody has looked")


def test_a_leak_is_refused_unless_allowed(leaking: DatasetFolder) -> None:
    save_audit(leaking.root, audit_dataset(leaking))
    wanted = (
        r"E_LEAK.*1 pairs .*0 exact, 1 near.*picture0\.png \(train\) and picture1\.png \(test\)"
    )
    with pytest.raises(LabelError, match=wanted):
        check_audit(leaking.root, leaking.rows, allow_leaks=False)
    (warning,) = check_audit(leaking.root, leaking.rows, allow_leaks=True)
    assert warning.startswith("W_LEAK_ALLOWED 1 pairs")


def test_an_audit_holds_for_a_new_split_but_not_for_new_rows(leaking: DatasetFolder) -> None:
    save_audit(leaking.root, audit_dataset(leaking))
    one_side = [replace(row, split=Split.TRAIN) for row in leaking.rows]
    assert check_audit(leaking.root, one_side, allow_leaks=False) == []
    renamed = [replace(row, patient="q") for row in leaking.rows]
    for rows in (leaking.rows[:-1], renamed):
        (warning,) = check_audit(leaking.root, rows, allow_leaks=False)
        assert warning.startswith("W_NOT_AUDITED rows or patients have changed")


def test_a_damaged_audit_is_refused(leaking: DatasetFolder) -> None:
    (leaking.root / AUDIT_NAME).write_text('{"schema_version": 9}')
    with pytest.raises(ReadError, match="E_BAD_AUDIT"):
        check_audit(leaking.root, leaking.rows, allow_leaks=False)
    (warning,) = check_audit(leaking.root, leaking.rows, allow_leaks=True)
    assert warning.startswith("W_NOT_AUDITED audit.json cannot be read")


def test_a_new_split_keeps_what_the_audit_found_together(leaking: DatasetFolder) -> None:
    save_audit(leaking.root, audit_dataset(leaking))
    for seed in range(4):
        done = split_dataset(leaking, SplitFractions(train=0.5, val=0.25, test=0.25), seed)
        folder = open_dataset(leaking.root)
        assert done.joined == 2
        assert folder.rows[0].split == folder.rows[1].split
        assert [row.patient for row in folder.rows] == [row.patient for row in leaking.rows]
        assert check_audit(folder.root, folder.rows, allow_leaks=False) == []
        assert folder.warnings == ()


def test_folds_keep_them_together_and_leave_the_table_alone(leaking: DatasetFolder) -> None:
    save_audit(leaking.root, audit_dataset(leaking))
    table = (leaking.root / "table.csv").read_bytes()
    for rows in split_into_folds(leaking, 3, seed=0).splits:
        assert check_audit(leaking.root, rows, allow_leaks=False) == []
    assert (leaking.root / "table.csv").read_bytes() == table
