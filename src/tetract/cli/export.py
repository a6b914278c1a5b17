"""``tetract data export``: the typer app that the exporters of other files add themselves to."""

from __future__ import annotations

import typer

app = typer.Typer(help="Turn a dataset folder into other layouts.", no_args_is_help=True)


@app.callback()
def export() -> None:
    """Turn a dataset folder into other layouts."""
