"""``tetract pretrain``: what every training slice teaches without a label."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tetract.cli.train import show_carried, show_warnings


def pretrain(
    recipe: Annotated[Path, typer.Argument(help="Recipe, a YAML file.")],
    overrides: Annotated[
        list[str] | None,
        typer.Argument(help="Settings such as run.steps=500.", metavar="KEY=VALUE"),
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with an interrupted pretraining.")
    ] = False,
) -> None:
    """Learn to reconstruct the training slices of RECIPE, labelled or not. Research use only."""
    from tetract.cli.progress import counting
    from tetract.recipe import load_recipe, pretraining
    from tetract.recipe import train as train_recipe

    settings = pretraining(load_recipe(recipe, overrides or []))
    with counting("Reading slices") as count:
        finished = train_recipe(
            settings,
            resume=resume,
            on_carried=show_carried,
            on_warned=show_warnings,
            on_prepared=count,
        )
    typer.echo(
        f"Pretrained {finished.progress.step} steps in {finished.seconds:.0f} s.\n"
        f"Run: {finished.folder}\n"
        f"Next: tetract train {recipe} run.init_from={finished.folder}"
    )
