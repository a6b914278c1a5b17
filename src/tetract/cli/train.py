"""``tetract train``: a recipe becomes a run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from tetract.model import PartReport
    from tetract.recipe.planning import AnchorPlan


def train(
    recipe: Annotated[Path, typer.Argument(help="Recipe, a YAML file.")],
    overrides: Annotated[
        list[str] | None,
        typer.Argument(help="Settings such as run.steps=500.", metavar="KEY=VALUE"),
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with the interrupted run in run.folder.")
    ] = False,
) -> None:
    """Train the tasks that RECIPE names. Research use only."""
    from tetract.cli.banner import show_banner
    from tetract.cli.progress import counting
    from tetract.recipe import load_recipe
    from tetract.recipe import train as train_recipe

    settings = load_recipe(recipe, overrides or [])
    with counting("Reading slices") as count:
        finished = train_recipe(
            settings,
            resume=resume,
            on_carried=show_carried,
            on_warned=show_warnings,
            on_prepared=count,
            on_planned=show_plan,
        )
    show_banner(finished.banner)
    best = finished.progress
    score = "undefined" if best.best_score is None else f"{best.best_score:.3f}"
    judged = (
        f"best validation score {score} at step {best.best_step}"
        if settings.run.validate_every
        else "not validated"
    )
    typer.echo(
        f"Trained {best.step} steps in {finished.seconds:.0f} s; {judged}.\n"
        f"Run: {finished.folder}\n"
        f"Next: tetract evaluate {finished.folder} --split test"
    )


def show_warnings(lines: tuple[str, ...]) -> None:
    """Print what must be known about the data, where results do not go."""
    for line in lines:
        typer.echo(line, err=True)


def show_plan(plan: AnchorPlan) -> None:
    """Print the anchors where they were planned, and what they miss."""
    from tetract.recipe.plan_text import render_plan

    if plan.found is not None:
        typer.echo(render_plan(plan))
    show_warnings(plan.warnings())


def show_carried(parts: tuple[PartReport, ...]) -> None:
    """Print what ``encoder.weights`` and ``run.init_from`` loaded, part by part."""
    from rich.console import Console
    from rich.table import Table

    table = Table(title="Weights carried over")
    for column in ("part", "loaded", "missing", "shape differs"):
        table.add_column(column)
    for part in parts:
        table.add_row(
            part.part,
            str(part.loaded),
            _some(part.missing),
            _some(part.mismatched),
        )
    Console().print(table)
    show_warnings(tuple(note for part in parts for note in part.notes))


def _some(names: tuple[str, ...]) -> str:
    """The count and the first name: enough to recognise what is meant."""
    return f"{len(names)}: {names[0]}{' ...' if len(names) > 1 else ''}" if names else "0"
