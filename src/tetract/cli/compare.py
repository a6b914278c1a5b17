"""``tetract compare``: is one way of training better than another?"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def compare(
    runs: Annotated[
        list[str],
        typer.Argument(
            metavar="RUN...",
            help="Evaluated run folders, the baseline first; NAME=RUN to name the arms.",
        ),
    ],
    split: Annotated[str, typer.Option(help="Which evaluation of each run.")] = "test",
    draws: Annotated[int, typer.Option(min=100, help="Bootstrap draws.")] = 1000,
    seed: Annotated[int, typer.Option(min=0, help="Of the draws.")] = 0,
    out: Annotated[
        Path, typer.Option("--out", "-o", help="Folder for compare.md, .tex and .json.")
    ] = Path("comparison"),
) -> None:
    """Compare runs on the same patients: gains, intervals, paired tests, ties.

    Runs whose recipes differ by their seed only are repeats of one arm.
    """
    from tetract.cli.banner import show_banner
    from tetract.evaluate.compare.comparison import compare as compare_arms
    from tetract.evaluate.compare.files import read_arms, write_comparison

    arms = read_arms([_named(run) for run in runs], split=split)
    comparison = compare_arms(arms, draws=draws, seed=seed)
    typer.echo(write_comparison(out, comparison))
    show_banner(comparison.banner)
    typer.echo(f"Written to {out}")


def _named(run: str) -> tuple[str | None, Path]:
    """``NAME=RUN``; a folder whose own name holds ``=`` is a folder."""
    name, equals, folder = run.partition("=")
    if equals and name and not Path(run).exists():
        return name, Path(folder)
    return None, Path(run)
