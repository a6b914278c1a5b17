"""A phantom data set and a tiny recipe over it, for tests that run the real thing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tetract.data.phantom.cohort import write_phantom_cohort
from tetract.data.phantom.patient import PhantomConfig
from tetract.recipe import Recipe
from tetract.recipe.load import validate

SMALL = {
    "segmentation": {"widths": [16, 16, 16, 8, 8]},
    "reconstruction": {"widths": [16, 16, 16, 8, 8]},
    "detection": {"width": 16, "box_hidden": 32, "proposals": 20},
}


def write_cohort(folder: Path) -> Path:
    """Six small patients."""
    return write_phantom_cohort(
        folder, PhantomConfig(patients=(3, 1, 2), slices=(6, 6), size_px=64)
    )


def tiny_recipe(data: Path, run: Path, /, **changes: Any) -> Recipe:
    """Four steps of two rows at 64 px."""
    tree: dict[str, Any] = {
        "data": {"folder": str(data), "image_px": 64},
        "run": {"folder": str(run), "steps": 4, "batch": 2, "validate_every": 4},
        **SMALL,
    }
    for key, value in changes.items():
        if isinstance(value, dict):
            tree[key] = {**tree.get(key, {}), **value}
        else:
            tree[key] = value
    return validate(tree, where="test")
