"""The cards of a real, tiny run: all of them, whole, and none where none are wanted."""

from __future__ import annotations

import json
import re
from pathlib import Path
from shutil import copytree

import pytest

from recipe_cases import tiny_recipe, write_cohort
from tetract.data import SplitFractions, open_dataset
from tetract.data.resplit import split_dataset
from tetract.evaluate.cards.files import cards_to_json
from tetract.recipe import Evaluated, Extras, evaluate_run, load_recipe, train
from tetract.recipe.case_maps import sanity_words
from tetract.types import Task
from tetract.types.card import Verdict
from tetract.types.explanation import Sanity

pytestmark = pytest.mark.slow
BOTH = Extras(cards=True, maps=True)
MAPS = {
    Task.CLASSIFICATION: {"class"},
    Task.SEGMENTATION: set(),
    Task.RECONSTRUCTION: {"hidden"},
    Task.DETECTION: {"objectness"},
}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cohort and a run of it."""
    folder = tmp_path_factory.mktemp("cards")
    train(tiny_recipe(write_cohort(folder / "phantom"), folder / "run"), show_progress=False)
    return folder


@pytest.fixture(scope="module")
def done(place: Path) -> Evaluated:
    run = place / "run"
    recipe = load_recipe(run / "recipe.yaml")
    return evaluate_run(recipe, run / "last", split="test", draws=50, extras=BOTH)


def test_every_card_is_made_and_can_be_written(done: Evaluated) -> None:
    names = [card.name for card in done.cards]
    assert names == ["split", "shortcut", "trust", "data", "model", "checklist"]
    assert json.dumps(cards_to_json(done.cards), allow_nan=False)


def test_tables_of_cards_are_whole(done: Evaluated) -> None:
    for card in done.cards:
        assert card.remarks, card.name
        for table in card.tables:
            assert all(len(row) == len(table.columns) for row in table.rows), table.title


def test_what_cannot_be_known_is_never_called_good(done: Evaluated) -> None:
    split = next(card for card in done.cards if card.name == "split")
    verdicts = {remark.verdict for remark in split.remarks if "audit" in remark.text}
    assert verdicts == {Verdict.UNKNOWN}


def test_a_model_of_this_split_is_recognised(done: Evaluated) -> None:
    split = next(card for card in done.cards if card.name == "split")
    assert any("trained with this very split" in remark.text for remark in split.remarks)


def test_cards_name_no_patient(done: Evaluated) -> None:
    text = json.dumps(cards_to_json(done.cards))
    assert "p000" not in text
    assert "PHANTOM" not in text


def test_the_checklist_leaves_to_the_authors_what_no_run_knows(done: Evaluated) -> None:
    card = done.cards[-1]
    answers = {str(row[1]): str(row[2]) for row in card.tables[0].rows}
    assert answers["funding and the funders' part"] == "to be filled in by the authors"
    assert answers["uncertainty"] == "50 bootstrap draws of patients"


def test_a_model_trained_on_another_split_is_called_out(place: Path, tmp_path: Path) -> None:
    data = copytree(place / "phantom", tmp_path / "phantom")
    split_dataset(open_dataset(data), SplitFractions(), seed=1)
    recipe = load_recipe(place / "run" / "recipe.yaml", [f'data.folder="{data}"'])
    asked = Extras(cards=True)
    done = evaluate_run(recipe, place / "run" / "last", split="test", draws=0, extras=asked)
    cards = done.cards
    assert cards[0].remarks[0].verdict is Verdict.BAD
    assert "another split of this data set" in cards[0].remarks[0].text


def test_cases_carry_the_maps_of_their_task_with_scale_and_check(done: Evaluated) -> None:
    for case in done.cases:
        maps = case.layers[4:]
        assert len({layer.name for layer in case.layers}) == len(case.layers)
        assert len({layer.png for layer in case.layers[:4]} & {one.png for one in maps}) == 0
        assert {one.name.split("_")[0] for one in maps} == MAPS[case.task]
        assert all("Dark 0, brightest" in one.note for one in maps)
        checked = r"3 networks of random weights on [2-6] slices"
        assert all(re.search(checked, one.note) for one in maps)
    classes = [case for case in done.cases if case.task is Task.CLASSIFICATION]
    for case in classes:
        said = case.facts[1].removeprefix("Said: ").split()[0]
        assert case.layers[4].name == f"class_{said}"


@pytest.mark.parametrize(
    ("correlation", "passed", "words"),
    [
        (0.2, True, "0.20 (limit 0.5): the map depends on the model; whether it is right,"),
        (0.7, False, "0.70 (limit 0.5): FAILED, the map shows the picture more than the model"),
        (None, None, "Not checked against random weights: the map is the same everywhere."),
    ],
)
def test_a_caption_says_what_the_check_found(
    correlation: float | None, passed: bool | None, words: str
) -> None:
    reason = "" if passed is not None else "the map is the same everywhere"
    found = Sanity(
        name="objectness",
        correlation=correlation,
        passed=passed,
        threshold=0.5,
        slices=6,
        networks=3,
        reason=reason,
    )
    assert words in sanity_words(found)
