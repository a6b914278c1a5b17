"""The ``tetract`` command: verbs, and one place where errors become one line and an exit code."""

from __future__ import annotations

import errno
import sys

import click
import typer

from tetract import __version__
from tetract.cli import data, demo, evaluate, predict, train
from tetract.errors import BugError, Exit, MachineError, TetractError

app = typer.Typer(
    name="tetract",
    help="One model, four tasks, on chest CT with too few labels. "
    "Research use only: not a medical device.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.add_typer(data.app, name="data")
app.command("train")(train.train)
app.command("evaluate")(evaluate.evaluate)
app.command("predict")(predict.predict)
app.command("demo")(demo.demo)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"tetract {__version__}")
        raise typer.Exit


@app.callback()
def options(
    debug: bool = typer.Option(False, "--debug", help="Show tracebacks."),
    version: bool = typer.Option(
        False, "--version", callback=_show_version, is_eager=True, help="Show the version."
    ),
) -> None:
    """One model, four tasks, on chest CT with too few labels."""


def run() -> None:
    """Entry point. Exit codes: 0 ok, 1 skips, 2 bad input, 3 machine, 4 our bug, 130 interrupt."""
    sys.exit(_guarded(sys.argv[1:]))


def _guarded(arguments: list[str]) -> int:
    if "--debug" in arguments:
        # Accepted anywhere on the line: it is typed after something went wrong.
        return _called(["--debug", *(a for a in arguments if a != "--debug")])
    try:
        return _called(arguments)
    except KeyboardInterrupt:
        typer.echo("Interrupted.", err=True)
        return Exit.INTERRUPTED
    except Exception as error:  # noqa: BLE001  the last net: whatever it is, one line
        told = _as_ours(error)
        typer.echo(str(told), err=True)
        return told.exit_code


def _called(arguments: list[str]) -> int:
    try:
        result = app(arguments, standalone_mode=False)
    except click.exceptions.Exit as stop:
        return stop.exit_code
    except click.exceptions.Abort as stop:
        raise KeyboardInterrupt from stop
    except click.ClickException as error:
        error.show()
        return Exit.BAD_INPUT
    return result if isinstance(result, int) else Exit.OK


def _as_ours(error: Exception) -> TetractError:
    """The error as one of ours; what nobody foresaw is our bug."""
    if isinstance(error, TetractError):
        return error
    if isinstance(error, OSError) and error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return MachineError("E_DISK_FULL", "no space left on the disk", fix="Free some space")
    if isinstance(error, MemoryError):
        return MachineError(
            "E_OUT_OF_MEMORY", "out of memory", fix="Lower run.batch or data.image_px"
        )
    return BugError(
        "E_BUG",
        f"{type(error).__name__}: a fault of TetraCT, not of your data",
        fix="Please run again with --debug and report what it prints",
    )
