from __future__ import annotations

from pathlib import Path

import pytest
from dataset_maker import a_card, a_source
from pydantic import ValidationError

from tetract.data import load_card
from tetract.data.card import render_card
from tetract.errors import TetractError


def refused(folder: Path, text: str) -> TetractError:
    (folder / "dataset.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(TetractError) as caught:
        load_card(folder)
    assert "\n" not in str(caught.value)
    return caught.value


def test_a_card_survives_the_disk(tmp_path: Path) -> None:
    card = a_card(a_source(normal_class="normal", normal_means_lesion_free=True, notes="é: #1"))
    (tmp_path / "dataset.yaml").write_text(render_card(card), encoding="utf-8")
    assert load_card(tmp_path) == card


def test_the_label_space_keeps_the_order_of_names() -> None:
    assert a_card().label_space.classes == ("normal", "covid", "cancer")


def test_a_folder_without_card_is_no_dataset(tmp_path: Path) -> None:
    with pytest.raises(TetractError, match="E_NOT_A_DATASET"):
        load_card(tmp_path)


def test_an_unknown_key_is_named_with_its_file(tmp_path: Path) -> None:
    error = refused(tmp_path, render_card(a_card()) + "clases: [a]\n")
    assert error.code == "E_BAD_CARD"
    assert "'clases'" in str(error)
    assert error.where == "dataset.yaml"


def test_a_missing_key_of_a_source_is_named_by_its_place(tmp_path: Path) -> None:
    text = render_card(a_card()).replace("  hu_known: true\n", "")
    assert "'sources.0.hu_known'" in str(refused(tmp_path, text))


@pytest.mark.parametrize("text", ["- a\n- b\n", "name: [", "", "\x00"])
def test_what_is_not_a_mapping_is_refused(tmp_path: Path, text: str) -> None:
    assert refused(tmp_path, text).code == "E_BAD_CARD"


def test_a_source_cannot_look_for_a_class_that_the_set_does_not_know() -> None:
    with pytest.raises(ValidationError, match="mask_classes names 'heart'"):
        a_card(a_source(mask_classes=("heart",)))


@pytest.mark.parametrize("name", ["unknown", "empty", "two words", "a|b", "a;b", "a=b", ""])
def test_a_class_name_that_a_cell_could_not_hold_is_refused(name: str) -> None:
    with pytest.raises(ValidationError):
        a_card().model_validate({**a_card().model_dump(), "classes": (name,)})


def test_lesion_free_needs_a_normal_class() -> None:
    with pytest.raises(ValidationError, match="normal_class"):
        a_source(normal_means_lesion_free=True)


def test_an_unknown_source_is_refused_with_the_known_ones() -> None:
    with pytest.raises(TetractError, match=r"E_SOURCE_UNKNOWN.*site.*'sit'"):
        a_card().source("sit")
