"""Train and test one run, or finish what an interrupt left of it."""

from __future__ import annotations

import shutil
import time
from pathlib import Path
from typing import Final

import torch

from tetract.evaluate.files import write_evaluation
from tetract.recipe import Extras, Recipe, evaluate_run, load_recipe, pretraining, train
from tetract.recipe.experiment import build_network
from tetract.reproduce.outcome import OUTCOME, Outcome, add_spent, load_spent, save_outcome
from tetract.train.checkpoint import saved_step

PROGRESS = "progress.json"
SCORED: Final = ("val", "test")


def finish(recipe: Recipe, *, keep_weights: bool) -> Outcome:
    """The run of ``recipe``, trained to its end and scored on all patients it has not seen.

    The last weights are scored: no checkpoint is chosen, so neither the validation nor the test
    split is used to choose one, and both are scored.

    Args:
        recipe: With the run's folder.
        keep_weights: Whether the last weights stay, for runs that start from them. All others
            are removed once the run is scored: a hundred runs would fill a disk.

    Raises:
        TetractError: Whatever is wrong with recipe, data or machine.
        KeyboardInterrupt: After an orderly stop; calling again goes on.
    """
    folder, started = recipe.run.folder, time.perf_counter()
    (folder / OUTCOME).unlink(missing_ok=True)
    try:
        step_seconds, warnings = _train(recipe)
        resolved = load_recipe(folder / "recipe.yaml")
        warnings += _test(resolved)
    except KeyboardInterrupt:
        add_spent(folder, time.perf_counter() - started)
        raise
    outcome = Outcome(
        steps=recipe.run.steps,
        rows=recipe.run.batch * recipe.run.accumulate,
        parameters=sum(weight.numel() for weight in build_network(resolved).parameters()),
        seconds=load_spent(folder) + time.perf_counter() - started,
        step_seconds=step_seconds,
        threads=torch.get_num_threads(),
        warnings=tuple(dict.fromkeys(warnings)),
    )
    save_outcome(folder, outcome)
    _tidy(folder, keep_weights=keep_weights)
    _remove_stage(recipe)
    return outcome


def _train(recipe: Recipe) -> tuple[float, list[str]]:
    """Seconds per step, 0 where all steps were taken earlier, and warnings."""
    folder, told = recipe.run.folder, list[str]()
    taken = saved_step(folder / "last") if (folder / "last" / PROGRESS).is_file() else 0
    if taken == 0:
        shutil.rmtree(folder, ignore_errors=True)
        _remove_stage(recipe)
    if taken >= recipe.run.steps:
        return 0.0, told
    done = train(recipe, resume=taken > 0, show_progress=False, on_warned=told.extend)
    return done.seconds / (recipe.run.steps - taken), told


def _test(recipe: Recipe) -> list[str]:
    """Score the last weights; an arm that learns from fewer labels is tested on all of them."""
    data = recipe.data.model_copy(update={"derive_boxes": True})
    folder, told = recipe.run.folder, list[str]()
    for split in SCORED:
        done = evaluate_run(
            recipe.model_copy(update={"data": data}),
            folder / "last",
            split=split,
            draws=0,
            extras=Extras(cases=False),
        )
        write_evaluation(folder / "evaluation" / split, done.evaluation, done.collected)
        told += done.evaluation.about.warnings
    return told


def _remove_stage(recipe: Recipe) -> None:
    """The first stage of a run, whole or begun: it is part of that run and of no other."""
    if recipe.run.pretrain_steps:
        shutil.rmtree(pretraining(recipe).run.folder, ignore_errors=True)


def _tidy(folder: Path, *, keep_weights: bool) -> None:
    for name in ("best", *(() if keep_weights else ("last",))):
        shutil.rmtree(folder / name, ignore_errors=True)
    for extra in folder.glob("tensorboard*"):
        shutil.rmtree(extra, ignore_errors=True)
