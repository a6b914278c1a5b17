"""The cards of an evaluation, from the recipe's own data."""

from __future__ import annotations

from tetract.data import DatasetFolder, Split
from tetract.data.dataset import SliceDataset
from tetract.evaluate.cards import Material, make_cards
from tetract.evaluate.collect import Collected
from tetract.evaluate.result import Evaluation
from tetract.model.bundle import Bundle
from tetract.recipe.schema import Recipe
from tetract.types.card import Card


def evaluation_cards(
    recipe: Recipe,
    bundle: Bundle,
    scored: SliceDataset,
    evaluation: Evaluation,
    collected: Collected,
) -> tuple[Card, ...]:
    """The cards of ``evaluation``, which scored ``scored`` with ``bundle``."""
    return make_cards(
        Material(
            folder=scored.folder,
            bundle=bundle,
            scored=scored,
            trained=_trained(recipe, bundle, scored.folder, scored.split),
            evaluation=evaluation,
            collected=collected,
            facts=_facts(recipe),
        )
    )


def _trained(
    recipe: Recipe, bundle: Bundle, folder: DatasetFolder, split: str
) -> SliceDataset | None:
    """What the model was trained on, unread; None where that is elsewhere or is what was scored."""
    if split == Split.TRAIN or bundle.description.dataset.get("name") != folder.card.name:
        return None
    return SliceDataset(
        folder, recipe.data, recipe.network_spec().label_space, Split.TRAIN, strict=False
    )


def _facts(recipe: Recipe) -> dict[str, str]:
    """The settings that a reader of a model card looks for."""
    low, high = recipe.data.window_hu
    return {
        "recipe": recipe.name,
        "preset": recipe.preset,
        "image side": f"{recipe.data.image_px} px",
        "window": f"{low:g} to {high:g} HU",
        "steps": str(recipe.run.steps),
        "rows per step": str(recipe.run.batch),
        "seed": str(recipe.run.seed),
        "started from": "weights of another run" if recipe.run.init_from else "scratch",
    }
