"""Set-up happens once, and an interrupted one never looks finished."""

from __future__ import annotations

import importlib.util
import sys
import threading
import time
from pathlib import Path
from subprocess import CalledProcessError
from types import ModuleType

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "setup_env.py"


class Machine:
    """Stands in for venv and pip: makes the files they make, and remembers the commands."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.commands: list[tuple[str, ...]] = []
        self.fail_at = ""
        self.seconds = 0.0

    def run(self, *command: str) -> None:
        """Pretend to run ``command``."""
        self.commands.append(command)
        time.sleep(self.seconds)
        if self.fail_at and self.fail_at in command:
            raise CalledProcessError(1, command)
        if "venv" in command:
            (self.root / ".venv" / "bin").mkdir(parents=True, exist_ok=True)
            (self.root / ".venv" / "bin" / "python").touch()
            version = ".".join(map(str, sys.version_info[:3]))
            (self.root / ".venv" / "pyvenv.cfg").write_text(f"version = {version}\n")


@pytest.fixture
def setup_env(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The script, as if it lay in an empty repository."""
    spec = importlib.util.spec_from_file_location("setup_env", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    (tmp_path / "scripts").mkdir()
    monkeypatch.setattr(module, "__file__", str(tmp_path / "scripts" / "setup_env.py"))
    for name in ("pyproject.toml", "constraints.txt"):
        (tmp_path / name).write_text("one\n")
    return module


@pytest.fixture
def machine(setup_env: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    """What the script starts."""
    stand_in = Machine(tmp_path)
    monkeypatch.setattr(setup_env, "run", stand_in.run)
    return stand_in


def test_the_second_call_starts_nothing(setup_env: ModuleType, machine: Machine) -> None:
    assert (setup_env.main(), len(machine.commands)) == (0, 2)
    assert (setup_env.main(), len(machine.commands)) == (0, 2)


@pytest.mark.parametrize("name", ["pyproject.toml", "constraints.txt"])
def test_other_requirements_set_up_again(
    name: str, setup_env: ModuleType, machine: Machine, tmp_path: Path
) -> None:
    setup_env.main()
    (tmp_path / name).write_text("two\n")
    setup_env.main()
    assert len(machine.commands) == 4


def test_another_python_starts_afresh(
    setup_env: ModuleType, machine: Machine, tmp_path: Path
) -> None:
    setup_env.main()
    (tmp_path / ".venv" / "pyvenv.cfg").write_text("version = 3.10.1\n")
    setup_env.main()
    assert "--clear" in machine.commands[2]


def test_a_python_that_was_removed_sets_up_again(
    setup_env: ModuleType, machine: Machine, tmp_path: Path
) -> None:
    setup_env.main()
    (tmp_path / ".venv" / "bin" / "python").unlink()
    setup_env.main()
    assert len(machine.commands) == 4


def test_a_failed_install_says_so_and_the_next_call_starts_afresh(
    setup_env: ModuleType, machine: Machine, capsys: pytest.CaptureFixture[str]
) -> None:
    machine.fail_at = "pip"
    assert setup_env.main() == 3
    assert "E_SETUP" in capsys.readouterr().err
    machine.fail_at = ""
    assert setup_env.main() == 0
    assert "--clear" in machine.commands[2]


def test_an_environment_that_fails_later_is_not_ready(
    setup_env: ModuleType, machine: Machine, tmp_path: Path
) -> None:
    setup_env.main()
    (tmp_path / "constraints.txt").write_text("two\n")
    machine.fail_at = "pip"
    setup_env.main()
    (tmp_path / "constraints.txt").write_text("one\n")
    assert not setup_env.is_ready(tmp_path, tmp_path / ".venv")


def test_two_at_once_set_up_once(setup_env: ModuleType, machine: Machine) -> None:
    machine.seconds = 0.2
    both = [threading.Thread(target=setup_env.main) for _ in range(2)]
    for thread in both:
        thread.start()
    for thread in both:
        thread.join()
    assert len(machine.commands) == 2
