"""A test split that cannot be opened is heard of before the training, not after it."""

from __future__ import annotations

from pathlib import Path

import pytest

from recipe_cases import tiny_recipe, write_cohort
from tetract.data import Split, open_dataset
from tetract.errors import TetractError
from tetract.recipe import train


@pytest.fixture
def gapped(tmp_path: Path) -> Path:
    """A phantom cohort whose first test series has lost a slice."""
    folder = open_dataset(write_cohort(tmp_path / "cohort"))
    series = next(row.image for row in folder.rows if row.split == Split.TEST)
    sorted(series.iterdir())[2].unlink()
    return folder.root


def test_training_refuses_it_before_it_reads_a_slice(gapped: Path, tmp_path: Path) -> None:
    read: list[int] = []
    with pytest.raises(TetractError, match=r"E_NONUNIFORM_SPACING table\.csv row"):
        train(
            tiny_recipe(gapped, tmp_path / "run"),
            show_progress=False,
            on_prepared=lambda done, _: read.append(done),
        )
    assert read == []


def test_training_warns_of_it_where_it_may_be_skipped(gapped: Path, tmp_path: Path) -> None:
    told: list[str] = []
    train(
        tiny_recipe(gapped, tmp_path / "run", data={"skip_unreadable": True}),
        show_progress=False,
        on_warned=told.extend,
    )
    assert "W_HEADS_UNREADABLE 6 of 12 rows of split test" in "\n".join(told)
