"""A first stage that learns from every training slice, labelled or not, by reconstructing it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tetract.recipe.load import load_recipe
from tetract.recipe.schema import Recipe
from tetract.train import run_folder, saved_step
from tetract.types import Task

RunStage = Callable[[Recipe, bool], object]


def pretraining(recipe: Recipe) -> Recipe:
    """The recipe of the stage before ``recipe``: reconstruction alone, in a folder beside its own.

    Its slices are those of the training split, like any training's. The encoder learns from the
    first step on, and for as many steps as were asked for.
    """
    run, joint = recipe.run, recipe.joint
    stage = run.model_copy(
        update={
            "folder": run.folder.with_name(f"{run.folder.name}-pretrained"),
            "steps": run.pretrain_steps or run.steps,
            "pretrain_steps": 0,
            "freeze_encoder_steps": 0,
            "patience": 0,
        }
    )
    return recipe.model_copy(
        update={
            "name": f"{recipe.name}-pretrained",
            "tasks": (Task.RECONSTRUCTION,),
            "joint": joint.model_copy(update={"reconstruction": joint.reconstruction or 1.0}),
            "run": stage,
            "teacher": recipe.teacher.model_copy(update={"weight": 0.0}),
        }
    )


def starts_from(recipe: Recipe) -> Path | None:
    """The run whose weights a training starts from, its own first stage included."""
    if recipe.run.pretrain_steps:
        return pretraining(recipe).run.folder
    return recipe.run.init_from


def run_first_stage(recipe: Recipe, run: RunStage, *, resume: bool) -> bool:
    """Pretrain where that is still to be done, and say whether the training itself is resumed.

    A finished stage of the same settings is kept; an interrupted one goes on when resuming.

    Args:
        recipe: Of the training; it asks for a first stage.
        run: Trains a recipe, anew or resumed.
        resume: Whether an interrupted training goes on.

    Raises:
        InputError: ``E_RUN_EXISTS`` when either folder holds another run.
    """
    if resume and (recipe.run.folder / "recipe.yaml").exists():
        return True
    if not resume:
        with run_folder(recipe.run.folder, resume=False):
            pass  # refused now, and not after the stage
    stage = pretraining(recipe)
    begun = (stage.run.folder / "last").is_dir() and _is_of(stage, stage.run.folder)
    if not (begun and saved_step(stage.run.folder / "last") >= stage.run.steps):
        run(stage, resume and begun)
    return False


def _is_of(stage: Recipe, folder: Path) -> bool:
    """Whether the run in ``folder`` had these settings; names are filled in when it starts."""
    saved = load_recipe(folder / "recipe.yaml")
    names = ("classes", "mask_classes", "box_classes")
    return saved.model_copy(update={name: getattr(stage, name) for name in names}) == stage
