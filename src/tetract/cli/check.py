"""``tetract data check``: whether a data set or a tree of files can be used, and why not."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def check(
    path: Annotated[
        Path, typer.Argument(help="Dataset folder, or any folder or file of CT images.")
    ],
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
) -> None:
    """Read everything under PATH; say what it is, what is refused and why. Changes nothing.

    Exits with 0 when all can be used, 1 when something is refused or skipped, 2 when nothing can.
    """
    import json

    from tetract.cli.progress import counting
    from tetract.data.card import CARD_NAME
    from tetract.data.check.text import render_check
    from tetract.data.check.walk import check_there

    check_there(path)  # before any bar is drawn
    with counting("Checking files") as count:
        if (path / CARD_NAME).is_file():
            from tetract.data.check.dataset import check_dataset

            report = check_dataset(path, count)
        else:  # files alone need no torch
            from tetract.data.check.tree import check_tree

            report = check_tree(path, count)
    text = json.dumps(report.as_json(), indent=1) if as_json else render_check(report)
    typer.echo(_for_terminal(text))
    raise typer.Exit(report.exit_code)


def _for_terminal(text: str) -> str:
    """The text in what standard output can show; bars become ``#`` where blocks are unknown."""
    import sys

    encoding = sys.stdout.encoding or "utf-8"
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        plain = text.translate({0x2588: "#", 0x258F: "|"})
        return plain.encode(encoding, "replace").decode(encoding)
    return text
