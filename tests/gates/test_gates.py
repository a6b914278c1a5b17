"""Each gate of `make check` refuses what is planted and lets the untouched house through."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest
from violations import VIOLATIONS, Violation

Make = Callable[..., CompletedProcess[str]]
GATES = sorted({violation.target for violation in VIOLATIONS})


@pytest.fixture(scope="session")
def refusals(
    pristine: Path, make: Make, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], CompletedProcess[str]]:
    """What a gate says of a house with all of its violations planted; each gate runs once."""
    said: dict[str, CompletedProcess[str]] = {}

    def run(gate: str) -> CompletedProcess[str]:
        if gate not in said:
            house = Path(shutil.copytree(pristine, tmp_path_factory.mktemp(gate) / "house"))
            for violation in VIOLATIONS:
                if violation.target == gate:
                    (house / violation.path).parent.mkdir(parents=True, exist_ok=True)
                    (house / violation.path).write_text(violation.text, encoding="utf-8")
            said[gate] = make(house, gate)
        return said[gate]

    return run


@pytest.mark.parametrize("gate", GATES)
def test_the_untouched_house_passes(gate: str, pristine: Path, make: Make) -> None:
    outcome = make(pristine, gate)
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr


@pytest.mark.parametrize("violation", VIOLATIONS, ids=lambda v: v.name)
def test_a_violation_is_refused(
    violation: Violation, refusals: Callable[[str], CompletedProcess[str]]
) -> None:
    outcome = refusals(violation.target)
    assert outcome.returncode != 0
    lines = (outcome.stdout + outcome.stderr).splitlines()
    assert [line for line in lines if all(words in line for words in violation.complaint)]


def test_check_runs_every_gate_that_is_tested_here(pristine: Path, make: Make) -> None:
    planned = make(pristine, "--dry-run", "check").stdout
    commands = {gate: make(pristine, "--dry-run", gate).stdout.strip() for gate in GATES}
    assert not [gate for gate, command in commands.items() if command not in planned]
