"""No damage to a file may end the process, hang it, or escape as anything but a typed error."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

FUZZ = Path(__file__).with_name("fuzz_files.py")
PIECES = 4
KINDS = 22


def run(first: int, count: int, seed: int) -> dict[str, object]:
    # In a process of its own: a crash must be a failed test, not the end of the tests.
    done = subprocess.run(
        [
            sys.executable,
            str(FUZZ),
            *("--first", str(first), "--count", str(count), "--seed", str(seed)),
        ],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(FUZZ.parents[1]), *sys.path])},
    )
    assert done.stdout, f"the reader's process died with {done.returncode}: {done.stderr[-800:]}"
    # Libraries print what a file holds: nothing but the report may come out.
    assert done.stdout.count("\n") == 1
    assert done.stderr == ""
    found: dict[str, object] = json.loads(done.stdout)
    return found


def check(found: dict[str, object]) -> None:
    assert found["faults"] == []
    assert isinstance(found["peak_mb"], int)
    assert found["peak_mb"] < 1024
    outcomes = found["outcomes"]
    assert isinstance(outcomes, dict)
    # Some survive and many are refused, for many reasons: the damage reaches the readers.
    assert outcomes["read"] > 0
    assert len(outcomes) > 10
    kinds = found["kinds"]
    assert isinstance(kinds, dict)
    assert len(kinds) == KINDS
    assert all(ends["refused"] > 5 for ends in kinds.values())


@pytest.mark.slow
@pytest.mark.parametrize("piece", range(PIECES))
def test_two_thousand_damaged_files(piece: int) -> None:
    check(run(first=500 * piece, count=500, seed=0))


@pytest.mark.nightly
@pytest.mark.parametrize("seed", range(1, 11))
def test_twenty_thousand_damaged_files(seed: int) -> None:
    check(run(first=0, count=2000, seed=seed))
