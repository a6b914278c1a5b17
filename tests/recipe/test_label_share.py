"""A recipe that uses some of the training labels: they alone teach, and it is said."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from recipe_cases import tiny_recipe
from tetract.data.config import DataConfig
from tetract.data.phantom.cohort import write_phantom_cohort
from tetract.data.phantom.patient import PhantomConfig
from tetract.model.bundle import load_description
from tetract.recipe import Recipe, train
from tetract.recipe.checks import fill_names
from tetract.recipe.opening import open_data, open_split
from tetract.types import Task

S = list(Task).index(Task.SEGMENTATION)


@pytest.fixture(scope="module")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> Path:
    config = PhantomConfig(patients=(16, 1, 1), slices=(6, 6), size_px=64)
    return write_phantom_cohort(tmp_path_factory.mktemp("cohort") / "phantom", config)


def recipe_of(cohort: Path, run: Path, **data: object) -> Recipe:
    where = {"folder": str(cohort), "image_px": 64, **data}
    recipe = tiny_recipe(
        cohort, run, data=where, tasks=["segmentation"], run={"steps": 1, "validate_every": 1}
    )
    return fill_names(recipe, open_data(recipe.data).card)


def test_training_sees_fewer_masks_with_and_without_a_cache_on_disk(
    cohort: Path, tmp_path: Path
) -> None:
    counts: list[list[int]] = []
    for shares in ({}, {"mask": 0.1}):
        for cache in ({}, {"cache_dir": str(tmp_path / "cache")}):
            recipe = recipe_of(cohort, tmp_path / "run", label_share=shares, **cache)
            folder = open_data(recipe.data)
            splits = [open_split(recipe, folder, split) for split in ("train", "val", "test")]
            counts.append([int(one.labelled[:, S].sum()) for one in splits])
    assert counts[0] == counts[1]
    assert counts[2] == counts[3]
    assert 0 < counts[2][0] < counts[0][0]
    assert counts[2][1:] == counts[0][1:]


@pytest.mark.slow
def test_a_run_says_whose_labels_it_used(cohort: Path, tmp_path: Path) -> None:
    told: list[str] = []
    recipe = recipe_of(cohort, tmp_path / "run", label_share={"mask": 0.1})
    train(recipe, show_progress=False, on_warned=told.extend)
    (line,) = [line for line in told if line.startswith("W_FEWER_LABELS")]
    said = load_description(tmp_path / "run" / "last").dataset["labels_used"]
    assert said in line
    assert said.endswith("training patients")


@pytest.mark.parametrize("bad", [{"mask": 0.0}, {"mask": 1.5}, {"lung": 0.5}], ids=str)
def test_a_share_of_nothing_or_of_no_column_is_refused(bad: dict[str, float]) -> None:
    with pytest.raises(ValidationError):
        DataConfig.model_validate({"folder": "x", "label_share": bad})
