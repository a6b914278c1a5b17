"""``tetract calibrate``: what a run's answers are worth, from its validation split."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def calibrate(
    run: Annotated[Path, typer.Argument(help="Run folder that `tetract train` wrote.")],
    split: Annotated[str, typer.Option(help="val, or another unseen split.")] = "val",
    coverage: Annotated[
        float, typer.Option(min=0.5, max=0.999, help="Of the sets of classes.")
    ] = 0.9,
    specificity: Annotated[
        float, typer.Option(min=0.5, max=1.0, help="Of each class's threshold.")
    ] = 0.95,
    false_positives: Annotated[
        float, typer.Option(min=0.01, help="Per slice, of the boxes' threshold.")
    ] = 1.0,
    false_alarms: Annotated[
        float, typer.Option(min=0.001, max=0.5, help="Most slices flagged, of each flag.")
    ] = 0.05,
    data: Annotated[
        Path | None, typer.Option(help="Another dataset folder than the run's.")
    ] = None,
) -> None:
    """Find thresholds, temperatures and limits, and keep them beside the weights.

    `tetract predict` then applies them, and `tetract evaluate` tests them on other patients.
    """
    import json

    from tetract.cli.progress import counting
    from tetract.evaluate.trust.calibration import Wish
    from tetract.evaluate.trust.text import calibration_lines
    from tetract.recipe import load_recipe
    from tetract.recipe.calibration import calibrate_run

    changes = [] if data is None else [f"data.folder={json.dumps(str(data))}"]
    wish = Wish(
        coverage=coverage,
        specificity=specificity,
        false_positives=false_positives,
        false_alarms=false_alarms,
    )
    with counting("Reading slices") as count:
        found = calibrate_run(
            load_recipe(run / "recipe.yaml", changes), run, wish, split=split, on_prepared=count
        )
    typer.echo("\n".join(calibration_lines(found)))
    typer.echo(f"Next: tetract evaluate {run} --split test")
