"""The ``tetract`` command: verbs, and one place where errors become one line and an exit code."""

from __future__ import annotations

import errno
import sys
from typing import Annotated

import typer

from tetract import __version__
from tetract.cli import (
    calibrate,
    compare,
    data,
    demo,
    doctor,
    evaluate,
    plan,
    predict,
    pretrain,
    report,
    reproduce,
    train,
)
from tetract.errors import BugError, Exit, InputError, MachineError, TetractError

# Typer raises click's UsageError, or since lately a copy of its own. The parent of BadParameter,
# which is public, is the one in use.
_USAGE: type[Exception] = typer.BadParameter.__bases__[0]

app = typer.Typer(
    name="tetract",
    help="One model, four tasks, on chest CT with too few labels. "
    "Research use only: not a medical device.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.add_typer(data.app, name="data")
app.command("plan")(plan.plan)
app.command("pretrain")(pretrain.pretrain)
app.command("train")(train.train)
app.command("calibrate")(calibrate.calibrate)
app.command("evaluate")(evaluate.evaluate)
app.command("report")(report.report)
app.command("compare")(compare.compare)
app.command("predict")(predict.predict)
app.command("demo")(demo.demo)
app.command("reproduce")(reproduce.reproduce)
app.command("doctor")(doctor.doctor)


def _show_version(wanted: bool) -> bool:
    if wanted:
        typer.echo(f"tetract {__version__}")
        raise typer.Exit
    return wanted


@app.callback()
def options(
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks.")] = False,
    version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    """One model, four tasks, on chest CT with too few labels.

    Research use only: not a medical device.
    """


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
        result: object = app(arguments, standalone_mode=False)
    except typer.Exit as stop:
        result = stop.exit_code
    except typer.Abort as stop:
        raise KeyboardInterrupt from stop
    except _USAGE as error:
        if not str(error):  # typer has shown the help instead
            return Exit.BAD_INPUT
        raise InputError("E_USAGE", str(error), fix="Add --help to see what there is") from error
    if result == Exit.INTERRUPTED:  # what newer typers make of an interrupt
        raise KeyboardInterrupt
    return result if isinstance(result, int) else Exit.OK


def _as_ours(error: Exception) -> TetractError:
    """The error as one of ours; what nobody foresaw is our bug."""
    if isinstance(error, TetractError):
        return error
    if isinstance(error, OSError) and error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}:
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
