"""``tetract predict --all``: every series of a folder by itself, and an honest list of them."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pydicom
import pytest

from canary import CANARY, salt
from makers import make_network
from tetract.cli import main
from tetract.errors import Exit
from tetract.io import SeriesIdentity, list_series, write_dicom_series, write_png
from tetract.model import save_bundle
from tetract.types import Geometry, Provenance, Task, Volume

Run = Callable[..., tuple[int, str, str]]


def _volume(depth: int, seed: int) -> Volume:
    shape = (depth, 64, 64)
    return Volume(
        values=np.random.default_rng(seed).integers(-1000, 400, shape).astype(np.int16),
        hu_known=True,
        geometry=Geometry(affine=np.eye(4)[[2, 1, 0, 3]], shape=shape),
        provenance=Provenance(reader="dicom", name="made", slice_names=("x",) * depth),
    )


def _add_series(folder: Path, name: str, depth: int) -> list[Path]:
    """One more series into a folder that may hold others."""
    made = write_dicom_series(
        folder / f".{name}", _volume(depth, depth), series=SeriesIdentity(seed=name)
    )
    kept = [path.rename(folder / f"{name}-{path.name}") for path in made]
    (folder / f".{name}").rmdir()
    return kept


@pytest.fixture
def model(tmp_path: Path) -> Path:
    save_bundle(tmp_path / "model", make_network(Task.CLASSIFICATION), version="test")
    return tmp_path / "model"


@pytest.fixture
def run(tmp_path: Path, model: Path, capfd: pytest.CaptureFixture[str]) -> Run:
    def call(*words: object) -> tuple[int, str, str]:
        given = ["predict", "-m", model, "-o", tmp_path / "out", "--all", *words]
        code = int(main._guarded([str(word) for word in given]))
        return code, *capfd.readouterr()

    return call


@pytest.fixture
def study(tmp_path: Path) -> Path:
    folder = tmp_path / "study"
    folder.mkdir()
    _add_series(folder, "lung", 3)
    _add_series(folder, "bone", 4)
    return folder


def _listed(out: Path) -> list[dict[str, object]]:
    record = json.loads((out / "series.json").read_text())
    assert record["schema"] == "tetract.series/1"
    return record["series"]


def test_each_series_gets_a_folder_named_by_its_hash(tmp_path: Path, study: Path, run: Run) -> None:
    code, told, _ = run(study)
    assert code == Exit.OK
    rows = _listed(tmp_path / "out")
    keys = [series.key for series in list_series(study)]
    assert [row["series"] for row in rows] == keys
    assert {row["files"] for row in rows} == {row["slices"] for row in rows} == {3, 4}
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [*keys, "series.json"]
    for row in rows:
        findings = json.loads((tmp_path / "out" / str(row["findings"])).read_text())
        assert len(findings["slices"]) == row["slices"]
    assert "2 of 2 series" in told


def test_a_broken_series_is_skipped_named_and_exit_1(tmp_path: Path, study: Path, run: Run) -> None:
    _add_series(study, "gap", 5)[2].unlink()
    (study / "notes.txt").write_text("hello")
    code, _, told = run(study)
    assert code == Exit.SKIPPED
    skipped = [row for row in _listed(tmp_path / "out") if row["findings"] is None]
    assert [(row["code"], row["slices"], row["files"]) for row in skipped] == [
        ("E_NONUNIFORM_SPACING", 0, 4)
    ]
    assert str(skipped[0]["line"]) in told
    assert len([path for path in (tmp_path / "out").iterdir() if path.is_dir()]) == 2


def test_no_usable_series_is_exit_2_and_nothing_is_written(tmp_path: Path, run: Run) -> None:
    folder = tmp_path / "study"
    folder.mkdir()
    _add_series(folder, "gap", 5)[2].unlink()
    _add_series(folder, "hole", 6)[2].unlink()
    code, _, told = run(folder)
    assert code == Exit.BAD_INPUT
    assert told.count("E_NONUNIFORM_SPACING") == 2
    assert not (tmp_path / "out").exists()


def test_one_series_is_every_series(tmp_path: Path, run: Run) -> None:
    folder = tmp_path / "study"
    folder.mkdir()
    _add_series(folder, "lung", 3)
    assert run(folder)[0] == Exit.OK
    assert len(_listed(tmp_path / "out")) == 1


def test_what_may_be_assumed_holds_for_each_series(tmp_path: Path, study: Path, run: Run) -> None:
    _add_series(study, "gap", 5)[2].unlink()
    assert run(study, "--gaps=resample")[0] == Exit.OK
    assert sorted(int(str(row["slices"])) for row in _listed(tmp_path / "out")) == [3, 4, 5]


@pytest.mark.parametrize("words", [("--series", "ab12"), ("--as-grey",), ("--acquisition", "7")])
def test_a_switch_that_fits_no_series_is_refused(study: Path, run: Run, words: tuple[str]) -> None:
    code, _, told = run(study, *words)
    assert code == Exit.BAD_INPUT
    assert re.search("E_OPTION_UNFIT|E_ACQUISITION_UNKNOWN", told)


@pytest.mark.parametrize("kind", ["file", "pictures", "nothing"])
def test_all_needs_a_folder_of_series(tmp_path: Path, study: Path, run: Run, kind: str) -> None:
    pictures, nothing = tmp_path / "pictures", tmp_path / "nothing"
    pictures.mkdir()
    nothing.mkdir()
    write_png(pictures / "a.png", np.zeros((8, 8), dtype=np.uint8))
    given = {"file": next(study.iterdir()), "pictures": pictures, "nothing": nothing}[kind]
    code, _, told = run(given)
    assert code == Exit.BAD_INPUT
    assert told.startswith("E_EMPTY_FOLDER" if kind == "nothing" else "E_OPTION_UNFIT")


@pytest.mark.parametrize("stranger", ["file", "folder", "not a folder"])
def test_a_place_that_holds_something_is_left_alone(
    tmp_path: Path, study: Path, run: Run, stranger: str
) -> None:
    out = tmp_path / "out"
    if stranger == "not a folder":
        out.write_text("mine")
    else:
        (out / "mine").mkdir(parents=True)
        if stranger == "file":
            shutil.rmtree(out / "mine")
            (out / "mine").write_text("mine")
    code, _, told = run(study)
    assert code == Exit.BAD_INPUT
    assert told.startswith("E_OUT_NOT_EMPTY out")
    assert out.is_file() or [path.name for path in out.iterdir()] == ["mine"]


@pytest.mark.filterwarnings("ignore")  # pydicom on the values we salt with
def test_no_identifier_names_a_folder_or_stands_in_the_list(
    tmp_path: Path, run: Run, study: Path
) -> None:
    for series, path in enumerate(sorted(study.iterdir())):
        header = pydicom.dcmread(path)
        uid = header.SeriesInstanceUID
        salt(header)
        header.SeriesInstanceUID = f"{uid[:20]}.987654321.{series // 4}"
        header.save_as(path)
    code, *told = run(study)
    assert code in (Exit.OK, Exit.SKIPPED)
    assert not CANARY.search("".join(told).encode())
    for path in (tmp_path / "out").rglob("*"):
        assert not CANARY.search(path.name.encode())
        assert path.is_dir() or not CANARY.search(path.read_bytes())
