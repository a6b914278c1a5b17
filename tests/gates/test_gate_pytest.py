"""`make test` refuses warnings, wrong shapes and unknown marks."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

Make = Callable[..., CompletedProcess[str]]
pytestmark = pytest.mark.slow

PLANTED = """
import warnings

import numpy as np
import pytest
from tetract.planted import brightest


def test_good():
    assert brightest(np.ones((2, 2), np.float32)) == 1


def test_warns():
    warnings.warn("old", DeprecationWarning)


def test_wrong_shape():
    brightest(np.ones((2, 2, 2), np.float32))


@pytest.mark.xfail
def test_passes_against_expectation():
    pass
"""
UNKNOWN_MARK = "import pytest\n\n@pytest.mark.quick\ndef test_it():\n    pass\n"
MODULE = '''"""Planted."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float32


def brightest(image: Float32[np.ndarray, "H W"]) -> float:
    """The largest value."""
    return float(image.max())
'''


@pytest.fixture
def small_house(pristine: Path, tmp_path: Path) -> Path:
    """The configuration, the shared fixtures and a package with one function."""
    house = tmp_path / "house"
    (house / "src" / "tetract").mkdir(parents=True)
    (house / "tests").mkdir()
    for name in ("Makefile", "pyproject.toml", "tests/conftest.py", "src/tetract/__init__.py"):
        shutil.copyfile(pristine / name, house / name)
    (house / "src" / "tetract" / "planted.py").write_text(MODULE, encoding="utf-8")
    return house


def run_planted(house: Path, make: Make, text: str) -> CompletedProcess[str]:
    """Run `make test` on one planted test."""
    (house / "tests" / "test_planted.py").write_text(text, encoding="utf-8")
    return make(house, "test", "TEST_WORKERS=0")


def test_warnings_and_wrong_shapes_fail_and_good_tests_pass(small_house: Path, make: Make) -> None:
    outcome = run_planted(small_house, make, PLANTED)
    assert outcome.returncode != 0
    assert "3 failed, 1 passed" in outcome.stdout
    assert "DeprecationWarning: old" in outcome.stdout
    assert "TypeCheckError" in outcome.stdout
    assert "XPASS(strict)" in outcome.stdout


def test_an_unknown_mark_fails(small_house: Path, make: Make) -> None:
    outcome = run_planted(small_house, make, UNKNOWN_MARK)
    assert outcome.returncode != 0
    assert "'quick' not found in `markers`" in outcome.stdout
