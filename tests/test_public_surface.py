"""What a user may import is said once, sorted, and exists."""

from __future__ import annotations

import importlib
import pkgutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

import tetract

ROOT = Path(tetract.__file__).parent
ROOMS = ["tetract"] + [
    name.name
    for name in pkgutil.walk_packages([str(ROOT)], "tetract.")
    if name.ispkg and name.name.count(".") == 1
]


def _room(name: str) -> ModuleType:
    return importlib.import_module(name)


@pytest.mark.parametrize("name", ROOMS)
def test_a_room_says_what_it_is_for(name: str) -> None:
    said = (_room(name).__doc__ or "").strip()
    assert len(said.split()) >= 3, f"{name} has no docstring that says what it is for"


@pytest.mark.parametrize("name", ROOMS)
def test_exported_names_are_sorted_unique_and_public(name: str) -> None:
    exported = getattr(_room(name), "__all__", [])
    # Constants, then classes, then functions: the order that ruff keeps (RUF022).
    order = sorted(set(exported), key=lambda n: (not n.isupper(), not n[0].isupper(), n))
    assert exported == order
    assert {n for n in exported if n.startswith("_")} <= {"__version__"}


@pytest.mark.parametrize("name", ROOMS)
def test_exported_names_exist(name: str) -> None:
    room = _room(name)
    missing = [public for public in getattr(room, "__all__", []) if not hasattr(room, public)]
    assert not missing


@pytest.mark.parametrize("name", ROOMS)
def test_names_a_room_takes_from_its_own_files_are_exported(name: str) -> None:
    room = _room(name)
    own = {
        public
        for public, value in vars(room).items()
        if not public.startswith("_")
        and not isinstance(value, ModuleType)
        and str(getattr(value, "__module__", "")).startswith(f"{name}.")
    }
    assert own <= set(getattr(room, "__all__", own))


def test_importing_the_package_loads_no_heavy_library() -> None:
    heavy = "{'torch', 'lightning', 'matplotlib', 'pydicom', 'sklearn', 'timm'}"
    program = f"import sys, tetract; sys.exit(' '.join({heavy} & set(sys.modules)) or 0)"
    command = [sys.executable, "-c", program]
    outcome = subprocess.run(command, check=False, capture_output=True, text=True)
    assert (outcome.returncode, outcome.stderr) == (0, "")
