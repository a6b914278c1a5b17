"""Anchors planned for a recipe, stored with its model, shown before training."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from recipe_cases import tiny_recipe, write_cohort
from tetract.cli.main import app
from tetract.errors import RecipeError
from tetract.model import load_bundle
from tetract.recipe import load_recipe, save_recipe, train
from tetract.recipe.plan_text import as_setting, plan_as_json, render_plan
from tetract.recipe.planning import AnchorPlan, plan_recipe, stand_in
from tetract.tasks.detection import DetectionConfig


@pytest.fixture(scope="module")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_cohort(tmp_path_factory.mktemp("cohort") / "phantom")


@pytest.fixture(scope="module")
def plan(cohort: Path) -> AnchorPlan:
    return plan_recipe(tiny_recipe(cohort, cohort / "run"))


def test_a_plan_says_what_anchors_make_of_the_training_boxes(plan: AnchorPlan) -> None:
    assert plan.boxes > 0
    assert plan.slices >= plan.boxes / 4
    assert plan.found is not None
    assert plan.fitted is not None
    assert plan.fitted.groups[0].p10 > plan.given.groups[0].p10
    assert sum(fit.boxes for fit in plan.given.sizes) == plan.boxes


def test_a_plan_in_words_holds_its_figures_and_a_setting_to_copy(plan: AnchorPlan) -> None:
    text = render_plan(plan)
    assert plan.found is not None
    assert f"{plan.boxes} lesion boxes" in text
    assert "are few" in text
    assert f"{plan.used.groups[0].p10:.2f}" in text
    setting = as_setting(plan.found.levels)
    assert f"detection.anchors={setting}" in text
    read = DetectionConfig.model_validate({"anchors": yaml.safe_load(setting)})
    assert read.levels() == plan.found.levels


def test_a_plan_for_programs_is_json(plan: AnchorPlan) -> None:
    document = json.loads(json.dumps(plan_as_json(plan), allow_nan=False))
    assert document["given"]["groups"][0]["boxes"] == plan.boxes
    assert document["planned"]["anchors_per_slice"] == plan.used.anchors
    assert DetectionConfig.model_validate({"anchors": document["anchors"]})


def test_the_command_prints_the_plan(cohort: Path, tmp_path: Path, plan: AnchorPlan) -> None:
    save_recipe(tiny_recipe(cohort, tmp_path / "run"), tmp_path / "recipe.yaml")
    said = CliRunner().invoke(app, ["plan", str(tmp_path / "recipe.yaml")])
    assert said.exit_code == 0
    assert said.stdout.strip() == render_plan(plan)
    warned = [line for line in said.stderr.splitlines() if line.startswith("W_")]
    assert warned == list(plan.warnings())
    asked = CliRunner().invoke(app, ["plan", str(tmp_path / "recipe.yaml"), "--json"])
    assert json.loads(asked.stdout) == plan_as_json(plan)


def test_anchors_that_cannot_see_the_lesions_are_warned_of(cohort: Path, tmp_path: Path) -> None:
    coarse = tiny_recipe(cohort, tmp_path / "run", detection={"finest_stride": 16})
    found = plan_recipe(coarse)
    blind = AnchorPlan(
        image_px=found.image_px,
        slices=found.slices,
        boxes=found.boxes,
        given=found.given,
        doubled={},
    )
    assert len(blind.warnings()) >= 1
    for line in blind.warnings():
        assert line.startswith("W_ANCHORS_MISS ")
        assert "detection.anchors=auto" in line
        assert "\n" not in line


@pytest.mark.slow
def test_planned_anchors_are_stored_with_the_model(
    cohort: Path, tmp_path: Path, plan: AnchorPlan
) -> None:
    told: list[AnchorPlan] = []
    recipe = tiny_recipe(
        cohort,
        tmp_path / "run",
        tasks=["detection"],
        detection={"anchors": "auto"},
        run={"steps": 1, "validate_every": 1},
    )
    train(recipe, show_progress=False, on_planned=told.append)
    assert plan.found is not None
    assert [one.found for one in told] == [plan.found]
    saved = load_recipe(tmp_path / "run" / "recipe.yaml")
    assert saved.detection.anchors == plan.found.levels
    # Built from model.json alone.
    assert load_bundle(tmp_path / "run").network.spec.detection.anchors == plan.found.levels


@pytest.mark.slow
def test_given_anchors_are_looked_at_and_left_alone(cohort: Path, tmp_path: Path) -> None:
    told: list[AnchorPlan] = []
    recipe = tiny_recipe(
        cohort,
        tmp_path / "run",
        tasks=["detection"],
        run={"steps": 1, "validate_every": 1},
        detection={"anchors": "scaled"},
    )
    finished = train(recipe, show_progress=False, on_planned=told.append)
    assert [one.found for one in told] == [None]
    assert finished.recipe.detection == recipe.detection


def test_without_a_box_nothing_is_planned(cohort: Path, tmp_path: Path) -> None:
    with (cohort / "table.csv").open() as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        row["image"] = str(cohort / row["image"])
        row |= {"boxes": "empty", "mask": "unknown", "class": "unknown"}
    with (tmp_path / "table.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    (tmp_path / "dataset.yaml").write_text((cohort / "dataset.yaml").read_text())
    with pytest.raises(RecipeError, match=r"E_NO_BOXES_TO_PLAN detection\.anchors.*scaled"):
        plan_recipe(tiny_recipe(tmp_path, tmp_path / "run"))


def test_an_early_check_needs_no_data(cohort: Path) -> None:
    recipe = tiny_recipe(cohort, cohort / "run")
    assert recipe.detection.anchors == "auto"
    assert stand_in(recipe).detection.anchors == "scaled"
    given = tiny_recipe(cohort, cohort / "run", detection={"anchors": "scaled"})
    assert stand_in(given) is given
