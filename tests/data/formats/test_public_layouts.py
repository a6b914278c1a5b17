"""What all layouts of public sets have in common."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from published import picture, refused, run

from tetract.data.formats.public_layouts import LAYOUTS


@pytest.mark.parametrize("name", LAYOUTS)
def test_a_folder_that_is_not_there_is_told(tmp_path: Path, name: str) -> None:
    refused(name, tmp_path / "none", "E_NOT_FOUND")


def test_an_unknown_set_names_the_known_ones(tmp_path: Path) -> None:
    assert "iq-oth-nccd" in refused("luna16", tmp_path, "E_SET_UNKNOWN")


@pytest.mark.parametrize("name", LAYOUTS)
def test_presets_pool_into_one_vocabulary_or_say_so(name: str) -> None:
    rules = LAYOUTS[name].mapping()
    pooled = ("normal", "benign", "lung_cancer", "covid", "pneumonia")
    assert rules.classes == pooled or name.endswith("-histology")
    assert all(not source.card.normal_means_lesion_free for source in rules.sources)


def test_running_again_gives_the_same_bytes(tmp_path: Path) -> None:
    picture(tmp_path / "iq" / "Normal cases" / "Normal case (1).png")
    picture(tmp_path / "iq" / "Normal cases" / "Normal case (2).png")
    run("iq-oth-nccd", tmp_path / "iq")
    out = tmp_path / "iq-oth-nccd-out"
    first = {path.name: path.read_bytes() for path in out.iterdir()}
    run("iq-oth-nccd", tmp_path / "iq")
    shutil.rmtree(out)
    run("iq-oth-nccd", tmp_path / "iq")
    assert {path.name: path.read_bytes() for path in out.iterdir()} == first
