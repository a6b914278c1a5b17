"""Which files the gates read, and how an offence is told."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

ROOTS = ("src", "tests", "scripts", "benchmarks")


def python_files(*roots: str) -> list[Path]:
    """Every ``.py`` file below ``roots`` (all of them by default), sorted, relative to here."""
    found = (path for root in (roots or ROOTS) for path in Path(root).rglob("*.py"))
    return sorted(path for path in found if "egg-info" not in path.as_posix())


def parsed(path: Path) -> ast.Module:
    """The syntax tree of a file; ends the gate in one line where there is none."""
    try:
        return ast.parse(path.read_text(encoding="utf-8"), str(path))
    except SyntaxError as error:
        sys.exit(f"{path}:{error.lineno}: does not parse as Python 3.11: {error.msg}")


def repository_files() -> list[Path]:
    """What git keeps or would keep; outside a repository, every file that is not hidden."""
    asked = ("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    if Path(".git").exists():
        listed = subprocess.run(asked, check=True, capture_output=True, text=True).stdout
        paths = [Path(name) for name in listed.split("\0") if name]
    else:
        paths = [path for path in Path().rglob("*") if path.parts[0] != ".venv"]
    return sorted(path for path in paths if path.is_file())


def verdict(gate: str, offences: Iterable[str], summary: str) -> int:
    """Print each offence on its own line and a summary; 1 when there was any, else 0."""
    found = list(offences)
    for line in found:
        print(line)
    print(f"{gate}: {summary}; {len(found)} offences")
    sys.stdout.flush()
    return 1 if found else 0
