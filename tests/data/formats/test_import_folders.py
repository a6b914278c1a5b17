"""Folders named after classes."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner
from volume_sets import put_volume, some_grey, some_hu

from tetract.cli.data import app
from tetract.data import ALL, DatasetFolder, open_dataset
from tetract.data.finish_import import ImportOptions, ImportReport
from tetract.data.formats.import_folders import (
    FolderChoices,
    import_folders,
    parse_folder_rules,
)
from tetract.data.formats.patient_rule import patient_rule
from tetract.errors import TetractError
from tetract.io import SeriesIdentity, encode_png, read_volume, write_dicom_series, write_png


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Pictures under normal and covid."""
    for number, name in enumerate(("normal/p1_a.png", "normal/p1_b.png", "covid/deep/p2_a.png")):
        path = tmp_path / "raw" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        write_png(path, some_grey(number)[0])
    return tmp_path / "raw"


def run(root: Path, **choices: Any) -> tuple[ImportReport, DatasetFolder]:
    out = root.parent / "set"
    report = import_folders(root, out, FolderChoices(**choices), ImportOptions(overwrite=True))
    return report, open_dataset(out)


def code_of(root: Path, **choices: Any) -> str:
    with pytest.raises(TetractError) as caught:
        run(root, **choices)
    return caught.value.code


def test_the_first_folder_is_the_class(root: Path) -> None:
    report, folder = run(root)
    assert {row.image.name: row.label for row in folder.rows} == {
        "p1_a.png": frozenset({"normal"}),
        "p1_b.png": frozenset({"normal"}),
        "p2_a.png": frozenset({"covid"}),
    }
    assert (report.surprises, folder.card.classes) == ((), ("covid", "normal"))
    assert {(row.mask, row.boxes) for row in folder.rows} == {(None, None)}


def test_patients_come_from_the_path_when_asked(root: Path) -> None:
    assert run(root)[0].warnings[0].startswith("W_NO_PATIENT_IDS")
    report, folder = run(root, patients=patient_rule(".*/(p[0-9])_.*"))
    assert [row.patient for row in folder.rows] == ["p2", "p1", "p1"]
    assert report.warnings == ()
    assert code_of(root, patients=patient_rule("(p[0-9])_.*")) == "E_PATIENT_PATTERN"


def test_a_folder_may_mean_candidates_nothing_or_be_left_out(root: Path) -> None:
    rules = parse_folder_rules(["normal=normal|cancer", "covid=unknown"])
    _, folder = run(root, classes=rules)
    assert {row.label for row in folder.rows} == {frozenset({"normal", "cancer"}), None}
    report, folder = run(root, classes=parse_folder_rules(["covid=-"]))
    assert (len(folder.rows), report.surprises) == (2, ())
    assert [row.declared for row in report.skipped] == [True]


@pytest.mark.parametrize("text", ["covid", "=a", "a=", "covid=a b", "covid=empty"])
def test_rules_that_are_none_are_refused(text: str) -> None:
    with pytest.raises(TetractError) as caught:
        parse_folder_rules([text])
    assert caught.value.code in {"E_LABEL_RULE", "E_CLASS_NAME", "E_BAD_CELL"}


def test_a_rule_or_normal_class_that_no_folder_meets_is_refused(root: Path) -> None:
    assert code_of(root, classes={"flu": "flu"}) == "E_LABEL_UNKNOWN"
    assert code_of(root, normal="healthy") == "E_LABEL_UNKNOWN"


def test_a_folder_without_classes_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.png").touch()
    assert code_of(tmp_path) == "E_BAD_LAYOUT"
    assert code_of(tmp_path / "none") == "E_NOT_FOUND"


def test_a_folder_whose_name_is_no_class_needs_a_rule(root: Path) -> None:
    (root / "normal").rename(root / "Größe")
    assert code_of(root) == "E_CLASS_NAME"
    assert len(run(root, classes={"Größe": "normal"})[1].rows) == 3


def test_what_cannot_be_read_is_skipped_and_told(root: Path) -> None:
    cut = encode_png(np.eye(40, dtype=np.uint8))[:60]
    (root / "covid" / "broken.png").write_bytes(cut)
    (root / "covid" / "notes.txt").write_text("hello", encoding="utf-8")
    (root / "stray.png").write_bytes(b"x")
    report, folder = run(root)
    assert len(folder.rows) == 3
    codes = [row.reason.split()[0] for row in report.surprises]
    assert codes == ["E_NO_RULE", "E_IMAGE_DECODE", "E_NOT_AN_IMAGE"]


def test_a_volume_bears_its_class_on_each_slice_only_if_told(root: Path) -> None:
    put_volume(root / "normal" / "v.nii.gz", some_hu())
    report, folder = run(root)
    assert len(folder.rows) == 3
    assert report.surprises[0].reason.startswith("E_CLASS_OF_VOLUME")
    _, folder = run(root, every_slice=True)
    assert [(s.name, s.hu_known) for s in folder.card.sources] == [
        ("raw", True),
        ("raw-grey", False),
    ]
    assert next(row.slice for row in folder.rows if row.source == "raw") == ALL


def test_a_folder_of_dicom_files_is_one_series(root: Path, tmp_path: Path) -> None:
    volume = read_volume(put_volume(tmp_path / "v.nii.gz", some_hu()))
    series = root / "covid" / "patient7"
    write_dicom_series(series, volume, series=SeriesIdentity(seed="x"))
    _, folder = run(root, every_slice=True, patients=patient_rule("covid/(patient[0-9]+)"))
    (row,) = [row for row in folder.rows if row.source == "raw"]
    assert (row.image, row.slice, row.patient) == (series, ALL, "patient7")


def test_the_command_answers_with_exit_1_for_skips(root: Path) -> None:
    (root / "stray.txt").write_text("x", encoding="utf-8")
    out = str(root.parent / "set")
    done = CliRunner().invoke(app, ["import", "folder", str(root), "-o", out, "--json"])
    assert done.exit_code == 1
    assert json.loads(done.stdout)["used"] == 3


@pytest.mark.real
def test_the_pictures_of_iq_oth_nccd_become_rows(shared: Path, tmp_path: Path) -> None:
    root = shared / "data" / "ct" / "iq_oth_nccd"
    report = import_folders(root, tmp_path / "set", FolderChoices(), ImportOptions())
    folder = open_dataset(tmp_path / "set")
    files = [name for _, _, names in os.walk(root) for name in names]
    assert len(folder.rows) + len(report.skipped) == len(files)
    assert len(folder.rows) > 0.9 * len(files)
    assert {source.hu_known for source in folder.card.sources} == {False}
