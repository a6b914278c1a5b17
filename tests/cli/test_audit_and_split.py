"""``tetract data audit`` and ``tetract data split`` from the command line."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "data"))

from audit_cases import a_copy, a_picture, write_set

from tetract.cli import main
from tetract.data import open_dataset
from tetract.data.audit.file import AUDIT_NAME
from tetract.data.fold_file import FOLDS_NAME
from tetract.errors import Exit


def call(*arguments: str, capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    code = main._guarded(["data", *arguments])
    told = capsys.readouterr()
    return int(code), told.out, told.err


def others() -> list:
    return [(a_picture(50 + k), f"p{k}", ("train", "val", "test")[k % 3]) for k in range(6)]


def test_nothing_found_is_exit_0(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_set(tmp_path, others())
    code, out, _ = call("audit", str(tmp_path), capsys=capsys)
    assert code == Exit.OK
    assert "6 pictures compared" in out
    assert (tmp_path / AUDIT_NAME).is_file()


def test_duplicates_inside_one_split_are_exit_1(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    picture = a_picture(1)
    write_set(tmp_path, [(picture, "a", "train"), (picture, "b", "train"), *others()])
    code, out, _ = call("audit", str(tmp_path), capsys=capsys)
    assert code == Exit.SKIPPED
    assert "twice exact 1.00" in out


def test_leaks_are_exit_2_and_a_new_split_cures_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    picture = a_picture(1)
    write_set(tmp_path, [(picture, "a", "train"), (a_copy(picture), "b", "test"), *others()])
    code, out, _ = call("audit", str(tmp_path), "--json", capsys=capsys)
    assert code == Exit.BAD_INPUT
    assert [f["splits"] for f in json.loads(out)["findings"]] == [["train", "test"]]
    assert call("audit", str(tmp_path), "--allow-leaks", capsys=capsys)[0] == Exit.SKIPPED
    code, out, _ = call("split", str(tmp_path), "--seed", "3", capsys=capsys)
    assert code == Exit.OK
    assert "2 patients kept together" in out
    assert call("audit", str(tmp_path), capsys=capsys)[0] == Exit.SKIPPED


def test_folds_are_written_beside_the_table(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_set(tmp_path, others())
    code, out, _ = call("split", str(tmp_path), "--folds", "3", capsys=capsys)
    assert code == Exit.OK
    assert "fold 2" in out
    saved = json.loads((tmp_path / FOLDS_NAME).read_text())
    assert saved["hash"] in out
    assert open_dataset(tmp_path).warnings == ()


@pytest.mark.parametrize(
    ("arguments", "code"),
    [(["--folds", "9"], "E_FEW_PATIENTS"), (["--train", "0.9"], "E_SPLIT_FRACTIONS")],
)
def test_impossible_splits_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], code: str
) -> None:
    write_set(tmp_path, others())
    before = (tmp_path / "table.csv").read_bytes()
    exit_code, _, err = call("split", str(tmp_path), *arguments, capsys=capsys)
    assert exit_code == Exit.BAD_INPUT
    assert err.startswith(code)
    assert (tmp_path / "table.csv").read_bytes() == before
