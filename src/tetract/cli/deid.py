"""``tetract data deid``: a folder of CT that may be shared."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tetract.errors import Exit


def deid(
    source: Annotated[
        Path, typer.Argument(metavar="IN", help="DICOM or NIfTI file, or a folder of them.")
    ],
    out: Annotated[Path, typer.Option("--out", "-o", help="New folder.")],
    secret: Annotated[
        Path | None,
        typer.Option(
            help="File with a secret of 16 bytes or more: the same secret gives the same UIDs, "
            "codes and names in every run [default: a new one, thrown away]"
        ),
    ] = None,
    mapping: Annotated[
        Path | None,
        typer.Option("--map", help="Where to write which file became which. Never share it."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
) -> None:
    """De-identify CT images (PS3.15 Basic Profile, by an allow list) and NIfTI headers.

    Pixels are not looked at. Exits with 1 when files were skipped.
    """
    from tetract import __version__
    from tetract.cli.progress import counting
    from tetract.io.deid.deid import deidentify
    from tetract.io.deid.secret import new_renamer

    renamer = new_renamer(secret)
    with counting("De-identifying") as count:
        report = deidentify(
            source,
            out,
            renamer,
            program=f"TetraCT {__version__}",
            mapping=mapping,
            progress=count,
        )
    typer.echo(report.as_json() if as_json else report.as_text())
    if report.skipped:
        raise typer.Exit(Exit.SKIPPED)
