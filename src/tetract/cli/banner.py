"""What must be read before any figure, in red."""

from __future__ import annotations

import typer


def show_banner(words: str) -> None:
    """Print the words in red, where there are any; plain where the output is no terminal."""
    if words:
        typer.secho(words, fg=typer.colors.RED, bold=True)
