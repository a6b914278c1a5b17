"""``tetract data check`` as a person or a script meets it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tetract.cli import main
from tetract.errors import Exit
from tetract.io import encode_png, write_png


def check(*arguments: str) -> int:
    return int(main._guarded(["data", "check", *arguments]))


def a_tree(folder: Path, *, good: int, broken: int) -> Path:
    for number in range(good):
        write_png(folder / f"good{number}.png", np.eye(40, dtype=np.uint8))
    for number in range(broken):
        (folder / f"broken{number}.png").write_bytes(encode_png(np.eye(40, dtype=np.uint8))[:60])
    return folder


@pytest.mark.parametrize(
    ("good", "broken", "code"), [(1, 0, Exit.OK), (1, 1, Exit.SKIPPED), (0, 1, Exit.BAD_INPUT)]
)
def test_the_exit_code_says_how_usable_it_is(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], good: int, broken: int, code: Exit
) -> None:
    a_tree(tmp_path, good=good, broken=broken)
    assert check(str(tmp_path)) == code
    told = capsys.readouterr()
    assert ("E_IMAGE_DECODE broken0.png" in told.out) == bool(broken)
    assert "Traceback" not in told.out + told.err


def test_json_stands_alone_on_standard_output_and_is_the_same_twice(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    a_tree(tmp_path, good=2, broken=1)
    told: list[str] = []
    for _ in range(2):
        assert check(str(tmp_path), "--json") == Exit.SKIPPED
        told.append(capsys.readouterr().out)
    assert told[0] == told[1]
    report = json.loads(told[0])
    assert (report["schema"], report["exit_code"]) == ("tetract.data-check/1", 1)


def test_no_such_path_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert check(str(tmp_path / "none")) == Exit.BAD_INPUT
    assert capsys.readouterr().err.startswith("E_NOT_FOUND none")


def test_a_terminal_without_blocks_gets_plain_bars_and_no_traceback(tmp_path: Path) -> None:
    a_tree(tmp_path, good=1, broken=0)
    (tmp_path / "\u80ba.png").write_bytes(b"")  # a name that ASCII does not know
    tetract = Path(sys.executable).with_name("tetract")
    done = subprocess.run(
        [tetract, "data", "check", str(tmp_path)],
        capture_output=True,
        check=False,
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
    )
    assert done.returncode == Exit.SKIPPED, done.stderr
    assert b"E_EMPTY_FILE ?.png" in done.stdout


def test_files_are_checked_without_torch(tmp_path: Path) -> None:
    a_tree(tmp_path, good=1, broken=0)
    script = (
        "import sys\nfrom tetract.cli.main import _guarded\n"
        f"code = _guarded(['data', 'check', {str(tmp_path)!r}])\n"
        "sys.exit('imported torch' if 'torch' in sys.modules else int(code))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
