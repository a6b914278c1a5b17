"""``tetract data audit``: pictures that a data set holds twice."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tetract.errors import Exit


def audit(
    folder: Annotated[Path, typer.Argument(help="Dataset folder.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print the audit as JSON.")] = False,
    allow_leaks: Annotated[
        bool, typer.Option("--allow-leaks", help="Exit with 1 instead of 2 when splits leak.")
    ] = False,
) -> None:
    """Look for exact and near duplicates in FOLDER and save what is found as audit.json.

    Exits with 0 when there are none, 1 when all lie inside one split or a row could not be read,
    and 2 when a picture is in two splits.
    """
    from tetract.cli.progress import counting
    from tetract.data import open_dataset
    from tetract.data.audit.audit import audit_dataset
    from tetract.data.audit.file import leaks_of, save_audit
    from tetract.data.audit.text import render_audit

    dataset = open_dataset(folder)
    with counting("Reading rows") as on_read, counting("Comparing pairs") as on_compared:
        found = audit_dataset(dataset, on_read=on_read, on_compared=on_compared)
    save_audit(dataset.root, found)
    shown = found.model_dump_json(indent=1) if as_json else render_audit(found, dataset.rows)
    typer.echo(shown)
    if leaks_of(found.findings, dataset.rows) and not allow_leaks:
        raise typer.Exit(Exit.BAD_INPUT)
    if found.findings or found.unread:
        raise typer.Exit(Exit.SKIPPED)
