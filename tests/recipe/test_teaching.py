"""A teacher from a recipe and a real table: what must agree, what is refused, one whole run."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pytest
import torch

from recipe_cases import tiny_recipe, write_cohort
from tetract.data.batches import StepBatches
from tetract.data.sampling import BatchPlan
from tetract.errors import RecipeError
from tetract.joint import Balance
from tetract.model.bundle import load_description
from tetract.recipe import Recipe, train
from tetract.recipe.checks import fill_names
from tetract.recipe.opening import open_data, open_split
from tetract.recipe.teaching import make_teacher
from tetract.train import Teacher
from tetract.train.teacher.relations import Lesion
from tetract.types import Task
from tetract.types.batch import Batch

C, S, R, D = Task
ON = {"weight": 1.0}
AVERAGED = {"average": 0.9}


@pytest.fixture(scope="module")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_cohort(tmp_path_factory.mktemp("cohort") / "phantom")


def recipe_of(cohort: Path, **changes: Any) -> Recipe:
    given = {"teacher": ON, "run": AVERAGED, **changes}
    recipe = tiny_recipe(cohort, cohort.parent / "run", **given)
    return fill_names(recipe, open_data(recipe.data).card)


def teacher_of(recipe: Recipe) -> Teacher | None:
    train_slices = open_split(recipe, open_data(recipe.data), "train")
    return make_teacher(recipe, train_slices, Balance(recipe.joint, recipe.tasks))


def test_masks_boxes_and_classes_of_one_name_are_one_lesion(cohort: Path) -> None:
    teacher = teacher_of(recipe_of(cohort))
    assert teacher is not None
    space = teacher.relations.space
    assert teacher.relations.lesions == tuple(
        Lesion(
            name=name,
            mask=space.mask_classes.index(name),
            box=space.box_classes.index(name),
            label=space.classes.index(name),
        )
        for name in ("nodule", "ground_glass")
    )
    assert set(teacher.relations.free.values()) == {space.classes.index("normal")}


def test_a_task_without_weight_neither_answers_nor_is_taught(cohort: Path) -> None:
    teacher = teacher_of(recipe_of(cohort, joint={"detection": 0.0, "classification": 0.0}))
    assert teacher is not None
    assert teacher.relations.tasks == {S}
    assert {one.box for one in teacher.relations.lesions} == {None}
    assert set(teacher.relations.free.values()) == {None}


def test_no_weight_is_no_teacher(cohort: Path) -> None:
    assert teacher_of(recipe_of(cohort, teacher={"weight": 0.0})) is None


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"teacher": {**ON, "per_class": {"tumor": (0.1, 0.8)}}}, "E_CLASS_UNKNOWN"),
        ({"detection": {"smallest_score": 0.2}}, "E_BAD_VALUE"),
    ],
)
def test_what_the_teacher_could_not_use_is_refused(
    cohort: Path, changes: dict[str, Any], code: str
) -> None:
    with pytest.raises(RecipeError, match=code):
        teacher_of(recipe_of(cohort, **changes))


@pytest.mark.parametrize(
    "changes", [{"run": {"average": 0.0}}, {"tasks": ["reconstruction"], "run": AVERAGED}], ids=str
)
def test_a_teacher_needs_an_average_and_a_task_with_labels(
    cohort: Path, changes: dict[str, Any]
) -> None:
    with pytest.raises(RecipeError, match=r"teacher\.weight needs"):
        tiny_recipe(cohort, cohort.parent / "run", teacher=ON, **changes)


def batches(cohort: Path, *, with_plain: bool, **augment: Any) -> list[Batch]:
    data = {"folder": str(cohort), "image_px": 64, "augment": augment}
    recipe = recipe_of(cohort, data=data)
    dataset = open_split(recipe, open_data(recipe.data), "train")
    plan = BatchPlan(dataset.labelled, dataset.positive, dataset.sources, (S,), 4, seed=0)
    made = StepBatches(dataset, plan, seed=0, with_plain=with_plain)
    return [made[step] for step in range(3)]


def test_the_plain_view_is_moved_alike_and_keeps_its_grey_values(cohort: Path) -> None:
    both = batches(cohort, with_plain=True, rewindow=0.5, coarse=0.5, quarter_turns=0.5)
    student = batches(cohort, with_plain=False, rewindow=0.5, coarse=0.5, quarter_turns=0.5)
    grey = {"intensity": 0.0, "noise": 0.0, "blur": 0.0, "quarter_turns": 0.5}
    moved_only = batches(cohort, with_plain=False, **grey)
    for one, alone, moved in zip(both, student, moved_only, strict=True):
        assert torch.equal(one.image, alone.image)
        assert one.plain is not None
        assert torch.equal(one.plain, moved.image)
        assert torch.equal(one.masks, moved.masks)
    assert any(
        not torch.equal(one.image, moved.image) for one, moved in zip(both, moved_only, strict=True)
    )


@pytest.mark.slow
def test_a_run_with_a_teacher_counts_its_pseudo_labels_and_says_so(
    cohort: Path, tmp_path: Path
) -> None:
    talkative = {**ON, "start": 0.0, "ramp": 0.0, "lesion": 0.51, "background": 0.5}
    recipe = tiny_recipe(cohort, tmp_path / "run", teacher=talkative, run=AVERAGED)
    told: list[str] = []
    train(recipe, show_progress=False, on_warned=told.extend)
    assert not [line for line in told if line.startswith("W_TEACHER_ALONE")]
    with (tmp_path / "run" / "logs" / "metrics.csv").open() as stream:
        asked = [row["train/pseudo/asked"] for row in csv.DictReader(stream)]
    assert any(asked)
    said = load_description(tmp_path / "run" / "best").dataset
    assert said["pseudo_labels"] == "of its own average, weight 1"
