"""The command line: one line per error, the right exit code, nothing heavy before it is needed."""

from __future__ import annotations

import errno
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from makers import make_network
from tetract.cli import main
from tetract.errors import Exit
from tetract.io import write_png
from tetract.model import save_bundle


def call(*arguments: str, capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    code = main._guarded(list(arguments))
    return int(code), capsys.readouterr().err


def test_help_needs_no_torch() -> None:
    script = (
        "import sys\nfrom tetract.cli.main import _guarded\n_guarded(['--help'])\n"
        "heavy = {'torch', 'numpy', 'lightning', 'pydicom', 'pydantic'} & set(sys.modules)\n"
        "sys.exit(f'imported {heavy}' if heavy else 0)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "not a medical device" in " ".join(done.stdout.replace("│", " ").split())


def test_the_installed_command_answers() -> None:
    tetract = Path(sys.executable).with_name("tetract")
    done = subprocess.run([tetract, "--version"], capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert done.stdout.startswith("tetract 0.")


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["train", "{tmp}/none.yaml"], "E_NO_RECIPE"),
        (["evaluate", "{tmp}/none"], "E_NO_MODEL"),
        (["predict", "{tmp}/none.png", "-m", "{tmp}/none", "-o", "{tmp}/out"], "E_NO_MODEL"),
        (["predict", "{tmp}/none.png", "-m", "{tmp}/none", "-o", "{tmp}/full"], "E_OUT_NOT_EMPTY"),
        (["demo", "-o", "{tmp}/full"], "E_OUT_NOT_EMPTY"),
        (["data", "import", "csv", "{tmp}/no.csv", "--mapping", "{tmp}/no", "-o", "{tmp}/d"], "E_"),
    ],
)
def test_bad_input_is_one_line_and_exit_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], code: str
) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.txt").write_text("mine")
    filled = [a.format(tmp=tmp_path) for a in arguments]
    exit_code, told = call(*filled, capsys=capsys)
    assert exit_code == Exit.BAD_INPUT
    assert told.startswith(code)
    assert told.count("\n") == 1
    assert "Traceback" not in told
    assert (tmp_path / "full" / "mine.txt").read_text() == "mine"


def test_an_unknown_verb_is_exit_2(capsys: pytest.CaptureFixture[str]) -> None:
    assert call("trian", capsys=capsys)[0] == Exit.BAD_INPUT


@pytest.mark.parametrize(
    ("error", "exit_code", "code"),
    [
        (OSError(errno.ENOSPC, "full"), Exit.MACHINE, "E_DISK_FULL"),
        (MemoryError(), Exit.MACHINE, "E_OUT_OF_MEMORY"),
        (ZeroDivisionError("secret patient name"), Exit.BUG, "E_BUG"),
        (KeyboardInterrupt(), Exit.INTERRUPTED, "Interrupted"),
    ],
)
def test_every_escape_has_its_exit_code(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    error: BaseException,
    exit_code: Exit,
    code: str,
) -> None:
    def fail(_arguments: list[str]) -> int:
        raise error

    monkeypatch.setattr(main, "_called", fail)
    found, told = call("demo", capsys=capsys)
    assert found == exit_code
    assert told.startswith(code)
    assert "secret" not in told


def test_debug_lets_the_traceback_through(tmp_path: Path) -> None:
    with pytest.raises(Exception, match="E_NO_RECIPE"):
        main._guarded(["train", str(tmp_path / "none.yaml"), "--debug"])


def test_a_picture_that_is_none_is_refused_without_leaving_anything(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:

    save_bundle(tmp_path / "model", make_network(), version="test")
    (tmp_path / "text.png").write_text("not a picture")
    exit_code, told = call(
        "predict",
        str(tmp_path / "text.png"),
        "-m",
        str(tmp_path / "model"),
        "-o",
        str(tmp_path / "out"),
        capsys=capsys,
    )
    assert exit_code == Exit.BAD_INPUT
    assert told.startswith("E_NOT_AN_IMAGE")
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_a_folder_of_pictures_becomes_findings(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:

    save_bundle(tmp_path / "model", make_network(), version="test")
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    for number, shape in enumerate([(80, 96), (128, 64)]):
        grey = np.random.default_rng(number).integers(0, 255, shape, dtype=np.uint8)
        write_png(pictures / f"{number}.png", grey)
        Image.fromarray(grey).save(pictures / f"{number}.jpg")
    exit_code, told = call(
        "predict",
        str(pictures),
        "-m",
        str(tmp_path / "model"),
        "-o",
        str(tmp_path / "out"),
        capsys=capsys,
    )
    assert exit_code == Exit.OK
    names = {p.relative_to(tmp_path / "out").as_posix() for p in (tmp_path / "out").rglob("*.*")}
    assert {"findings.json", "index.html"} <= names
    assert len([n for n in names if n.startswith("labels/")]) == 4
    assert told.count("W_LOSSY") == 1
    assert "W_LOSSY 0.jpg: JPEG compresses with loss (and 1 pictures more)" in told
