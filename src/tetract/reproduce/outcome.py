"""What a finished run leaves behind for the page."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tetract.io import atomic_write_text

OUTCOME, FAILURE, SPENT = "outcome.json", "failure.txt", "spent.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """A run that was trained and scored.

    Attributes:
        steps: Optimiser steps.
        rows: Rows per step; steps times rows is the number of slices shown to each task's sampler.
        parameters: Numbers that are learnt.
        seconds: Wall-clock time of training and test, all sessions of an interrupted run together.
        step_seconds: Training time over steps, validation included, of its last session.
        threads: CPU threads it had.
        warnings: What its evaluation warned of.
    """

    steps: int
    rows: int
    parameters: int
    seconds: float
    step_seconds: float
    threads: int
    warnings: tuple[str, ...]


def save_outcome(folder: Path, outcome: Outcome) -> None:
    """Mark the run in ``folder`` as finished."""
    (folder / FAILURE).unlink(missing_ok=True)
    atomic_write_text(folder / OUTCOME, json.dumps(asdict(outcome), indent=1) + "\n")


def load_outcome(folder: Path) -> Outcome | None:
    """The outcome, or None where the run is not finished."""
    try:
        said: dict[str, Any] = json.loads((folder / OUTCOME).read_text(encoding="utf-8"))
        warnings = tuple(said.pop("warnings"))
        return Outcome(**said, warnings=warnings)
    except (OSError, ValueError, TypeError, KeyError):
        return None  # absent, or not whole: then it is trained again


def load_failure(folder: Path) -> str | None:
    """Why the run failed, or None where it did not."""
    path = folder / FAILURE
    return path.read_text(encoding="utf-8").strip() if path.is_file() else None


def load_spent(folder: Path) -> float:
    """Seconds that earlier, interrupted sessions took; those that were killed are not known."""
    try:
        return float(json.loads((folder / SPENT).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return 0.0


def add_spent(folder: Path, seconds: float) -> None:
    """Add the time of a session that was interrupted."""
    if folder.is_dir():
        atomic_write_text(folder / SPENT, json.dumps(load_spent(folder) + seconds) + "\n")
