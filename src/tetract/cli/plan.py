"""``tetract plan``: whether a recipe's detector can see its lesions, and which anchors would."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def plan(
    recipe: Annotated[Path, typer.Argument(help="Recipe, a YAML file.")],
    overrides: Annotated[
        list[str] | None,
        typer.Argument(help="Settings such as data.image_px=384.", metavar="KEY=VALUE"),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the plan as JSON.")] = False,
) -> None:
    """Fit anchors to the training boxes of RECIPE and say how well they fit. Trains nothing."""
    import json

    from tetract.cli.progress import counting
    from tetract.cli.train import show_plan
    from tetract.recipe import load_recipe
    from tetract.recipe.plan_text import plan_as_json
    from tetract.recipe.planning import plan_recipe

    settings = load_recipe(recipe, overrides or [])
    with counting("Reading slices") as count:
        found = plan_recipe(settings, count)
    if as_json:
        typer.echo(json.dumps(plan_as_json(found), indent=1))
    else:
        show_plan(found)
