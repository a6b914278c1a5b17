"""``tetract data``: make and look at dataset folders."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tetract.cli import datasets, export, export_boxes, formats_boxes, formats_ct, formats_volumes
from tetract.cli.audit import audit
from tetract.cli.check import check
from tetract.cli.deid import deid
from tetract.cli.sets_in_out import AsJson, Out, Overwrite, Seed, tell
from tetract.cli.split import split

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
    folder: Out,
    images: Annotated[
        Path | None, typer.Option(help="Folder that paths start from [default: the table's]")
    ] = None,
    seed: Seed = 0,
    overwrite: Overwrite = False,
    as_json: AsJson = False,
) -> None:
    """Make a dataset folder out of TABLE. Images stay where they are.

    Exits with 1 when rows were skipped for a reason that the mapping does not declare.
    """
    from tetract.data.finish_import import ImportOptions
    from tetract.data.import_csv import import_csv

    options = ImportOptions(images=images, seed=seed, overwrite=overwrite)
    tell(import_csv(table, mapping, folder, options), as_json=as_json)
