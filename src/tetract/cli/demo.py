"""``tetract demo``: phantom cohort, training, evaluation, prediction and a page, in minutes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from tetract.evaluate.result import Evaluation
    from tetract.recipe import Evaluated, Finished

TARGETS = {
    "classification/auroc_macro": 0.90,
    "segmentation/dice_lesions": 0.60,
    "detection/ap_30_any_lesion": 0.40,
}


def demo(
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for everything.")] = Path(
        "demo-out"
    ),
    steps: Annotated[int | None, typer.Option(help="Fewer steps, for a quick look.")] = None,
    patients: Annotated[
        tuple[int, int, int], typer.Option(help="Phantom patients in train, val and test.")
    ] = (48, 6, 12),
) -> None:
    """Train all four tasks on phantoms, prove it on unseen ones, and show it.

    Phantoms are drawn, not scanned: these figures say that the software works, and nothing about
    patients.
    """
    import shutil

    from tetract.cli.progress import counting
    from tetract.data.phantom.cohort import write_phantom_cohort
    from tetract.data.phantom.lesions import CLEAR_LESIONS
    from tetract.data.phantom.patient import PhantomConfig
    from tetract.recipe import Extras, evaluate_run, load_recipe, train
    from tetract.recipe.load import DEMO

    _check_is_ours(out)
    shutil.rmtree(out, ignore_errors=True)
    cohort = out / "phantom"
    with counting("Drawing phantoms") as count:
        write_phantom_cohort(
            cohort, PhantomConfig(patients=patients, vessels=0.7, lesions=CLEAR_LESIONS), count
        )
    settings = [f'data.folder="{cohort}"', f'run.folder="{out / "run"}"']
    settings += [] if steps is None else [f"run.steps={steps}", f"run.validate_every={steps}"]
    recipe = load_recipe(DEMO, settings)
    with counting("Reading slices") as count:
        finished = train(recipe, on_prepared=count)
    done = evaluate_run(
        finished.recipe,
        finished.folder,
        split="test",
        command="tetract demo",
        extras=Extras(cards=True),
    )
    page = _predict(finished.folder, cohort / "unseen", out / "findings")
    overview = _write_overview(out, finished, done)
    _show(done.evaluation, overview, page)


def _check_is_ours(out: Path) -> None:
    """Only an earlier demo may be replaced."""
    from tetract.errors import InputError

    if out.exists() and any(out.iterdir()) and not (out / "phantom" / "dataset.yaml").exists():
        raise InputError(
            "E_OUT_NOT_EMPTY",
            "this folder holds something else than an earlier demo",
            where=str(out),
            fix="Choose another folder with --out",
        )


def _predict(run: Path, study: Path, out: Path) -> Path:
    from tetract.infer import load
    from tetract.io import read_study
    from tetract.report import write_findings

    predictor = load(run)
    volumes = read_study(study)
    findings = predictor.predict_study(volumes)
    return write_findings(out, findings, predictor.pictures(volumes)).page


def _write_overview(out: Path, finished: Finished, done: Evaluated) -> Path:
    """The evaluation into its run, and the report above all."""
    from tetract.recipe import save_evaluated
    from tetract.report.run.write import write_report

    evaluation = finished.folder / "evaluation" / "test"
    save_evaluated(evaluation, done)
    write_report(finished.folder, evaluation, out / "index.html")
    return out / "index.html"


def _show(evaluation: Evaluation, overview: Path, page: Path) -> None:
    from tetract.cli.banner import show_banner
    from tetract.evaluate.class_source import source_banner
    from tetract.evaluate.headline import headline

    show_banner(source_banner(evaluation))
    typer.echo("Test phantoms (drawn, not scanned; research use only):")
    for name, value in headline(evaluation).items():
        target = TARGETS.get(name)
        aim = "" if target is None else f"  (target {target:.2f})"
        typer.echo(f"  {name:32s} {'undefined' if value is None else f'{value:.3f}'}{aim}")
    scores = evaluation.overall.reconstruction
    if scores is not None and scores.mean_filter_mae.value is not None:
        typer.echo(f"  {'of a mean filter, same pixels':32s} {scores.mean_filter_mae.value:.3f}")
    typer.echo(f"Results: {overview}\nFindings on an unseen study: {page}")
