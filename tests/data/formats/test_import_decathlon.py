"""Datalists: sections, folds, label files, class numbers and boxes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from volume_sets import a_grid, a_label, put_json, put_labels, put_volume, some_grey, some_hu

from tetract.data import ALL, EMPTY, DatasetFolder, MaskSource, open_dataset
from tetract.data.finish_import import ImportOptions, ImportReport
from tetract.data.formats.cuboids import BoxMode, boxes_on_slices, corners_lps
from tetract.data.formats.import_decathlon import DatalistChoices, import_decathlon
from tetract.data.formats.label_values import parse_value_rules
from tetract.data.formats.patient_rule import patient_rule
from tetract.errors import TetractError
from tetract.io import write_png
from tetract.types import Geometry

MSD = {"labels": {"0": "background", "1": "lung cancer"}, "modality": {"0": "CT"}, "name": "Lung"}
IMAGE, LABEL = "./imagesTr/a.nii.gz", "./labelsTr/a.nii.gz"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Volumes a, b, c with label maps, and two pictures."""
    for number, name in enumerate("abc"):
        put_volume(tmp_path / "imagesTr" / f"{name}.nii.gz", some_hu(number))
        put_labels(tmp_path / "labelsTr" / f"{name}.nii.gz", a_label((number, 1, 1, 1)))
        write_png(tmp_path / f"{name}.png", some_grey(number)[0])
    return tmp_path


def run(root: Path, content: object, **choices: Any) -> tuple[ImportReport, DatasetFolder]:
    listed = put_json(root / "list.json", content)
    out = root / "set"
    options = ImportOptions(overwrite=True)
    report = import_decathlon(listed, out, DatalistChoices(**choices), options)
    return report, open_dataset(out)


def code_of(root: Path, content: object, **choices: Any) -> str:
    with pytest.raises(TetractError) as caught:
        run(root, content, **choices)
    return caught.value.code


def entry(name: str, **more: object) -> dict[str, object]:
    return {
        "image": f"./imagesTr/{name}.nii.gz",
        "label": f"./labelsTr/{name}.nii.gz",
        **more,
    }


def test_sections_are_splits_and_unlabelled_tests_are_unknown(root: Path) -> None:
    content = {**MSD, "training": [entry("a")], "validation": [entry("b")]}
    _, folder = run(root, {**content, "test": ["./imagesTr/c.nii.gz"]}, lesions=("lung_cancer",))
    by_name = {row.image.name[0]: row for row in folder.rows}
    assert {name: str(row.split) for name, row in by_name.items()} == {
        "a": "train",
        "b": "val",
        "c": "test",
    }
    assert by_name["c"].mask is None
    assert by_name["a"].mask == {
        "lung_cancer": MaskSource(path=root / "labelsTr" / "a.nii.gz", value=1)
    }


def test_the_fold_that_is_asked_for_validates(root: Path) -> None:
    content = {**MSD, "training": [entry("a", fold=0), entry("b", fold=1)]}
    splits = {
        fold: [str(row.split) for row in run(root, content, fold=fold)[1].rows] for fold in (0, 1)
    }
    assert splits == {0: ["val", "train"], 1: ["train", "val"]}


def test_a_list_without_folds_is_split_by_us(root: Path) -> None:
    _, folder = run(root, {**MSD, "training": [entry("a"), entry("b"), entry("c")]})
    assert {str(row.split) for row in folder.rows} == {"train", "val", "test"}


def test_labels_without_names_are_refused_until_they_are_named(root: Path) -> None:
    content = {"training": [entry("a")]}
    assert code_of(root, content) == "E_NO_LABEL_NAMES"
    _, folder = run(root, content, labels=parse_value_rules(["1=tumour"]))
    assert set(folder.rows[0].mask or {}) == {"tumour"}


