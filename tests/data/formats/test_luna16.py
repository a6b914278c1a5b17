"""LUNA16 becomes boxes that shrink off centre, and negatives only where the source allows."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from tetract.cli.main import app
from tetract.data import Row, Split, open_dataset
from tetract.data.finish_import import ImportOptions, ImportReport
from tetract.data.formats.luna16 import LunaChoices, import_luna16, parse_folds
from tetract.errors import TetractError
from tetract.io import read_grid, read_volume

HEADER = "seriesuid,coordX,coordY,coordZ,diameter_mm\n"
SPACING = (0.5, 0.5, 2.0)  # x y z
SHAPE = (10, 40, 60)
ORIGIN = (-20.0, -10.0, -100.0)


def save_mhd(path: Path, *, flipped: bool = False) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    sign = -1 if flipped else 1
    values = np.random.default_rng(1).integers(-1000, 400, SHAPE).astype("<i2")
    values[0, 0, 0] = -1000
    path.with_suffix(".raw").write_bytes(values.tobytes())
    keys = {
        "ObjectType": "Image",
        "NDims": 3,
        "BinaryData": "True",
        "BinaryDataByteOrderMSB": "False",
        "CompressedData": "False",
        "TransformMatrix": f"{sign} 0 0 0 {sign} 0 0 0 1",
        "Offset": " ".join(str(n) for n in ORIGIN),
        "CenterOfRotation": "0 0 0",
        "AnatomicalOrientation": "LPI" if flipped else "RAI",
        "ElementSpacing": " ".join(str(n) for n in SPACING),
        "DimSize": " ".join(str(n) for n in SHAPE[::-1]),
        "ElementType": "MET_SHORT",
        "ElementDataFile": path.with_suffix(".raw").name,
    }
    path.write_text("".join(f"{key} = {value}\n" for key, value in keys.items()))


def at(column: float, row: float, k: float) -> str:
    """World coordinates of a voxel."""
    voxel = zip((column, row, k), SPACING, ORIGIN, strict=True)
    return ",".join(str(n * step + origin) for n, step, origin in voxel)


def make(root: Path, nodules: str = "", excluded: str | None = "", **volumes: bool) -> Path:
    for name, flipped in (volumes or {"a": False}).items():
        save_mhd(root / "subset3" / f"{name}.mhd", flipped=flipped)
    (root / "annotations.csv").write_text(HEADER + nodules)
    if excluded is not None:
        (root / "evaluation").mkdir()
        filler = f"elsewhere,{at(1, 1, 1)},-1\n"
        (root / "evaluation" / "annotations_excluded.csv").write_text(HEADER + filler + excluded)
    return root


def run(root: Path, choices: LunaChoices | None = None) -> ImportReport:
    return import_luna16(root, root / "set", choices or LunaChoices(), ImportOptions())


def rows_of(root: Path) -> tuple[Row, ...]:
    return open_dataset(root / "set").rows


NODULE = f"a,{at(30, 20, 4)},10\n"  # a ball of 10 mm: slices 2 mm apart, 0.5 mm pixels


def test_boxes_shrink_as_the_ball_does(tmp_path: Path) -> None:
    run(make(tmp_path, NODULE))
    boxes = {row.slice: row.boxes for row in rows_of(tmp_path)}
    assert [k for k, found in boxes.items() if found] == [2, 3, 4, 5, 6]
    for k, found in boxes.items():
        if not found:
            continue
        half = math.sqrt(5**2 - (2 * (int(k or 0) - 4)) ** 2) / 0.5
        wanted = (30.5 - half, 20.5 - half, 30.5 + half, 20.5 + half)
        assert np.allclose(found[0].xyxy, wanted, atol=1e-3)


def test_flipped_volumes_are_boxed_where_the_reader_puts_the_nodule(tmp_path: Path) -> None:
    make(tmp_path, a=True)
    geometry = read_volume(tmp_path / "subset3" / "a.mhd").geometry
    assert geometry is not None
    point = geometry.to_lps(np.array([[4, 20, 30]]))[0]
    (tmp_path / "annotations.csv").write_text(HEADER + f"a,{','.join(str(n) for n in point)},3\n")
    run(tmp_path)
    boxes = rows_of(tmp_path)[4].boxes
    assert boxes is not None
    assert np.allclose(boxes[0].xyxy, (27.5, 17.5, 33.5, 23.5))
    assert np.array_equal(read_grid(tmp_path / "subset3" / "a.mhd").affine, geometry.affine)


def test_slices_are_negative_only_where_nothing_was_excluded(tmp_path: Path) -> None:
    run(make(tmp_path, NODULE, excluded=f"a,{at(5, 5, 8)},-1\na,{at(9, 9, 4)},2\n"))
    rows = rows_of(tmp_path)
    assert [row.boxes == () for row in rows] == [True] * 2 + [False] * 5 + [True, False, True]
    assert rows[8].boxes is None
    assert rows[4].boxes
    assert rows[4].note == "fold=3; findings without a box=1"


def test_without_the_excluded_findings_nothing_is_negative(tmp_path: Path) -> None:
    run(make(tmp_path, NODULE, excluded=None))
    assert not any(row.boxes == () for row in rows_of(tmp_path))
    notes = open_dataset(tmp_path / "set").card.sources[0].notes
    assert "annotations_excluded.csv was not there" in notes


def test_a_sliver_below_a_pixel_is_neither_box_nor_negative(tmp_path: Path) -> None:
    run(make(tmp_path, f"a,{at(30, 20, 4)},8.005\n"))  # cut 4 mm off its centre: a disc of 0.3 mm
    boxes = [row.boxes for row in rows_of(tmp_path)]
    assert boxes[2] is None
    assert boxes[6] is None
    assert [bool(found) for found in boxes[3:6]] == [True] * 3


def test_a_nodule_outside_its_volume_skips_the_volume(tmp_path: Path) -> None:
    make(tmp_path, NODULE + f"b,{at(30, 20, 10)},5\n", a=False, b=False)
    report = run(tmp_path)
    assert [s.reason.split()[0] for s in report.surprises] == ["E_POINT_OUTSIDE"]
    assert {row.image.name for row in rows_of(tmp_path)} == {"a.mhd"}


def test_folds_and_patients_decide_the_split(tmp_path: Path) -> None:
    make(tmp_path, NODULE)
    save_mhd(tmp_path / "subset9" / "b.mhd")
    choices = LunaChoices(folds=parse_folds(["test=9"]), patients={"a": "P1", "b": "P2"})
    run(tmp_path, choices)
    found = {(row.patient, row.split) for row in rows_of(tmp_path)}
    assert found == {("P1", Split.TRAIN), ("P2", Split.TEST)}
    choices = LunaChoices(folds=parse_folds(["test=9"]), patients={"a": "P1", "b": "P1"})
    with pytest.raises(TetractError) as caught:
        run(tmp_path, choices)
    assert caught.value.code == "E_PATIENT_LEAK"


def test_nodules_of_volumes_that_are_not_there_are_reported(tmp_path: Path) -> None:
    report = run(make(tmp_path, NODULE + NODULE.replace("a,", "z,", 1)))
    assert [(s.number, s.declared) for s in report.skipped] == [(3, True)]


@pytest.mark.parametrize(("text", "code"), [("test=x", "E_NO_FOLD"), ("all=1", "E_NO_FOLD")])
def test_what_is_no_fold_is_refused(text: str, code: str) -> None:
    with pytest.raises(TetractError) as caught:
        parse_folds([text])
    assert caught.value.code == code


def test_what_is_no_number_is_refused(tmp_path: Path) -> None:
    for cells in (f"a,{at(1, 1, 1)},x\n", f"a,{at(1, 1, 1)},nan\n", f"a,{at(1, 1, 1)},0\n"):
        make(tmp_path / str(hash(cells)), cells)
        with pytest.raises(TetractError) as caught:
            run(tmp_path / str(hash(cells)))
        assert caught.value.code == "E_BAD_CELL"


def test_the_command_draws_the_split_from_its_seed(tmp_path: Path) -> None:
    make(tmp_path, NODULE, a=False, b=False, c=False, d=False)
    drawn: set[tuple[Split, ...]] = set()
    for seed in range(4):
        out = tmp_path / f"set{seed}"
        words = ["data", "import", "luna16", str(tmp_path), "-o", str(out), "--seed", str(seed)]
        assert CliRunner().invoke(app, words).exit_code == 0
        folder = open_dataset(out)
        assert folder.card.split is not None
        assert folder.card.split.seed == seed
        drawn.add(tuple(row.split for row in folder.rows))
    assert len(drawn) > 1
