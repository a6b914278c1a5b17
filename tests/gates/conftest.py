"""A copy of the house to break, and the very command that `make check` runs on it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
Make = Callable[..., subprocess.CompletedProcess[str]]


def _kept_files() -> list[Path]:
    asked = ("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    if not (ROOT / ".git").exists():
        pytest.skip("the gates are tested in a checkout")
    listed = subprocess.run(asked, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return [Path(name) for name in listed.split("\0") if name and (ROOT / name).is_file()]


@pytest.fixture(scope="session")
def pristine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every file that git keeps, copied once."""
    copy = tmp_path_factory.mktemp("pristine") / "house"
    for name in _kept_files():
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, copy / name)
    return copy


@pytest.fixture(scope="session")
def make() -> Make:
    """Run one target of a house's Makefile with this environment; gives the finished process."""
    # Without what an outer make, pytest or coverage told its children.
    ours = ("MAKE", "MFLAGS", "PYTEST", "COV_", "PYTHONPATH")
    clean = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    # One offence, one line: so that a test can ask for place and complaint together.
    one_line = {"RUFF_OUTPUT_FORMAT": "concise", "COLUMNS": "200"}

    def run(house: Path, *words: str) -> subprocess.CompletedProcess[str]:
        command = ["make", "--no-print-directory", "-C", str(house), f"VENV={sys.prefix}", *words]
        settings = clean | one_line
        return subprocess.run(command, env=settings, check=False, capture_output=True, text=True)

    return run
