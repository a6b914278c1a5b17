"""The cards of a real, tiny run: all of them, whole, and none where none are wanted."""

from __future__ import annotations

import json
from pathlib import Path
from shutil import copytree

import pytest

from recipe_cases import tiny_recipe, write_cohort
from tetract.data import SplitFractions, open_dataset
from tetract.data.resplit import split_dataset
from tetract.evaluate.cards.files import cards_to_json
from tetract.recipe import Evaluated, evaluate_run, load_recipe, train
from tetract.types.card import Verdict

pytestmark = pytest.mark.slow


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
    return evaluate_run(recipe, run / "last", split="test", draws=50, cards=True)


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
    cards = evaluate_run(recipe, place / "run" / "last", split="test", draws=0, cards=True).cards
    assert cards[0].remarks[0].verdict is Verdict.BAD
    assert "another split of this data set" in cards[0].remarks[0].text
