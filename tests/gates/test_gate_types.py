"""The type checker is strict, and a warning is enough to fail."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

Make = Callable[..., CompletedProcess[str]]
pytestmark = pytest.mark.slow
WRONG_TYPE = "def half(n: int) -> str:\n    return n // 2\n\n\n"
MISSING_TYPE = "def double(n):\n    return 2 * n\n\n\n"
SUPPRESSES_NOTHING = "X = 1  # pyright: ignore[reportReturnType]\n"
WARNING = "# pyright: reportUnusedVariable=warning\n\n\ndef f() -> None:\n    x = 1\n"
HEAD = '"""Planted."""\n\nfrom __future__ import annotations\n\n'


@pytest.fixture
def small_house(pristine: Path, tmp_path: Path) -> Path:
    """The configuration and one package with one file: quick to check."""
    house = tmp_path / "house"
    (house / "src" / "tetract").mkdir(parents=True)
    for name in ("Makefile", "pyproject.toml"):
        shutil.copyfile(pristine / name, house / name)
    # The configuration names .venv, for editors; here it is the one that runs this test.
    (house / ".venv").symlink_to(sys.prefix)
    return house


def plant(house: Path, text: str) -> None:
    """Write the one file that is checked."""
    (house / "src" / "tetract" / "planted.py").write_text(HEAD + text, encoding="utf-8")


def test_well_typed_code_passes(small_house: Path, make: Make) -> None:
    plant(small_house, "def double(n: int) -> int:\n    return 2 * n\n")
    outcome = make(small_house, "check-types")
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr


def test_badly_typed_code_is_refused(small_house: Path, make: Make) -> None:
    plant(small_house, WRONG_TYPE + MISSING_TYPE + SUPPRESSES_NOTHING)
    outcome = make(small_house, "check-types")
    assert outcome.returncode != 0
    assert "reportReturnType" in outcome.stdout
    assert "reportMissingParameterType" in outcome.stdout
    assert "reportUnnecessaryTypeIgnoreComment" in outcome.stdout


def test_a_warning_is_enough_to_fail(small_house: Path, make: Make) -> None:
    plant(small_house, WARNING)
    outcome = make(small_house, "check-types")
    assert outcome.returncode != 0
    assert "0 errors, 1 warning" in outcome.stdout
