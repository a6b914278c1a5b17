"""The import commands of this family answer with the right exit code and report."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from label_objects import ct_series, make_rtstruct, make_seg, save_rtstruct, save_seg
from tetract.cli.main import app
from tetract.data import open_dataset
from tetract.errors import Exit, TetractError

SQUARE = np.array([[2.5, 3.5], [9.5, 3.5], [9.5, 8.5], [2.5, 8.5]])


@pytest.fixture
def case(tmp_path: Path) -> Path:
    grid = ct_series(tmp_path / "ct")
    mask = np.zeros(grid.geometry.shape, dtype=bool)
    mask[1, 3:6, 4:9] = True
    save_seg(make_seg(grid, {1: mask}), tmp_path / "seg.dcm")
    save_rtstruct(make_rtstruct(grid, {"GTV": [(2, SQUARE)]}), tmp_path / "rs.dcm")
    return tmp_path


def call(*words: str | Path) -> Result:
    return CliRunner().invoke(app, ["data", "import", *map(str, words)])


def test_a_segmentation_is_imported_and_told(case: Path) -> None:
    words = ("--segment", "thing 1=nodule", "--lesion", "nodule", "--json")
    result = call("seg", case / "seg.dcm", "--ct", case / "ct", "-o", case / "set", *words)
    assert result.exit_code == Exit.OK
    (source,) = json.loads(result.stdout)["sources"]
    assert (source["name"], source["rows"]) == ("dicom-seg", 6)


def test_a_structure_set_is_imported_and_told(case: Path) -> None:
    words = ("--roi", "GTV=tumour", "--complete")
    result = call("rtstruct", case / "rs.dcm", "--ct", case / "ct", "-o", case / "set", *words)
    assert result.exit_code == Exit.OK
    assert "6 of 6 rows imported" in result.stdout


def test_a_skipped_object_ends_with_one(case: Path) -> None:
    save_seg(make_seg(ct_series(case / "ct"), {}), case / "empty.dcm")
    result = call("seg", case, "--ct", case / "ct", "-o", case / "set")
    assert result.exit_code == Exit.SKIPPED
    assert "SKIPPED 1" in result.stdout


def test_a_wrong_object_is_an_error(case: Path) -> None:
    result = call("seg", case / "rs.dcm", "--ct", case / "ct", "-o", case / "set")
    assert isinstance(result.exception, TetractError)
    assert result.exception.code == "E_LABEL_OBJECT"


@pytest.mark.parametrize("name", ["luna16", "lidc", "deeplesion"])
def test_a_collection_that_is_not_there_is_an_error(tmp_path: Path, name: str) -> None:
    images = () if name == "luna16" else ("--images", tmp_path)
    result = call(name, tmp_path / "none", *images, "-o", tmp_path / "set")
    assert isinstance(result.exception, TetractError)
    assert result.exception.exit_code == Exit.BAD_INPUT


@pytest.mark.parametrize(("name", "file"), [("seg", "seg.dcm"), ("rtstruct", "rs.dcm")])
def test_the_seed_of_the_split_is_taken(case: Path, name: str, file: str) -> None:
    result = call(name, case / file, "--ct", case / "ct", "-o", case / "set", "--seed", "7")
    assert result.exit_code == Exit.OK
    card = open_dataset(case / "set").card
    assert card.split is not None
    assert card.split.seed == 7
