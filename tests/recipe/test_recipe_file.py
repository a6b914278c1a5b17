"""A recipe is read strictly, and says what is wrong in one line."""

from __future__ import annotations

from pathlib import Path

import pytest

from tetract.errors import RecipeError
from tetract.recipe import load_recipe, save_recipe
from tetract.recipe.load import DEMO
from tetract.types import Task


def written(tmp_path: Path, text: str) -> Path:
    file = tmp_path / "recipe.yaml"
    file.write_text(text)
    return file


def test_the_shipped_recipes_are_valid() -> None:
    for file in [DEMO, *Path("recipes").glob("*.yaml")]:
        assert load_recipe(file).tasks == tuple(Task)


def test_overrides_are_yaml_and_reach_nested_keys(tmp_path: Path) -> None:
    file = written(tmp_path, "data: {folder: x}\n")
    recipe = load_recipe(file, ["run.steps=7", "tasks=[detection]", "run.init_from=null"])
    assert recipe.run.steps == 7
    assert recipe.tasks == (Task.DETECTION,)
    assert recipe.run.init_from is None


def test_a_saved_recipe_reads_back_equal(tmp_path: Path) -> None:
    recipe = load_recipe(written(tmp_path, "data: {folder: x}\nrun: {seed: 3}\n"))
    save_recipe(recipe, tmp_path / "again.yaml")
    assert load_recipe(tmp_path / "again.yaml") == recipe


@pytest.mark.parametrize(
    ("override", "expected"),
    [
        ("run.stepz=3", r"E_UNKNOWN_KEY .*run\.stepz.*Did you mean steps"),
        ("colour=red", r"E_UNKNOWN_KEY .*colour"),
        ("run.steps=0", r"E_BAD_VALUE .*run\.steps"),
        ("run.steps=many", r"E_BAD_VALUE .*run\.steps"),
        ("data.image_px=100", r"E_BAD_VALUE .*data\.image_px.*32"),
        ("tasks=[classify]", r"E_BAD_VALUE .*tasks"),
        ("tasks=[]", r"E_BAD_VALUE .*tasks"),
        ("joint.detection=-1", r"E_BAD_VALUE .*joint\.detection"),
        ("joint.detection=.inf", r"E_BAD_VALUE .*joint\.detection"),
        ("joint.method=pcgard", r"E_BAD_VALUE .*joint\.method.*'pcgrad'"),
        ("joint.dwa.windwo=3", r"E_UNKNOWN_KEY .*joint\.dwa\.windwo.*Did you mean window"),
        ("joint.log_gradients=-1", r"E_BAD_VALUE .*joint\.log_gradients"),
        ("run.precision=16", r"E_BAD_VALUE .*run\.precision.*'bf16'"),
        ("run.accumulate=0", r"E_BAD_VALUE .*run\.accumulate"),
        ("run.freeze_encoder_steps=-1", r"E_BAD_VALUE .*run\.freeze_encoder_steps"),
        ("data.window_hu=[150, -1350]", r"E_BAD_VALUE .*window_hu"),
        ("nonsense", r"E_BAD_OVERRIDE.*key=value"),
        ("run.steps=[", r"E_BAD_YAML"),
    ],
)
def test_a_wrong_setting_is_refused_by_name(tmp_path: Path, override: str, expected: str) -> None:
    file = written(tmp_path, "data: {folder: x}\n")
    with pytest.raises(RecipeError, match=expected) as caught:
        load_recipe(file, [override])
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["a: [", "- 1\n", "!!python/object:os.system {}"])
def test_what_is_no_recipe_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(RecipeError, match="E_BAD_YAML"):
        load_recipe(written(tmp_path, text))


def test_a_missing_recipe_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match=r"E_NO_RECIPE none\.yaml"):
        load_recipe(tmp_path / "none.yaml")
