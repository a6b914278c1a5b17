"""References that are missing, of one kind, of others or no numbers: never a silent 0 or 1.

From the command line, with a network of four steps. Too few patients for the folds asked for:
``test_audit_and_split.py``.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from shutil import copytree
from typing import Any

import pytest
import torch

from recipe_cases import tiny_recipe, write_cohort
from tetract.cli import main
from tetract.errors import Exit
from tetract.model.bundle import load_bundle, save_bundle
from tetract.recipe.load import save_recipe

pytestmark = pytest.mark.slow

Call = Callable[..., tuple[int, str, str]]
Cells = dict[str, str]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A phantom, a run on it, and what it scores there."""
    folder = tmp_path_factory.mktemp("bad")
    recipe = tiny_recipe(write_cohort(folder / "phantom"), folder / "run")
    save_recipe(recipe, folder / "recipe.yaml")
    assert main._guarded(["train", str(folder / "recipe.yaml")]) == Exit.OK
    words = ["--draws", "5", "--no-cards", "-o", str(folder / "one" / "evaluation" / "test")]
    assert main._guarded(["evaluate", str(folder / "run"), *words]) == Exit.OK
    return folder


@pytest.fixture
def call(capfd: pytest.CaptureFixture[str]) -> Call:
    def run(*words: object) -> tuple[int, str, str]:
        code = main._guarded([str(word) for word in words])
        return (code, *capfd.readouterr())

    return run


@pytest.fixture
def evaluate(place: Path, call: Call, tmp_path: Path) -> Callable[..., tuple[int, str, str]]:
    def run(
        run: str = "run", data: Path = place / "phantom", out: str = "out"
    ) -> tuple[int, str, str]:
        words = ("--data", data, "--draws", 5, "--no-cards", "-o", tmp_path / out)
        return call("evaluate", place / run, *words)

    return run


