"""The typed experiment, read from YAML, checked against its data, and run."""

from tetract.recipe.experiment import Finished, evaluate_run, train
from tetract.recipe.load import load_recipe, save_recipe
from tetract.recipe.schema import Recipe

__all__ = ["Finished", "Recipe", "evaluate_run", "load_recipe", "save_recipe", "train"]
