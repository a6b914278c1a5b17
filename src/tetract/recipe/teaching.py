"""The teacher that a recipe asks for, checked against data and heads."""

from __future__ import annotations

from collections.abc import Mapping

from tetract.data.dataset import SliceDataset
from tetract.errors import RecipeError
from tetract.joint import Balance
from tetract.recipe.schema import Recipe
from tetract.train import Teacher
from tetract.train.teacher import relate
from tetract.types import Task


def make_teacher(recipe: Recipe, train: SliceDataset, balance: Balance) -> Teacher | None:
    """The teacher, or None where the recipe has none.

    Only tasks with a weight answer: a head that learns nothing knows nothing.

    Raises:
        RecipeError: ``E_CLASS_UNKNOWN`` for thresholds of a name that no channel has,
            ``E_BAD_VALUE`` where the detector hides boxes that the teacher must see.
    """
    config = recipe.teacher
    if config.weight == 0:
        return None
    known = {*recipe.classes, *recipe.mask_classes, *recipe.box_classes}
    strangers = sorted(set(config.per_class) - known)
    if strangers:
        raise RecipeError(
            "E_CLASS_UNKNOWN",
            "no head has this class",
            where="teacher.per_class",
            expected=", ".join(sorted(known)),
            found=strangers[0],
            fix="Correct the name",
        )
    lowest = min(config.bounds(name)[0] for name in (*recipe.box_classes, ""))
    if Task.DETECTION in balance.active and recipe.detection.smallest_score > lowest:
        raise RecipeError(
            "E_BAD_VALUE",
            "boxes that are not ruled out would be hidden from the teacher",
            where="detection.smallest_score",
            expected=f"at most teacher.background, {lowest:g}",
            found=f"{recipe.detection.smallest_score:g}",
            fix="Lower it, or raise teacher.background",
        )
    return Teacher(config, relate(train, balance.active))


def taught_by(teacher: Teacher | None) -> Mapping[str, str]:
    """What a model says of its labels beside its data set."""
    if teacher is None:
        return {}
    return {"pseudo_labels": f"of its own average, weight {teacher.config.weight:g}"}
