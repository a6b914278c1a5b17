"""Runs to compare, from their folders; a comparison, to files."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from tetract.errors import InputError
from tetract.evaluate.collect import Collected
from tetract.evaluate.compare.arms import Arm, group_into_arms
from tetract.evaluate.compare.comparison import Comparison
from tetract.evaluate.compare.layout import comparison_tables, comparison_to_json
from tetract.evaluate.rows_file import ROWS_NAME, read_rows
from tetract.evaluate.table_text import to_latex, to_markdown
from tetract.io import atomic_write_text


def read_arms(named: Sequence[tuple[str | None, Path]], *, split: str) -> tuple[Arm, ...]:
    """The arms that runs form: those named, or else those their recipes say.

    Args:
        named: Name of the arm, or None, and run folder.
        split: Which of the run's evaluations to read.

    Raises:
        InputError: ``E_SOME_ARMS_NAMED``; ``E_NOT_EVALUATED``; as ``read_rows``.
    """
    names = [name for name, _ in named if name is not None]
    if names and len(names) < len(named):
        raise InputError(
            "E_SOME_ARMS_NAMED",
            "some runs name an arm and some do not",
            expected="all or none as NAME=RUN",
            found=f"{len(names)} of {len(named)}",
            fix="Write NAME=RUN for every run; runs of one name are its seeds",
        )
    runs = [read_rows(_rows_of(run, split)) for _, run in named]
    if not names:
        return group_into_arms(_by_folder([run for _, run in named], runs))
    return tuple(
        Arm(
            name=name,
            runs=tuple(run for (mine, _), run in zip(named, runs, strict=True) if mine == name),
        )
        for name in dict.fromkeys(names)
    )


def write_comparison(folder: Path, comparison: Comparison) -> str:
    """Write ``compare.md``, ``compare.tex`` and ``compare.json``; returns what to print."""
    folder.mkdir(parents=True, exist_ok=True)
    everything = comparison_tables(comparison, everything=True)
    heading = "# Comparison\n\nResearch use only, not a medical device.\n\n"
    heading += f"> **{comparison.banner}**\n\n" if comparison.banner else ""
    text = heading + "\n".join(to_markdown(table) for table in everything)
    atomic_write_text(folder / "compare.md", text)
    atomic_write_text(folder / "compare.tex", "\n".join(to_latex(table) for table in everything))
    document = json.dumps(comparison_to_json(comparison), indent=1, allow_nan=False)
    atomic_write_text(folder / "compare.json", document + "\n")
    return "\n".join(to_markdown(table) for table in comparison_tables(comparison))


def _rows_of(run: Path, split: str) -> Path:
    """The rows of a run folder's evaluation, or of an evaluation folder itself."""
    places = [run / "evaluation" / split / ROWS_NAME, run / ROWS_NAME]
    for place in places:
        if place.is_file():
            return place
    raise InputError(
        "E_NOT_EVALUATED",
        "this run was not evaluated on the split",
        where=str(run),
        expected=f"evaluation/{split}/{ROWS_NAME}",
        found="no such file",
        fix=f"Run tetract evaluate {run} --split {split} first",
    )


def _by_folder(folders: Sequence[Path], runs: Sequence[Collected]) -> Mapping[str, Collected]:
    """Runs by the shortest ends of their paths that tell them apart."""
    parts = [folder.resolve().parts for folder in folders]
    for depth in range(1, max(len(part) for part in parts) + 1):
        names = ["/".join(part[-depth:]) for part in parts]
        if len(set(names)) == len(names):
            return dict(zip(names, runs, strict=True))
    raise InputError(
        "E_RUN_TWICE",
        "a run is named twice",
        found=", ".join(sorted({folder.name for folder in folders}))[:80],
        fix="Name every run once",
    )
