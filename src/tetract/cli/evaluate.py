"""``tetract evaluate``: figures of a run on one split."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def evaluate(  # noqa: PLR0913 - each parameter is an option of the command
    run: Annotated[Path, typer.Argument(help="Run folder that `tetract train` wrote.")],
    *,
    split: Annotated[str, typer.Option(help="train, val or test.")] = "test",
    weights: Annotated[str, typer.Option(help="best or last.")] = "best",
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Folder [default: RUN/evaluation/SPLIT]")
    ] = None,
    data: Annotated[
        Path | None, typer.Option(help="Another dataset folder than the run's.")
    ] = None,
    flips: Annotated[
        bool | None,
        typer.Option(
            "--flips/--no-flips",
            help="Average with each slice's mirror image; twice the time. [default: the recipe's]",
        ),
    ] = None,
    draws: Annotated[
        int, typer.Option(min=0, help="Bootstrap draws behind the intervals; 0: no intervals.")
    ] = 1000,
    cards: Annotated[
        bool, typer.Option(help="Split, shortcut, data and model card, and the checklist.")
    ] = True,
    maps: Annotated[
        bool,
        typer.Option(help="Maps of what speaks for the answers to the cases shown, checked."),
    ] = False,
) -> None:
    """Score a run on a split; print the tables and write them as JSON and Markdown."""
    import json
    import shlex
    import sys

    from tetract.cli.banner import show_banner
    from tetract.cli.progress import counting
    from tetract.evaluate.class_source import source_banner
    from tetract.model.bundle import find_bundle
    from tetract.recipe import Extras, evaluate_run, load_recipe, save_evaluated

    named = run / weights
    model = named if named.is_dir() else find_bundle(run)
    changes = [] if data is None else [f"data.folder={json.dumps(str(data))}"]
    if flips is not None:
        changes.append(f"run.flips={json.dumps(flips)}")
    recipe = load_recipe(run / "recipe.yaml", changes)
    with counting("Reading slices") as count:
        done = evaluate_run(
            recipe,
            model,
            split=split,
            command=shlex.join(["tetract", *sys.argv[1:]]),
            draws=draws,
            extras=Extras(cards=cards, maps=maps),
            on_prepared=count,
        )
    folder = out or run / "evaluation" / split
    typer.echo(save_evaluated(folder, done))
    show_banner(source_banner(done.evaluation))  # again, below tables that scroll away
    typer.echo(f"Written to {folder}")
    where = "" if out is None else f" --evaluation {shlex.quote(str(folder))}"
    aim = "" if out is not None or split == "test" else f" --split {split}"
    typer.echo(f"As one page: tetract report {shlex.quote(str(run))}{aim}{where}")
