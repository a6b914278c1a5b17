"""Where an evaluation was made: data, model, versions, machine."""

from __future__ import annotations

import os
import platform
from importlib.metadata import version

import torch

import tetract
from tetract.model.bundle import Description
from tetract.recipe.schema import Recipe

_DIGITS = 16  # of a hash: enough to tell, short enough to compare by eye


def gather_facts(recipe: Recipe, model: Description, dataset: str, cases: str) -> dict[str, str]:
    """What a reader needs to do it again, in words; in the order to be shown.

    Args:
        recipe: The experiment.
        model: The model's own description.
        dataset: Name of the data set that was evaluated.
        cases: Hash of its rows.
    """
    trained = model.dataset
    return {
        "Recipe": recipe.name,
        "Trained on": f"{trained.get('name', 'unknown')}, {model.step} steps",
        "Hash of the splits trained on": _short(trained.get("splits", "unknown")),
        "Evaluated on": dataset,
        "Hash of the rows evaluated": _short(cases),
        "SHA-256 of the weights": _short(model.weights_sha256),
        "Seed": str(recipe.run.seed),
        "Image": f"{recipe.data.image_px} px, window {_window(recipe)}",
        "TetraCT": f"{tetract.__version__} (model written by {model.tetract})",
        "torch": f"{torch.__version__}, torchvision {version('torchvision')}",
        "Python": f"{platform.python_version()}, {platform.system()} {platform.machine()}",
        "Machine": _machine(),
    }


def _window(recipe: Recipe) -> str:
    low, high = recipe.data.window_hu
    return f"{low:g} to {high:g} HU"


def _machine() -> str:
    cores = f"{os.cpu_count()} cores, {torch.get_num_threads()} threads"
    return f"{torch.cuda.get_device_name()}, {cores}" if torch.cuda.is_available() else cores


def _short(digest: str) -> str:
    return digest[:_DIGITS]
