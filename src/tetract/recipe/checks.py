"""A recipe against its data set: everything that can be refused before any training."""

from __future__ import annotations

import difflib
from collections.abc import Mapping

from pydantic import ValidationError

from tetract.data import DatasetCard
from tetract.data.dataset import SliceDataset
from tetract.errors import RecipeError
from tetract.evaluate.class_source import find_coincidence
from tetract.recipe.schema import Recipe
from tetract.types import Task


def fill_names(recipe: Recipe, card: DatasetCard) -> Recipe:
    """The recipe with its three name lists complete and known to the data set.

    Raises:
        RecipeError: ``E_CLASS_UNKNOWN`` for a name that no source has, or ``E_BAD_VALUE`` when a
            task is left without names.
    """
    offered = {
        "classes": card.classes,
        "mask_classes": card.mask_classes,
        "box_classes": card.box_classes,
    }
    filled: dict[str, tuple[str, ...]] = {}
    for key, names in offered.items():
        known = merged_names(names, recipe.data.merge)
        asked: tuple[str, ...] = getattr(recipe, key) or known
        _check_known(key, asked, known)
        filled[key] = asked
    complete = recipe.model_copy(update=filled)
    try:
        complete.network_spec()
    except ValidationError as error:
        message = str(error.errors()[0]["msg"]).removeprefix("Value error, ")
        raise RecipeError(
            "E_BAD_VALUE", message, where=recipe.name, fix="Change it in the recipe"
        ) from error
    return complete


def merged_names(names: tuple[str, ...], merge: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    """The card's names with merged ones replaced by the name of their group, order kept."""
    group_of = {member: group for group, members in merge.items() for member in members}
    return tuple(dict.fromkeys(group_of.get(name, name) for name in names))


def check_every_task_is_taught(recipe: Recipe, train: SliceDataset) -> None:
    """Refuse a task that no training row is labelled for.

    Raises:
        RecipeError: ``E_TASK_UNTAUGHT`` naming the task.
    """
    for column, task in enumerate(Task):
        if task in recipe.tasks and not train.labelled[:, column].any():
            raise RecipeError(
                "E_TASK_UNTAUGHT",
                "no training row is labelled for this task",
                where=f"tasks: {task.value}",
                expected="1 or more labelled rows in split train",
                found=f"0 of {len(train)}",
                fix="Leave the task out of tasks, or give the data set labels for it",
            )


def neighbour_warnings(recipe: Recipe, train: SliceDataset) -> tuple[str, ...]:
    """``W_NO_NEIGHBOURS`` where slices stand alone although the recipe shows neighbours."""
    if recipe.data.neighbours == 0 or train.alone == 0:
        return ()
    return (
        f"W_NO_NEIGHBOURS {train.alone} of {len(train)} training slices have no slice beside them "
        "(pictures, files of one slice) and repeat themselves as their neighbours",
    )


def entangled_warnings(recipe: Recipe, *datasets: SliceDataset) -> tuple[str, ...]:
    """``W_CLASS_IS_SOURCE`` for each split in which the sources give classes away."""
    if Task.CLASSIFICATION not in recipe.tasks:
        return ()
    found = [(one.split, entangled(one)) for one in datasets]
    return tuple(f"W_CLASS_IS_SOURCE split {split}: {said}" for split, said in found if said)


def entangled(dataset: SliceDataset) -> str:
    """The banner of a split's labels, "" where its sources do not give classes away."""
    classes = dataset.label_space.classes
    return find_coincidence(dataset.candidates, dataset.sources, classes).banner


def _check_known(key: str, asked: tuple[str, ...], known: tuple[str, ...]) -> None:
    for name in asked:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"Did you mean {near[0]}?" if near else f"Known: {', '.join(known) or 'none'}"
            raise RecipeError(
                "E_CLASS_UNKNOWN", "no source has this class", where=key, found=name, fix=hint
            )
