"""Anchors planned for a recipe's training boxes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from tetract.data.dataset import SliceDataset
from tetract.errors import RecipeError
from tetract.recipe.checks import fill_names
from tetract.recipe.opening import Count, open_data, open_split
from tetract.recipe.schema import Recipe
from tetract.tasks.detection import DetectionConfig
from tetract.tasks.detection.anchor_fit import WANTED_IOU, FitTable, SeenBoxes, fit_table
from tetract.tasks.detection.anchor_search import Found, search_anchors
from tetract.types import Task

LARGEST_PX = 2048


@dataclass(frozen=True, slots=True, kw_only=True)
class AnchorPlan:
    """What a recipe's anchors make of its training boxes, and which would do better.

    Attributes:
        image_px: Side of the network's image.
        slices: Training slices that were looked at for lesions.
        boxes: Lesion boxes on them.
        given: Fit of the recipe's anchors; of the default ones where it leaves them to be planned.
        found: Planned anchors, or None where none were asked for.
        fitted: Fit of the planned anchors, or None.
        doubled: Tenth percentiles that anchors can reach on an image of twice the side; empty
            where that was not needed or not asked for.
    """

    image_px: int
    slices: int
    boxes: int
    given: FitTable
    found: Found | None = None
    fitted: FitTable | None = None
    doubled: dict[str, float]

    @property
    def used(self) -> FitTable:
        """The fit that counts: of the planned anchors, else of the given ones."""
        return self.fitted or self.given

    def warnings(self) -> tuple[str, ...]:
        """``W_ANCHORS_MISS`` for each group of lesions that the anchors in use cannot see."""
        return tuple(
            f"W_ANCHORS_MISS {_of(fit.name)}: {100 * fit.missed:.0f} % of {fit.boxes} boxes "
            f"overlap no anchor by {WANTED_IOU} (tenth percentile {fit.p10:.2f}), so little "
            f"teaches the detector to propose them. {self._advice(fit.name)}"
            for fit in self.used.unseen
        )

    def _advice(self, group: str) -> str:
        if self.found is None:
            return "See tetract plan, or set detection.anchors=auto"
        double = self.doubled.get(group)
        if double is None:
            return f"No larger image is possible than {LARGEST_PX} px"
        return f"With data.image_px={2 * self.image_px} anchors can reach {double:.2f}"


def plan_recipe(recipe: Recipe, on_prepared: Count | None = None) -> AnchorPlan:
    """Read the training split of a recipe and plan its anchors.

    Args:
        recipe: The experiment; detection must be among its tasks.
        on_prepared: Told (slices ready, slices in all) while slices are read.

    Raises:
        RecipeError: ``E_NO_BOXES_TO_PLAN``.
        TetractError: Whatever is wrong with recipe or data.
    """
    folder = open_data(recipe.data)
    recipe = fill_names(recipe, folder.card)
    return plan_anchors(recipe, open_split(recipe, folder, "train", on_prepared), search=True)


def plan_anchors(recipe: Recipe, train: SliceDataset, *, search: bool) -> AnchorPlan:
    """Look at the training boxes.

    Args:
        recipe: With its names filled in.
        train: Its training split, opened with it.
        search: Whether to look for better anchors, or only at the recipe's own.

    Raises:
        RecipeError: ``E_NO_BOXES_TO_PLAN``.
    """
    boxes = seen_boxes(recipe, train)
    if not len(boxes.xyxy):
        raise RecipeError(
            "E_NO_BOXES_TO_PLAN",
            "no training slice shows a lesion box, so no anchors can be fitted",
            where="detection.anchors",
            expected=f"boxes of {', '.join(recipe.box_classes)}",
            fix="Label some boxes or masks, or set detection.anchors to scaled",
        )
    config = recipe.detection
    unplanned = config.model_copy(update={"anchors": "scaled"})
    given = fit_table(boxes, unplanned if config.anchors == "auto" else config)
    found = search_anchors(boxes) if search else None
    doubled: dict[str, float] = {}
    fitted = None
    if found is not None:
        fitted = fit_table(boxes, planned_config(config, found))
        if not found.reached and 2 * recipe.data.image_px <= LARGEST_PX:
            doubled = search_anchors(boxes.enlarged(2)).reachable
    return AnchorPlan(
        image_px=recipe.data.image_px,
        slices=int(train.labelled[:, list(Task).index(Task.DETECTION)].sum()),
        boxes=len(boxes.xyxy),
        given=given,
        found=found,
        fitted=fitted,
        doubled=doubled,
    )


def planned_config(config: DetectionConfig, found: Found) -> DetectionConfig:
    """The settings with the anchors that were found."""
    return config.model_copy(update={"anchors": found.levels})


def stand_in(recipe: Recipe) -> Recipe:
    """The recipe with some anchors, to build a network from before the data are read."""
    if recipe.detection.anchors != "auto":
        return recipe
    some = recipe.detection.model_copy(update={"anchors": "scaled"})
    return recipe.model_copy(update={"detection": some})


def settle_anchors(
    recipe: Recipe, train: SliceDataset, on_planned: Callable[[AnchorPlan], None] | None = None
) -> Recipe:
    """The recipe with anchors that need no data any more.

    Args:
        recipe: With its names filled in.
        train: Its training split.
        on_planned: Told what the anchors make of the boxes, where the recipe detects and there
            are boxes.

    Raises:
        RecipeError: ``E_NO_BOXES_TO_PLAN`` where anchors are to be planned.
    """
    planned = recipe.detection.anchors == "auto"
    boxes = any(found is not None and len(found[0]) for found in train.boxes)
    if Task.DETECTION not in recipe.tasks or not (planned or boxes):
        return recipe
    plan = plan_anchors(recipe, train, search=planned)
    if on_planned:
        on_planned(plan)
    if plan.found is None:
        return recipe
    config = planned_config(recipe.detection, plan.found)
    return recipe.model_copy(update={"detection": config})


def seen_boxes(recipe: Recipe, train: SliceDataset) -> SeenBoxes:
    """The boxes of a split as the network sees them, before augmentation."""
    found = [boxes for boxes in train.boxes if boxes is not None]
    nothing = np.zeros((0, 4), dtype=np.float32), np.zeros(0, dtype=np.int64)
    xyxy, labels = zip(nothing, *found, strict=True)
    return SeenBoxes(
        xyxy=np.concatenate(xyxy),
        labels=np.concatenate(labels),
        names=recipe.box_classes,
        image_px=recipe.data.image_px,
    )


def _of(group: str) -> str:
    return "all lesions" if group == "all" else group
