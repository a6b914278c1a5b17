"""``tetract data sets``, ``download`` and ``import set`` at the terminal."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from tetract.cli import main
from tetract.data import open_dataset
from tetract.data.download.download import Web
from tetract.errors import Exit, MachineError
from tetract.io import write_png


class Shell:
    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def __call__(self, *arguments: object) -> tuple[int, str]:
        code = int(main._guarded([str(a) for a in arguments]))
        told = self._capsys.readouterr()
        return code, told.out + told.err


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Shell:
    def never(*_: object, **__: object) -> None:
        raise MachineError("E_OFFLINE", "a test asked the network")

    monkeypatch.setattr(Web, "open", never)
    return Shell(capsys)


def test_the_list_names_each_set_with_its_licence(run: Shell) -> None:
    code, told = run("data", "sets")
    assert code == Exit.OK
    (line,) = [line for line in told.splitlines() if line.startswith("msd-lung ")]
    assert "CC BY-SA 4.0" in line
    assert "open" in line


def test_one_set_is_told_whole(run: Shell) -> None:
    code, told = run("data", "sets", "lung-pet-ct-dx")
    assert code == Exit.OK
    assert "tetract data import set lung-pet-ct-dx" in told
    assert "not verified" in told


def test_the_list_is_json_on_request(run: Shell) -> None:
    _, told = run("data", "sets", "--json")
    assert {entry["name"] for entry in json.loads(told)} >= {"luna16", "mosmed-1110"}


def test_nothing_is_downloaded_without_acceptance(run: Shell, tmp_path: Path) -> None:
    code, told = run("data", "download", "msd-lung", "-o", tmp_path / "d")
    assert code == Exit.BAD_INPUT
    assert "CC BY-SA 4.0" in told
    assert "E_LICENCE" in told
    assert not (tmp_path / "d").exists()


@pytest.mark.parametrize(("answer", "code"), [("n\n", "E_LICENCE"), ("y\n", "E_OFFLINE")])
def test_a_terminal_is_asked(
    run: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: str, code: str
) -> None:
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("tetract.cli.datasets.typer.confirm", lambda *_, **__: answer == "y\n")
    _, told = run("data", "download", "msd-lung", "-o", tmp_path / "d")
    assert code in told


def test_offline_is_one_line_and_exit_3(run: Shell, tmp_path: Path) -> None:
    code, told = run("data", "download", "luna16", "-o", tmp_path, "--accept-licence")
    assert code == Exit.MACHINE
    assert told.splitlines()[-1].startswith("E_OFFLINE annotations.csv")


@pytest.mark.parametrize("name", ["mosmed-1110", "deeplesion"])
def test_sets_that_need_a_person_say_where_to_go(run: Shell, tmp_path: Path, name: str) -> None:
    code, told = run("data", "download", name, "-o", tmp_path / "d", "--accept-licence")
    assert code == Exit.BAD_INPUT
    assert "E_BY_HAND" in told.splitlines()[-1]
    assert "https://" in told.splitlines()[-1]
    assert not (tmp_path / "d").exists()


def test_a_set_becomes_a_dataset_folder(run: Shell, tmp_path: Path) -> None:
    for number in range(2):
        path = tmp_path / "iq" / "Normal cases" / f"Normal case ({number}).png"
        path.parent.mkdir(parents=True, exist_ok=True)
        write_png(path, np.full((4, 5), number, dtype=np.uint8))
    wrong = tmp_path / "iq" / "Normal cases" / "x.png"
    out = tmp_path / "out"
    assert run("data", "import", "set", "iq-oth-nccd", tmp_path / "iq", "-o", out)[0] == Exit.OK
    assert len(open_dataset(out).rows) == 2
    write_png(wrong, np.zeros((4, 5), dtype=np.uint8))
    again = ("data", "import", "set", "iq-oth-nccd", tmp_path / "iq", "-o", out, "--json")
    code, told = run(*again)
    assert code == Exit.SKIPPED
    assert json.loads(told)["skipped"][0]["declared"] is False


def test_a_set_of_another_importer_is_refused(run: Shell, tmp_path: Path) -> None:
    code, told = run("data", "import", "set", "luna16", tmp_path, "-o", tmp_path / "out")
    assert code == Exit.BAD_INPUT
    assert "tetract data sets luna16" in told
