"""nnU-Net raw folders: what they say is taken, what they do not say stays unknown."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from volume_sets import a_grid, a_label, put_json, put_labels, put_volume, raw_folder, some_grey

from tetract.data import ALL, EMPTY, DatasetFolder, MaskSource, open_dataset
from tetract.data.finish_import import ImportOptions, ImportReport
from tetract.data.formats.import_nnunet import NnunetChoices, import_nnunet
from tetract.data.formats.patient_rule import patient_rule
from tetract.data.read_row import RowReader
from tetract.errors import TetractError
from tetract.io import read_label_map, write_png

TWO = {"a_1": a_label((0, 0, 0, 1), (1, 2, 3, 2)), "a_2": a_label((3, 1, 1, 1))}
REGIONS = {"background": 0, "whole": [1, 2], "core": [2]}


def run(root: Path, out: Path, **choices: Any) -> tuple[ImportReport, DatasetFolder]:
    report = import_nnunet(root, out, NnunetChoices(**choices), ImportOptions())
    return report, open_dataset(out)


def code_of(root: Path, out: Path, **choices: Any) -> str:
    with pytest.raises(TetractError) as caught:
        run(root, out, **choices)
    return caught.value.code


def mask_of(folder: DatasetFolder, row: int, name: str) -> np.ndarray:
    mask = (folder.rows[row].mask or {})[name]
    assert isinstance(mask, MaskSource)
    values = read_label_map(mask.path).values
    return values != 0 if mask.value is None else values == mask.value


def test_a_case_is_one_row_with_a_mask_per_class(tmp_path: Path) -> None:
    report, folder = run(raw_folder(tmp_path / "raw", TWO), tmp_path / "set")
    first, second = folder.rows
    assert (report.read, report.surprises) == (2, ())
    assert first.slice == second.slice == ALL
    assert np.array_equal(mask_of(folder, 0, "tumour"), TWO["a_1"] == 2)
    assert np.array_equal(mask_of(folder, 0, "lung"), TWO["a_1"] == 1)


def test_a_class_without_a_voxel_was_looked_for_in_vain(tmp_path: Path) -> None:
    _, folder = run(raw_folder(tmp_path / "raw", TWO), tmp_path / "set")
    assert (folder.rows[1].mask or {})["tumour"] == EMPTY


def test_version_one_says_the_same(tmp_path: Path) -> None:
    old = {"modality": {"0": "CT"}, "labels": {"0": "background", "1": "lung", "2": "tumour"}}
    root = raw_folder(tmp_path / "raw", TWO, channel_names=None, file_ending=None, **old)
    _, folder = run(root, tmp_path / "set")
    assert np.array_equal(mask_of(folder, 0, "tumour"), TWO["a_1"] == 2)


def test_a_region_becomes_a_mask_of_its_own(tmp_path: Path) -> None:
    root = raw_folder(tmp_path / "raw", TWO, labels=REGIONS)
    _, folder = run(root, tmp_path / "set")
    assert np.array_equal(mask_of(folder, 0, "whole"), TWO["a_1"] > 0)
    assert np.array_equal(mask_of(folder, 0, "core"), TWO["a_1"] == 2)


def test_a_region_beside_other_labels_keeps_to_its_own(tmp_path: Path) -> None:
    labels = {"background": 0, "left": 1, "some": [1, 2], "other": 3}
    case = a_label((0, 0, 0, 1), (0, 0, 1, 2), (0, 0, 2, 3))
    root = raw_folder(tmp_path / "raw", {"a": case}, labels=labels)
    _, folder = run(root, tmp_path / "set")
    assert np.array_equal(mask_of(folder, 0, "some"), (case == 1) | (case == 2))
    derived = (folder.rows[0].mask or {})["some"]
    assert isinstance(derived, MaskSource)
    assert derived.path.parent == folder.root / "masks"


def test_a_slice_with_an_ignored_voxel_is_unknown_and_its_neighbours_are_not(
    tmp_path: Path,
) -> None:
    labels = {"background": 0, "lung": 1, "ignore": 2}
    root = raw_folder(tmp_path / "raw", {"a": a_label((1, 0, 0, 2), (2, 0, 0, 1))}, labels=labels)
    _, folder = run(root, tmp_path / "set")
    assert [row.slice for row in folder.rows] == [0, 1, 2, 3]
    assert [row.mask is None for row in folder.rows] == [False, True, False, False]
    assert (folder.rows[0].mask or {})["lung"] == EMPTY
    assert isinstance((folder.rows[2].mask or {})["lung"], MaskSource)


def test_unknown_values_are_refused_with_their_voxel_counts(tmp_path: Path) -> None:
    bad = a_label((0, 0, 0, 7), (1, 0, 0, 7), (0, 0, 1, 1))
    root = raw_folder(tmp_path / "raw", {"a": bad, "b": TWO["a_1"]})
    report, folder = run(root, tmp_path / "set")
    assert len(folder.rows) == 1
    assert "E_LABEL_UNKNOWN a.nii.gz" in report.surprises[0].reason
    assert "7 in 2 voxels" in report.surprises[0].reason


@pytest.mark.parametrize(
    ("shift_mm", "shape", "code"),
    [(0.5, (4, 6, 5), "E_AFFINE_MISMATCH"), (0.0, (4, 6, 4), "E_SHAPE_MISMATCH")],
)
def test_a_map_on_another_grid_is_refused(
    tmp_path: Path, shift_mm: float, shape: tuple[int, int, int], code: str
) -> None:
    root = raw_folder(tmp_path / "raw", TWO)
    other = a_label((0, 0, 0, 1), shape=shape)
    put_labels(root / "labelsTr" / "a_1.nii.gz", other, a_grid(shape, shift_mm=shift_mm))
    report, folder = run(root, tmp_path / "set")
    assert len(folder.rows) == 1
    assert report.surprises[0].reason.startswith(code)


def test_test_cases_without_labels_are_unknown(tmp_path: Path) -> None:
    root = raw_folder(tmp_path / "raw", TWO)
    for name in ("t_1", "t_2"):
        put_volume(root / "imagesTs" / f"{name}_0000.nii.gz", -some_grey().astype(np.int16))
    put_labels(root / "labelsTs" / "t_2.nii.gz", TWO["a_1"])
    _, folder = run(root, tmp_path / "set")
    tests = [row for row in folder.rows if row.split == "test" and row.image.name[0] == "t"]
    assert [row.mask is None for row in tests] == [True, False]


def test_missing_files_and_a_wrong_count_are_told(tmp_path: Path) -> None:
    root = raw_folder(tmp_path / "raw", TWO, numTraining=5)
    put_volume(root / "imagesTr" / "b_0000.nii.gz", -some_grey().astype(np.int16))
    put_labels(root / "labelsTr" / "c.nii.gz", TWO["a_1"])
    report, folder = run(root, tmp_path / "set")
    assert len(folder.rows) == 2
    codes = {skipped.reason.split()[0] for skipped in report.surprises}
    assert codes == {"E_MISSING_IMAGE", "E_MISSING_MASK", "E_CASE_COUNT"}


def test_patients_are_unknown_unless_the_user_says_otherwise(tmp_path: Path) -> None:
    root = raw_folder(tmp_path / "raw", TWO)
    report, folder = run(root, tmp_path / "set")
    assert {row.patient for row in folder.rows} == {None}
    assert report.warnings[0].startswith("W_NO_PATIENT_IDS")
    _, folder = run(root, tmp_path / "set2", patients=patient_rule("(a)_[0-9]"))
    assert {row.patient for row in folder.rows} == {"a"}
    _, folder = run(root, tmp_path / "set3", patients=patient_rule(None, name_is_patient=True))
    assert [row.patient for row in folder.rows] == ["a_1", "a_2"]


def test_a_pattern_that_meets_no_case_is_refused(tmp_path: Path) -> None:
    root = raw_folder(tmp_path / "raw", TWO)
    assert code_of(root, tmp_path / "s", patients=patient_rule("x.*")) == "E_PATIENT_PATTERN"
    with pytest.raises(TetractError) as caught:
        patient_rule("(")
    assert caught.value.code == "E_PATIENT_PATTERN"


def test_the_fold_that_is_asked_for_validates(tmp_path: Path) -> None:
    root = raw_folder(tmp_path / "raw", TWO)
    folds = [{"train": ["a_1"], "val": ["a_2"]}, {"train": ["a_2"], "val": ["a_1"]}]
    put_json(root / "splits_final.json", folds)
    _, folder = run(root, tmp_path / "set", fold=1)
    assert [str(row.split) for row in folder.rows] == ["val", "train"]
    assert code_of(root, tmp_path / "s2", fold=2) == "E_NO_FOLD"


def test_the_ct_is_found_by_its_name_or_asked_for(tmp_path: Path) -> None:
    both = {"0": "PET", "1": "CT"}
    root = raw_folder(tmp_path / "raw", {"a": TWO["a_1"]}, channel_names=both)
    put_volume(root / "imagesTr" / "a_0001.nii.gz", -some_grey().astype(np.int16))
    _, folder = run(root, tmp_path / "set")
    assert folder.rows[0].image.name == "a_0001.nii.gz"
    raw_folder(tmp_path / "mr", {"a": TWO["a_1"]}, channel_names={"0": "T1"})
    assert code_of(tmp_path / "mr", tmp_path / "s2") == "E_CHANNEL"
    assert len(run(tmp_path / "mr", tmp_path / "s3", channel=0)[1].rows) == 1


def test_grey_volumes_are_refused_or_kept_apart_and_never_hu(tmp_path: Path) -> None:
    root = raw_folder(tmp_path / "raw", TWO)
    put_volume(root / "imagesTr" / "a_2_0000.nii.gz", some_grey())
    report, _ = run(root, tmp_path / "set")
    assert report.surprises[0].reason.startswith("E_NOT_HU")
    _, folder = run(root, tmp_path / "set2", grey=True)
    assert [(s.name, s.hu_known) for s in folder.card.sources] == [
        ("toy", True),
        ("toy-grey", False),
    ]


def test_pictures_come_with_their_label_pictures(tmp_path: Path) -> None:
    root = raw_folder(tmp_path / "raw", {}, file_ending=".png", numTraining=1)
    for folder in ("imagesTr", "labelsTr"):
        (root / folder).mkdir()
    write_png(root / "imagesTr" / "p_0000.png", some_grey()[0])
    write_png(root / "labelsTr" / "p.png", TWO["a_1"][1])
    _, folder = run(root, tmp_path / "set")
    (row,) = folder.rows
    assert row.slice is None
    assert row.mask == {
        "lung": EMPTY,
        "tumour": MaskSource(path=root / "labelsTr" / "p.png", value=2),
    }


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"labels": None}, "E_BAD_JSON"),
        ({"labels": {"background": 1, "a": 2}}, "E_BAD_JSON"),
        ({"labels": {"a": [0, 1]}}, "E_BAD_JSON"),
        ({"labels": {"a": 1.5}}, "E_BAD_JSON"),
        ({"labels": {"a b": 1, "a_b": 2}}, "E_BAD_JSON"),
        ({"labels": {"ä": 1}}, "E_CLASS_NAME"),
        ({"labels": {"unknown": 1}}, "E_CLASS_NAME"),
        ({"file_ending": "../x"}, "E_BAD_JSON"),
        ({"channel_names": {"x": "CT"}}, "E_BAD_JSON"),
        ({"dataset": {"a": {"images": ["../../x.nii.gz"], "label": "l"}}}, "E_PATH_ESCAPE"),
    ],
)
def test_a_wrong_description_is_refused(
    tmp_path: Path, changes: dict[str, object], code: str
) -> None:
    assert code_of(raw_folder(tmp_path / "raw", TWO, **changes), tmp_path / "set") == code


def test_a_list_of_cases_in_the_description_is_followed(tmp_path: Path) -> None:
    files = {"images": ["imagesTr/a_1_0000.nii.gz"], "label": "labelsTr/a_1.nii.gz"}
    root = raw_folder(tmp_path / "raw", TWO, dataset={"case": files}, numTraining=1)
    _, folder = run(root, tmp_path / "set")
    assert [row.image.name for row in folder.rows] == ["a_1_0000.nii.gz"]


@pytest.mark.parametrize("text", ["", "[", "[1]", '{"a": 1, "a": 2}', '{"a": NaN}', "[" * 9999])
def test_what_is_no_json_object_is_refused(tmp_path: Path, text: str) -> None:
    root = raw_folder(tmp_path / "raw", TWO)
    (root / "dataset.json").write_text(text, encoding="utf-8")
    assert code_of(root, tmp_path / "set") == "E_BAD_JSON"


def test_a_folder_that_is_none_is_refused(tmp_path: Path) -> None:
    assert code_of(tmp_path, tmp_path / "set") == "E_BAD_LAYOUT"


def test_the_same_import_writes_the_same_bytes(tmp_path: Path) -> None:
    root = raw_folder(tmp_path / "raw", TWO, labels={**REGIONS, "x": 3})
    run(root, tmp_path / "set")
    files = {p: p.read_bytes() for p in (tmp_path / "set").rglob("*") if p.is_file()}
    run(root, tmp_path / "set")
    assert files == {p: p.read_bytes() for p in (tmp_path / "set").rglob("*") if p.is_file()}


def test_what_is_imported_can_be_read_slice_by_slice(tmp_path: Path) -> None:
    _, folder = run(raw_folder(tmp_path / "raw", TWO), tmp_path / "set", lesions=("tumour",))
    reader, row = RowReader(), folder.rows[0]
    volume = reader.volume(row, folder.card.source(row.source))
    seen = [reader.labels(row, volume, k).masks["tumour"] for k in range(volume.depth)]
    assert np.array_equal(np.stack(seen), TWO["a_1"] == 2)
    assert folder.card.box_classes == ("tumour",)
