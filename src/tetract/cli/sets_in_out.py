"""What every command of ``tetract data import`` and ``export`` asks and how it ends."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any, Protocol, runtime_checkable

import typer

from tetract.errors import Exit

Out = Annotated[Path, typer.Option("--out", "-o", help="Dataset folder to write.")]
Seed = Annotated[int, typer.Option(help="Seed of the patient split.")]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace another data set in FOLDER.")]
Sources = Annotated[list[str] | None, typer.Option("--source", help="A source [default: all].")]
AsJson = Annotated[bool, typer.Option("--json", help="Print the report as JSON.")]


@runtime_checkable  # the tests check arguments as they are called
class Report(Protocol):
    """What an import or an export did."""

    @property
    def surprises(self) -> tuple[object, ...]:
        """What was skipped and nobody had declared."""
        ...

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        ...

    def as_text(self) -> str:
        """Lines for a terminal."""
        ...


def tell(report: Report, *, as_json: bool) -> None:
    """Print a report; exit 1 where something was skipped unforeseen."""
    typer.echo(json.dumps(report.as_json(), indent=1) if as_json else report.as_text())
    if report.surprises:
        raise typer.Exit(Exit.SKIPPED)
