"""``tetract data``: make and look at dataset folders."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tetract.cli import datasets, export, export_boxes, formats_boxes, formats_ct, formats_volumes
from tetract.cli.audit import audit
from tetract.cli.check import check
from tetract.cli.deid import deid
from tetract.cli.split import split
from tetract.errors import Exit

app = typer.Typer(help="Make dataset folders.", no_args_is_help=True)
importers = typer.Typer(help="Turn other layouts into a dataset folder.", no_args_is_help=True)
app.add_typer(importers, name="import")
app.command("check")(check)
app.command("audit")(audit)
app.command("split")(split)
app.command("deid")(deid)
app.add_typer(export.app, name="export")
formats_ct.add_to(importers)
datasets.add_to(app, importers)
formats_volumes.add_to(importers, export.app)
formats_boxes.add_to(importers)
export_boxes.add_to(export.app)


@app.callback()
def data() -> None:
    """Make dataset folders."""


@importers.callback()
def import_() -> None:
    """Turn other layouts into a dataset folder."""


@importers.command("csv")
def import_csv_table(
    table: Annotated[Path, typer.Argument(help="CSV table, one row per image.")],
    mapping: Annotated[Path, typer.Option(help="YAML file that says what its cells mean.")],
    folder: Annotated[Path, typer.Option("--out", "-o", help="Dataset folder to write.")],
    images: Annotated[
        Path | None, typer.Option(help="Folder that paths start from [default: the table's]")
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of the patient split.")] = 0,
    overwrite: Annotated[bool, typer.Option(help="Replace another data set in FOLDER.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
) -> None:
    """Make a dataset folder out of TABLE. Images stay where they are.

    Exits with 1 when rows were skipped for a reason that the mapping does not declare.
    """
    import json

    from tetract.data.finish_import import ImportOptions
    from tetract.data.import_csv import import_csv

    options = ImportOptions(images=images, seed=seed, overwrite=overwrite)
    report = import_csv(table, mapping, folder, options)
    typer.echo(json.dumps(report.as_json(), indent=1) if as_json else report.as_text())
    if report.surprises:
        raise typer.Exit(Exit.SKIPPED)