def altered(phantom: Path, folder: Path, change: Callable[[Cells], Cells | None]) -> Path:
    """A copy of the phantom with other rows."""
    copytree(phantom, folder)
    with (folder / "table.csv").open(newline="") as file:
        table = list(csv.DictReader(file))
    with (folder / "table.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, list(table[0]))
        writer.writeheader()
        writer.writerows(row for one in table if (row := change(one)) is not None)
    return folder


def figures(value: Any, name: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Every figure of ``evaluation.json`` under the names of its keys."""
    if isinstance(value, dict) and "support" in value and "value" in value:
        yield name, value
    elif isinstance(value, dict):
        for key, entry in value.items():
            yield from figures(entry, f"{name}/{key}")
    elif isinstance(value, list):
        for entry in value:
            yield from figures(entry, name)


def found_in(folder: Path) -> dict[str, list[dict[str, Any]]]:
    """The figures of an evaluation, each a number or a reason, and no file with anything else."""
    for path in folder.iterdir():
        if path.suffix in {".md", ".tex", ".json"}:
            assert not re.search(r"\b(nan|inf|infinity)\b", path.read_text(), re.IGNORECASE), path
    found: dict[str, list[dict[str, Any]]] = {}
    for name, one in figures(json.loads((folder / "evaluation.json").read_text())):
        assert (one["value"] is None) == bool(one["reason"]), name
        found.setdefault(name, []).append(one)
    return found


def refused(told: tuple[int, str, str], code: str) -> str:
    """Exit 2, one line that begins with the code."""
    assert told[0] == Exit.BAD_INPUT
    (line,) = [line for line in told[2].splitlines() if line.startswith("E_")]
    assert line.startswith(code)
    return line


def test_a_task_without_a_reference_is_told_in_one_line_and_has_no_figures(
    place: Path, evaluate: Call, tmp_path: Path
) -> None:
    blank = altered(place / "phantom", tmp_path / "data", lambda row: {**row, "class": "unknown"})
    code, told, _ = evaluate(data=blank)
    assert code == Exit.OK
    assert "W_NO_REFERENCE classification: none of 12 slices is labelled for it" in told
    assert told.count("W_NO_REFERENCE") == 1
    mine = {k: v for k, v in found_in(tmp_path / "out").items() if "/classification" in k}
    assert mine
    assert all(one["value"] is None for each in mine.values() for one in each)
    headline = json.loads((tmp_path / "out" / "evaluation.json").read_text())["headline"]
    assert headline["classification/auroc_macro"] is None


def test_one_class_alone_scores_neither_0_nor_1(
    place: Path, evaluate: Call, tmp_path: Path
) -> None:
    one = altered(place / "phantom", tmp_path / "data", lambda row: {**row, "class": "nodule"})
    code, told, _ = evaluate(data=one)
    assert code == Exit.OK
    assert "only one class among the rows" in told
    mine = {k: v for k, v in found_in(tmp_path / "out").items() if "/overall/classification" in k}
    known = {name.rsplit("/")[-1] for name, each in mine.items() if any(o["value"] for o in each)}
    # What is left is about one kind of rows by its definition, and says of which.
    assert known <= {"sensitivity", "specificity"}


def test_predictions_of_other_cases_or_against_other_labels_are_not_compared(
    place: Path, evaluate: Call, call: Call, tmp_path: Path
) -> None:
    phantom = place / "phantom"
    fewer = altered(phantom, tmp_path / "a", lambda r: None if r["slice"] == "5" else r)
    other = altered(
        phantom, tmp_path / "b", lambda r: {**r, "class": "nodule"} if r["slice"] == "5" else r
    )
    one, out = f"one={place / 'one'}", tmp_path / "compared"
    for name, data, why in (("a", fewer, "E_OTHER_CASES"), ("b", other, "E_OTHER_LABELS")):
        assert evaluate(data=data, out=f"of_{name}/evaluation/test")[0] == Exit.OK
        refused(call("compare", one, f"two={tmp_path / f'of_{name}'}", "-o", out), why)
    assert not out.exists()


def test_scores_that_are_no_numbers_stop_the_evaluation(
    place: Path, evaluate: Call, tmp_path: Path
) -> None:
    bundle = load_bundle(place / "run")
    for weights in bundle.network.parameters():
        torch.nn.init.constant_(weights, float("nan"))
    copytree(place / "run", place / "spoilt")
    save_bundle(place / "spoilt" / "best", bundle.network, version="test")
    refused(evaluate(run="spoilt"), "E_PREDICTION_NOT_FINITE")
    assert not (tmp_path / "out").exists()


def test_grey_values_are_not_taken_for_hounsfield_units(
    place: Path, evaluate: Call, tmp_path: Path
) -> None:
    mixed = altered(place / "phantom", tmp_path / "data", lambda row: row)
    card = mixed / "dataset.yaml"
    card.write_text(card.read_text().replace("hu_known: true", "hu_known: false"))
    line = refused(evaluate(data=mixed), "E_HU_CARD")
    assert "expected grey values of a picture, found Hounsfield units" in line


def test_errors_of_another_window_are_not_subtracted(
    place: Path, evaluate: Call, call: Call, tmp_path: Path
) -> None:
    copytree(place / "run", place / "wider")
    recipe = place / "wider" / "recipe.yaml"
    recipe.write_text(
        re.sub(r"window_hu:\n(\s+)- .*", r"window_hu:\n\1- -1400.0", recipe.read_text())
    )
    assert evaluate(run="wider", out="two/evaluation/test")[0] == Exit.OK
    arms = (f"a={place / 'one'}", f"b={tmp_path / 'two'}")
    code, told, _ = call("compare", *arms, "--draws", 100, "-o", tmp_path / "c")
    assert code == Exit.OK
    assert "Not compared: reconstruction: other windows (-1400 to 150 HU against -1350" in told
    assert "reconstruction/masked_mae" not in told


def test_labels_that_nobody_drew_are_told_with_the_figures(
    place: Path, evaluate: Call, tmp_path: Path
) -> None:
    def bare(row: Cells) -> Cells:
        """No box was drawn; on the last slice of each patient, which is normal, no mask either."""
        last = {"class": "normal", "mask": "unknown"} if row["slice"] == "5" else {}
        return {**row, **last, "boxes": "unknown"}

    code, told, _ = evaluate(data=altered(place / "phantom", tmp_path / "data", bare))
    assert code == Exit.OK
    said = "6 labelled slices 5 derived from other labels, 1 implied by a normal class; nobody"
    lines = [line for line in told.splitlines() if "W_LABELS_FOLLOW" in line]
    assert len([line for line in lines if f"detection: of {said}" in line]) == 2  # one per source
    warnings = json.loads((tmp_path / "out" / "evaluation.json").read_text())["about"]["warnings"]
    assert all(any(one in line for line in lines) for one in warnings if "FOLLOW" in one)
    assert sum("W_LABELS_FOLLOW" in one for one in warnings) == len(lines)
