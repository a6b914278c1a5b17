"""The typed experiment, read from YAML, checked against its data, and run."""

from tetract.recipe.evaluation import Evaluated, Extras, evaluate_run, save_evaluated
from tetract.recipe.experiment import Finished, train
from tetract.recipe.load import load_recipe, save_recipe
from tetract.recipe.pretraining import pretraining
from tetract.recipe.schema import Recipe

__all__ = [
    "Evaluated",
    "Extras",
    "Finished",
    "Recipe",
    "evaluate_run",
    "load_recipe",
    "pretraining",
    "save_evaluated",
    "save_recipe",
    "train",
]
