"""``tetract reproduce``: the paper's tables and figures from a data set."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from tetract.reproduce.whole import Work


def reproduce(
    profile: Annotated[str, typer.Option(help="smoke, cpu or gpu: how large.")] = "smoke",
    only: Annotated[
        str, typer.Option(help="Tables and figures, such as T1,F2; A means all of A1, A2, ...")
    ] = "",
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for everything.")] = Path(
        "reproduction"
    ),
    data: Annotated[
        Path | None, typer.Option(help="Dataset folder [default for smoke: phantoms]")
    ] = None,
    seeds: Annotated[
        int | None, typer.Option(min=1, help="Runs of each arm [default: the profile's].")
    ] = None,
    jobs: Annotated[
        int | None,
        typer.Option(min=1, help="Runs at a time [default: one per core; one on a GPU]."),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print the plan and the estimate, and stop.")
    ] = False,
) -> None:
    """Make the paper's tables 1 to 3 and figures 2 to 4 again, and the ablations of our defaults.

    Finished runs are kept and interrupted ones go on: type the same command again.
    """
    import shlex
    import sys

    from tetract.reproduce.whole import finish, prepare

    asked = [name for name in only.split(",") if name.strip()]
    work = prepare(profile, out, data=data, only=asked, seeds=seeds, jobs=jobs)
    typer.echo(work.as_text())
    if dry_run:
        return
    command = shlex.join(["tetract", *sys.argv[1:]])
    failed = _with_bar(work)
    page = finish(work, command=command)
    typer.echo(f"Written to {page}")
    if failed:
        raise typer.Exit(1)


def _with_bar(work: Work) -> int:
    """Train what is missing; how many runs failed."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    from tetract.reproduce.whole import train_missing

    columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn())
    failed: list[str] = []
    waiting = len(work.waiting)
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task(f"Runs 0/{waiting}", total=sum(work.guesses.values()) or 1.0)
        ended = 0

        def tell(name: str, error: str) -> None:
            nonlocal ended
            ended += 1
            bar.update(task, advance=work.guesses[name], description=f"Runs {ended}/{waiting}")
            if error:
                failed.append(name)
                bar.console.print(f"{name} failed: {error}", markup=False)

        train_missing(work, tell)
    return len(failed)