def test_a_value_may_be_left_out_knowingly(root: Path) -> None:
    put_labels(root / "labelsTr" / "a.nii.gz", a_label((0, 0, 0, 1), (0, 0, 1, 2)))
    content = {"training": [entry("a"), entry("b")]}
    report, folder = run(root, content, labels=parse_value_rules(["1=lung"]))
    assert len(folder.rows) == 1
    assert "2 in 1 voxels" in report.surprises[0].reason
    report, folder = run(root, content, labels=parse_value_rules(["1=lung", "2=-"]))
    assert (len(folder.rows), report.surprises) == (2, ())


@pytest.mark.parametrize("text", ["1", "=a", "x=a", "1,=a", "1=a|b", "0=lung", "-1=a", "999999=a"])
def test_rules_that_are_none_are_refused(root: Path, text: str) -> None:
    with pytest.raises(TetractError) as caught:
        run(root, {"training": [entry("a")]}, labels=parse_value_rules([text]))
    assert caught.value.code in {"E_LABEL_RULE", "E_CLASS_NAME", "E_NO_LABEL_NAMES"}


def test_class_numbers_of_pictures_become_classes(root: Path) -> None:
    content = {
        "labels": {"0": "normal", "1": "covid"},
        "training": [{"image": "a.png", "label": 0}, {"image": "b.png", "label": 1}],
    }
    _, folder = run(root, content)
    assert [row.label for row in folder.rows] == [frozenset({"normal"}), frozenset({"covid"})]
    assert folder.card.classes == ("normal", "covid")
    assert {(s.name, s.hu_known) for s in folder.card.sources} == {("list-grey", False)}


def test_a_class_of_a_volume_is_not_given_to_its_slices_unasked(root: Path) -> None:
    labels = {"0": "normal", "1": "covid"}
    content = {"labels": labels, "training": [{"image": IMAGE, "label": 1}]}
    assert code_of(root, content) == "E_EMPTY_DATASET"
    _, folder = run(root, content, every_slice=True)
    assert (folder.rows[0].slice, folder.rows[0].label) == (ALL, frozenset({"covid"}))
    assert folder.card.sources[0].class_unit == "patient"


def test_a_number_without_a_name_is_skipped_and_told(root: Path) -> None:
    entries = [{"image": "a.png", "label": 4}, {"image": "b.png", "label": 1}]
    report, folder = run(root, {"labels": {"1": "covid"}, "training": entries})
    assert len(folder.rows) == 1
    assert report.surprises[0].reason.startswith("E_LABEL_UNKNOWN")


def test_cuboids_become_boxes_on_the_slices_they_meet(root: Path) -> None:
    # voxel (slice 1..2, row 2, column 3) of the grid, in LPS mm: x 0.8, y 0.7, z 2.5 apart
    box = [-100 + 3 * 0.8, -80 + 2 * 0.7, 30 + 1.5 * 2.5, 0.8, 0.7, 5.0]
    content = {
        "labels": {"0": "nodule"},
        "training": [{"image": IMAGE, "label": [0], "box": [box]}],
    }
    _, folder = run(root, content, box_mode=BoxMode.CCCWHD)
    assert [row.boxes is None for row in folder.rows] == [True, False, False, True]
    _, folder = run(root, content, box_mode=BoxMode.CCCWHD, complete=True)
    found = [row.boxes for row in folder.rows]
    assert [row.slice for row in folder.rows] == [0, 1, 2, 3]
    assert [len(boxes or ()) for boxes in found] == [0, 1, 1, 0]
    assert found[0] == ()
    assert (found[1] or ())[0].xyxy == pytest.approx((3, 2, 4, 3))
    assert folder.card.sources[0].box_classes == ("nodule",)


def test_boxes_need_to_be_explained(root: Path) -> None:
    content = {
        "labels": {"0": "nodule"},
        "training": [{"image": IMAGE, "label": [0], "box": [[1, 1, 1, 1, 1, 1]]}],
    }
    assert code_of(root, content) == "E_BOX_MODE"
    assert code_of(root, content, box_mode=BoxMode.XYXY) == "E_EMPTY_DATASET"
    assert code_of(root, content, box_mode=BoxMode.CCCWHD) == "E_EMPTY_DATASET"  # outside


