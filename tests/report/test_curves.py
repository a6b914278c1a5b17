"""Curves from a log."""

from __future__ import annotations

from pathlib import Path

import pytest

from tetract.errors import ReadError
from tetract.report import learning_curves


def log(folder: Path, words: str) -> Path:
    path = folder / "metrics.csv"
    path.write_text(words, encoding="utf-8")
    return path


def test_each_quantity_gets_its_chart_training_first(tmp_path: Path) -> None:
    words = "val/dice,step,train/loss/segmentation,lr\n,0,1.5,0.1\n0.4,1,,0.1\n0.6,2,0.7,0.1\n"
    drawn = learning_curves(log(tmp_path, words))
    assert drawn.count("<svg") == 2
    assert drawn.index("segmentation loss") < drawn.index("dice")
    assert "last 0.600, 2 values" in drawn


def test_of_lightnings_twins_only_the_steps_are_drawn(tmp_path: Path) -> None:
    words = "step,train/loss/a_step,train/loss/a_epoch\n0,1,\n1,2,\n1,,1.5\n"
    assert learning_curves(log(tmp_path, words)).count("<svg") == 1


def test_nan_and_empty_cells_are_not_measurements(tmp_path: Path) -> None:
    words = "step,val/auroc\n0,nan\n1,inf\n2,\n3,0.9\n"
    assert "1 values" in learning_curves(log(tmp_path, words))


def test_a_log_without_values_says_so(tmp_path: Path) -> None:
    assert "Nothing was logged" in learning_curves(log(tmp_path, "step,val/dice\n"))


def test_a_column_name_cannot_become_markup(tmp_path: Path) -> None:
    assert "<script" not in learning_curves(log(tmp_path, "step,val/<script>\n0,1\n1,2\n"))


@pytest.mark.parametrize("words", ["", "a,b\n1,2\n"])
def test_a_table_without_steps_is_refused(tmp_path: Path, words: str) -> None:
    with pytest.raises(ReadError, match=r"E_BAD_LOG metrics\.csv"):
        learning_curves(log(tmp_path, words))


def test_a_missing_log_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ReadError, match="E_NO_FILE"):
        learning_curves(tmp_path / "none.csv")
