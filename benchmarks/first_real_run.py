"""Four tasks in one model against four single-task models, on the real CT of ../shared/data/ct.

`python -m benchmarks.first_real_run` imports the data, trains recipes/cpu.yaml and its four
single-task twins (same encoder, same steps, same rows per step, so the same number of slices seen),
scores the last weights of each on the test patients, and writes the tables. Finished runs are kept.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from pathlib import Path

from tetract.data.finish_import import ImportOptions
from tetract.data.import_csv import import_csv
from tetract.evaluate.result import Evaluation, Section
from tetract.evaluate.table_cells import support_text
from tetract.recipe import Recipe, evaluate_run, load_recipe, save_evaluated, train
from tetract.types import Task
from tetract.types.figure import Figure

DATA = Path("work/ct")
RUNS = Path("runs/first-real-run")
Figures = dict[str, Figure]


def import_data(shared: Path) -> None:
    """One dataset folder out of the MANIFEST."""
    mapping = Path("recipes/datasets/shared-ct.yaml")
    report = import_csv(
        shared / "data/ct/MANIFEST.csv", mapping, DATA, ImportOptions(overwrite=True)
    )
    print(report.as_text())


def recipes() -> dict[str, Recipe]:
    """The four-task recipe and its twins."""
    settings = [f'data.folder="{DATA}"']
    names = {"four tasks": [t.value for t in Task]} | {f"{t.value} alone": [t.value] for t in Task}
    return {
        name: load_recipe(
            Path("recipes/cpu.yaml"),
            [
                *settings,
                f"tasks={json.dumps(tasks)}",
                f'run.folder="{RUNS / name.replace(" ", "-")}"',
            ],
        )
        for name, tasks in names.items()
    }


def trained(recipe: Recipe) -> float:
    """Minutes that the training took, reading included; a finished run is not repeated."""
    note = recipe.run.folder / "minutes.json"
    if not note.exists():
        started = time.perf_counter()
        train(recipe)
        note.write_text(json.dumps((time.perf_counter() - started) / 60))
    return float(json.loads(note.read_text()))


def scored(recipe: Recipe, split: str) -> Evaluation:
    """Figures of the last weights: no checkpoint was chosen, so no split was used to choose."""
    folder = recipe.run.folder / "evaluation" / split
    resolved = load_recipe(recipe.run.folder / "recipe.yaml")
    done = evaluate_run(resolved, recipe.run.folder / "last", split=split)
    save_evaluated(folder, done)
    return done.evaluation


def figures(section: Section) -> Figures:
    """What the tables show, by name."""
    shown: Figures = {}
    if section.classification:
        shown["AUROC, macro"] = section.classification.auroc_macro
        for one in section.classification.classes:
            shown[f"AUROC, {one.name}"] = one.auroc
    if section.segmentation:
        for mask in section.segmentation.classes:
            shown[f"Dice, {mask.name}"] = mask.dice
    if section.detection:
        lesion = section.detection.any_lesion
        shown["AP@0.1, any lesion"] = lesion.ap_10
        shown["AP@0.3, any lesion"] = lesion.ap_30
        shown["AP@0.5, any lesion"] = lesion.ap_50
        shown["sensitivity at 1 FP per slice"] = lesion.sensitivity_1fp
    if section.reconstruction:
        shown["MAE, nothing hidden"] = section.reconstruction.mae
        shown["MAE, hidden pixels"] = section.reconstruction.masked_mae
        shown["MAE of a mean filter, same pixels"] = section.reconstruction.mean_filter_mae
    return shown


def sections(evaluation: Evaluation) -> dict[str, Section]:
    """Overall first, then the sources."""
    return {s.name: s for s in (evaluation.overall, *evaluation.sources)}


def table(joint: Evaluation, twins: list[Evaluation]) -> str:
    """Joint against alone, per source; rows that neither defines are left out."""
    lines = [
        "| source | figure | four tasks | alone | slices / patients |",
        "|---|---|---|---|---|",
    ]
    for source, section in sections(joint).items():
        alone: Figures = {}
        for twin in twins:
            if source in sections(twin):
                alone |= figures(sections(twin)[source])
        for name, figure in figures(section).items():
            other = alone.get(name)
            if figure.value is None and (other is None or other.value is None):
                continue
            lines.append(
                f"| {source} | {name} | {shown(figure)} | {shown(other)} | "
                f"{support_text(figure.support)} |"
            )
    return "\n".join(lines)


def shown(figure: Figure | None) -> str:
    """Three decimals, or a dash."""
    return "-" if figure is None or figure.value is None else f"{figure.value:.3f}"


def main() -> int:
    """Run what is missing and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    shared = os.environ.get("TETRACT_SHARED", "../shared")
    parser.add_argument("--shared", type=Path, default=Path(shared))
    parser.add_argument("--out", type=Path, default=RUNS / "tables.md")
    options = parser.parse_args()
    import_data(options.shared)
    wanted = recipes()
    minutes = {name: trained(recipe) for name, recipe in wanted.items()}
    parts = ["| run | minutes |", "|---|---|"]
    parts += [f"| {name} | {value:.1f} |" for name, value in minutes.items()]
    for split in ("test", "val"):
        joint, *twins = [scored(recipe, split) for recipe in wanted.values()]
        parts += ["", f"## {split}", "", table(joint, twins), ""]
        parts += [f"- {warning}" for warning in joint.about.warnings]
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text("\n".join(parts) + "\n")
    print(options.out.read_text())
    return 0


if __name__ == "__main__":
    sys.exit(main())