def test_a_cuboid_between_two_planes_is_given_to_the_nearer_one() -> None:
    low, high = corners_lps([-99.0, -79.5, 33.0, 1.0, 0.7, 0.2], BoxMode.CCCWHD, "a")
    assert set(boxes_on_slices("n", low, high, a_grid(), "a")) == {1}


@pytest.mark.parametrize("numbers", [[1.0, 1.0, 1.0, 0.0, 1.0, 1.0], [1.0] * 4, [float("nan")] * 6])
def test_what_is_no_cuboid_is_refused(numbers: list[float]) -> None:
    with pytest.raises(TetractError) as caught:
        corners_lps(numbers, BoxMode.CCCWHD, "a")
    assert caught.value.code == "E_BAD_BOX"


def test_boxes_on_a_turned_grid_are_refused() -> None:
    turn = np.deg2rad(3.0)
    affine = a_grid().affine.copy()
    rotation = np.array(
        [[np.cos(turn), -np.sin(turn), 0], [np.sin(turn), np.cos(turn), 0], [0, 0, 1]]
    )
    affine[:3, :3] = rotation @ affine[:3, :3]
    grid = Geometry(affine=affine, shape=(4, 6, 5))
    with pytest.raises(TetractError) as caught:
        boxes_on_slices("n", np.zeros(3), np.ones(3), grid, "a")
    assert caught.value.code == "E_BAD_BOX"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"training": 3}, "E_BAD_JSON"),
        ({"training": [3]}, "E_BAD_JSON"),
        ({"training": [{"label": LABEL}]}, "E_BAD_JSON"),
        ({"training": [{"image": [IMAGE, IMAGE], "label": LABEL}]}, "E_BAD_JSON"),
        ({"training": [{"image": IMAGE, "label": [1, 2]}]}, "E_BAD_JSON"),
        ({"training": [{"image": IMAGE, "label": [1], "box": [[1, 2]]}]}, "E_BAD_JSON"),
        ({"training": [{"image": IMAGE, "label": LABEL, "fold": "a"}]}, "E_BAD_JSON"),
        ({"modality": {"0": "MR"}}, "E_CHANNEL"),
        ({"labels": {"0": "background", "1": "ü"}}, "E_CLASS_NAME"),
    ],
)
def test_a_wrong_list_is_refused(root: Path, change: dict[str, object], code: str) -> None:
    assert code_of(root, {**MSD, "training": [entry("a")], **change}) == code


@pytest.mark.parametrize("path", ["../out.nii.gz", "/etc/passwd", "C:\\x.nii", "a/../../b", ""])
def test_paths_do_not_leave_their_folder(root: Path, path: str) -> None:
    report, _ = run(root, {**MSD, "training": [entry("b"), entry("a", label=path or "/")]})
    assert "E_PATH_ESCAPE" in report.surprises[0].reason
    assert "etc" not in report.surprises[0].reason


def test_missing_files_are_told_one_by_one(root: Path) -> None:
    entries = [entry("a"), entry("x"), entry("b", label="no.nii.gz")]
    report, folder = run(root, {**MSD, "training": entries})
    assert len(folder.rows) == 1
    assert [s.reason.split()[0] for s in report.surprises] == ["E_MISSING_IMAGE", "E_MISSING_MASK"]


def test_paths_start_from_the_images_folder(root: Path) -> None:
    listed = put_json(root / "lists" / "list.json", {**MSD, "training": [entry("a")]})
    options = ImportOptions(images=root)
    report = import_decathlon(listed, root / "set", DatalistChoices(), options)
    assert report.surprises == ()


def test_patients_come_from_file_names_when_asked(root: Path) -> None:
    content = {**MSD, "training": [entry("a"), entry("b")]}
    _, folder = run(root, content, patients=patient_rule("(.)"))
    assert [row.patient for row in folder.rows] == ["a", "b"]
    assert folder.card.sources[0].patient_ids == "known"


def test_an_empty_map_was_looked_at(root: Path) -> None:
    put_labels(root / "labelsTr" / "a.nii.gz", a_label())
    _, folder = run(root, {**MSD, "training": [entry("a")]})
    assert folder.rows[0].mask == {"lung_cancer": EMPTY}
