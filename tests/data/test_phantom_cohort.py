from __future__ import annotations

import hashlib
from collections import Counter
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from tetract.data import EMPTY, DatasetFolder, MaskSource, open_dataset
from tetract.data.phantom.cohort import UNSEEN, write_phantom_cohort
from tetract.data.phantom.labels import MASK_CLASSES, deal_labels
from tetract.data.phantom.patient import (
    LESIONS,
    Finding,
    PhantomConfig,
    PhantomPatient,
    make_patient,
)
from tetract.errors import InputError
from tetract.io import check_same_grid, read_label_map, read_volume

TINY = PhantomConfig(patients=(9, 3, 3), slices=(6, 8), size_px=64)
ONE = PhantomConfig(patients=(1, 0, 0), slices=(6, 6), size_px=64)


@pytest.fixture(scope="module")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> DatasetFolder:
    return open_dataset(write_phantom_cohort(tmp_path_factory.mktemp("x") / "phantom", TINY))


@cache
def drawn(index: int) -> PhantomPatient:
    return make_patient(TINY, index)


@cache
def label_values(path: Path) -> np.ndarray:
    return read_label_map(path).values


def digest(folder: Path) -> dict[str, str]:
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in files
    }


def test_read_back_series_holds_the_drawn_values_and_geometry(cohort: DatasetFolder) -> None:
    for index in range(TINY.total):
        volume = drawn(index).volume
        read = read_volume(cohort.root / "images" / f"p{index:03d}")
        assert (read.hu == volume.hu).all()
        assert (read.geometry.affine == volume.geometry.affine).all()


def test_mask_files_lie_on_their_series_and_hold_the_truth(cohort: DatasetFolder) -> None:
    for index in range(TINY.total):
        patient = drawn(index)
        lung = read_label_map(cohort.root / "masks" / f"{patient.name}-lung.nii.gz")
        check_same_grid(patient.volume, lung)
        assert ((lung.values == 1) == patient.lung).all()
        path = cohort.root / "masks" / f"{patient.name}-lesions.nii.gz"
        assert path.exists() == (patient.role.kind is not Finding.NORMAL)
        for value, lesion in enumerate(LESIONS, start=2):
            read = read_label_map(path).values == value if path.exists() else False
            assert (read == patient.mask(lesion)).all()


def test_rows_say_of_each_slice_what_was_drawn_there(cohort: DatasetFolder) -> None:
    checked: Counter[str] = Counter()
    for row in cohort.rows:
        patient = drawn(int(row.patient[1:]))
        assert row.source == patient.role.scanner.name
        if row.label is not None:
            assert row.label == {patient.classes[row.slice]}
        if row.boxes is not None:
            boxes = patient.boxes(row.slice)
            assert [b.xyxy for b in row.boxes] == [tuple(b) for b in boxes.xyxy.tolist()]
            assert [b.label for b in row.boxes] == [LESIONS[i] for i in boxes.labels]
            checked["boxes"] += len(boxes)
        for name, pixels in (row.mask or {}).items():
            truth = patient.lung if name == "lung" else patient.mask(Finding(name))
            assert (pixels == EMPTY) == (not truth[row.slice].any())
            if isinstance(pixels, MaskSource):
                read = label_values(pixels.path)[row.slice] == pixels.value
                assert (read == truth[row.slice]).all()
                checked[name] += 1
    assert min(checked[name] for name in ("boxes", *MASK_CLASSES)) > 5


def test_train_holds_unknown_empty_and_present_in_each_label_column(cohort: DatasetFolder) -> None:
    rows = [row for row in cohort.rows if row.split == "train"]
    assert {None, frozenset({"normal"}), frozenset({"nodule"})} <= {row.label for row in rows}
    assert {None, False, True} == {None if row.boxes is None else bool(row.boxes) for row in rows}
    for name in MASK_CLASSES[1:]:
        cells = [None if row.mask is None else row.mask.get(name) for row in rows]
        assert None in cells
        assert EMPTY in cells
        assert any(isinstance(cell, MaskSource) for cell in cells)


def test_about_a_fifth_of_train_has_no_label_and_some_know_one_mask_class() -> None:
    config = PhantomConfig(patients=(12, 0, 0), size_px=64)
    patients = [make_patient(config, index) for index in range(12)]
    told = [t for slices in deal_labels(config, patients) for t in slices]
    silent = np.mean([not (t.label or t.masks or t.boxes) for t in told])
    assert 0.15 < silent < 0.25
    assert {len(t.masks) for t in told} == {0, 1, 3}
    assert any(t.boxes and not t.label and not t.masks for t in told)


def test_val_and_test_are_fully_labelled(cohort: DatasetFolder) -> None:
    rows = [row for row in cohort.rows if row.split != "train"]
    assert rows
    assert all(row.label and row.boxes is not None for row in rows)
    assert all(set(row.mask) == set(MASK_CLASSES) for row in rows)


def test_no_patient_is_in_two_splits_and_each_slice_has_one_row(cohort: DatasetFolder) -> None:
    homes = {(row.patient, row.split) for row in cohort.rows}
    assert len(homes) == TINY.total
    assert len({(row.patient, row.slice) for row in cohort.rows}) == len(cohort.rows)


def test_unseen_study_is_a_series_of_no_row(cohort: DatasetFolder) -> None:
    volume = read_volume(cohort.root / UNSEEN)
    expected = make_patient(TINY, TINY.total)
    assert (volume.hu == expected.volume.hu).all()
    assert Finding.NODULE in expected.classes
    assert not any(UNSEEN in row.image.parts for row in cohort.rows)


def test_two_writings_give_the_same_bytes_and_replace_each_other(tmp_path: Path) -> None:
    first = digest(write_phantom_cohort(tmp_path / "a", ONE))
    assert digest(write_phantom_cohort(tmp_path / "b", ONE)) == first
    assert digest(write_phantom_cohort(tmp_path / "a", ONE)) == first


def test_progress_counts_to_the_last_patient(tmp_path: Path) -> None:
    calls: list[tuple[int, int]] = []
    write_phantom_cohort(tmp_path / "a", ONE, lambda done, total: calls.append((done, total)))
    assert calls == [(1, 2), (2, 2)]


def test_a_folder_with_other_things_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(InputError, match="E_OUT_NOT_EMPTY"):
        write_phantom_cohort(tmp_path, ONE)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_an_interrupt_leaves_nothing_behind(tmp_path: Path) -> None:
    def stop(_done: int, _total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_phantom_cohort(tmp_path / "a", ONE, stop)
    assert not list(tmp_path.iterdir())
