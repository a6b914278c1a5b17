"""An arm and a seed become a recipe, and the recipe the name of its run."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import tetract
from tetract.recipe import Recipe
from tetract.recipe.load import validate
from tetract.reproduce.arm import Arm, Settings, tasks_of
from tetract.reproduce.profile import Profile


def recipe_of(arm: Arm, seed: int, profile: Profile, *, data: Path, cache: Path) -> Recipe:
    """The experiment, apart from where it is written and where its weights start from.

    Args:
        arm: What is special about it.
        seed: Of the run.
        profile: The size.
        data: Dataset folder.
        cache: Where prepared slices are kept for all runs.
    """
    settings: dict[str, object] = {
        "preset": arm.mode,
        "tasks": [task.value for task in tasks_of(arm.tasks)],
        "encoder.name": arm.encoder,
        "data.folder": str(data),
        "data.cache_dir": str(cache),
        **profile.settings,
        **profile.modes[arm.mode],
        **profile.sizes[arm.size].settings,
        **arm.changes,
        "run.seed": seed,
    }
    return validate(as_tree(settings), where=arm.name)


def as_tree(settings: Settings) -> dict[str, Any]:
    """Nested settings from dotted keys."""
    tree: dict[str, Any] = {}
    for key, value in settings.items():
        *parents, last = key.split(".")
        node = tree
        for parent in parents:
            node = cast("dict[str, Any]", node.setdefault(parent, {}))
        node[last] = value
    return tree


def run_name(recipe: Recipe, letters: str, *, data: str, start: str | None) -> str:
    """A folder name that is the same for the same experiment on the same data, wherever it lies.

    Args:
        recipe: From ``recipe_of``.
        letters: Its tasks.
        data: Hash of the data set and its split.
        start: Name of the run that its weights come from.
    """
    said: dict[str, Any] = recipe.model_dump(mode="json")
    said.pop("name")
    for part, key in (("data", "folder"), ("data", "cache_dir"), ("data", "cache_gb"),
                      ("run", "folder"), ("run", "init_from"), ("run", "workers")):  # fmt: skip
        said[part].pop(key)
    # What is off has no part in the experiment: settings that came later rename no finished run.
    if recipe.teacher.weight == 0:
        said.pop("teacher")
    if not recipe.data.label_share:
        said["data"].pop("label_share")
    known: Mapping[str, object] = {
        "recipe": said,
        "data": data,
        "start": start,
        "version": tetract.__version__,
    }
    digest = hashlib.sha256(json.dumps(known, sort_keys=True).encode()).hexdigest()[:10]
    encoder = recipe.encoder.name.replace("/", "-")
    return f"{letters}-{encoder}-{recipe.preset}-s{recipe.run.seed}-{digest}"
