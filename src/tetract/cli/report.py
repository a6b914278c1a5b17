"""``tetract report``: one page about a run, to read, print and send."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def report(
    run: Annotated[Path, typer.Argument(help="Run folder that `tetract evaluate` has scored.")],
    split: Annotated[str, typer.Option(help="Which evaluation: train, val or test.")] = "test",
    evaluation: Annotated[
        Path | None, typer.Option(help="An evaluation written elsewhere with `evaluate --out`.")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", help="HTML file [default: report.html in the evaluation]"),
    ] = None,
    slices: Annotated[
        bool,
        typer.Option(help="Whether to show slices; without, no picture of a patient is in it."),
    ] = True,
) -> None:
    """Write one self-contained HTML page: figures, curves, cases, cards, and how it was made."""
    from tetract.report.run.evaluated import find_evaluation
    from tetract.report.run.write import REPORT_NAME, write_report

    folder = evaluation or find_evaluation(run, split)
    page = out or folder / REPORT_NAME
    for warning in write_report(run, folder, page, slices=slices):
        typer.echo(warning, err=True)
    typer.echo(f"Written to {page}")
