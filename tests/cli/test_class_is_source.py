"""Where the source gives the class away, no command shows its accuracy without the red banner."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable
from pathlib import Path
from shutil import copytree

import pytest

from recipe_cases import tiny_recipe
from tetract.cli import main
from tetract.data.phantom.cohort import write_phantom_cohort
from tetract.data.phantom.patient import PhantomConfig
from tetract.errors import Exit
from tetract.recipe.load import save_recipe

pytestmark = pytest.mark.slow

WORDS = "Class and source coincide"
SOURCES = {"normal": "scanner-a", "nodule": "scanner-b", "ground_glass": "scanner-c"}


def _cohort(folder: Path) -> Path:
    """Enough patients that validation holds slices of two classes."""
    return write_phantom_cohort(
        folder, PhantomConfig(patients=(3, 3, 3), slices=(6, 6), size_px=64)
    )


def _entangle(cohort: Path) -> Path:
    """Give each class a scanner of its own."""
    path = cohort / "table.csv"
    with path.open(newline="") as file:
        table = list(csv.DictReader(file))
    rows = [{**row, "source": SOURCES.get(row["class"], row["source"])} for row in table]
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return cohort


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("entangled")
    recipe = tiny_recipe(
        _entangle(_cohort(folder / "phantom")), folder / "run", tasks=["classification"]
    )
    save_recipe(recipe, folder / "recipe.yaml")
    return folder


Call = Callable[..., tuple[str, str]]


@pytest.fixture
def call(capfd: pytest.CaptureFixture[str]) -> Call:
    def run(*words: object) -> tuple[str, str]:
        assert main._guarded([str(word) for word in words]) == Exit.OK
        return capfd.readouterr()

    return run


@pytest.fixture
def trained(place: Path, call: Call) -> tuple[Path, str, str]:
    """The run, trained and scored once, and what both said."""
    run = place / "run"
    if not run.exists():
        told, warned = call("train", place / "recipe.yaml")
        (place / "train.txt").write_text(told + warned)
        told, _ = call("evaluate", run, "--draws", 20)
        (place / "evaluate.txt").write_text(told)
    return run, (place / "train.txt").read_text(), (place / "evaluate.txt").read_text()


def test_training_says_so_before_the_first_step_and_beside_the_best_score(
    trained: tuple[Path, str, str],
) -> None:
    run, told, _ = trained
    assert f"W_CLASS_IS_SOURCE split train: {WORDS}" in told
    assert f"W_CLASS_IS_SOURCE split val: {WORDS}" in told
    assert re.search(rf"^{WORDS}.*\nTrained", told, re.MULTILINE)
    with (run / "logs" / "metrics.csv").open(newline="") as file:
        logged = [row for row in csv.DictReader(file) if row["val/class_is_source"]]
    assert {row["val/class_is_source"] for row in logged} == {"1.0"}
    assert json.loads((run / "last" / "model.json").read_text())["metrics"]["class_is_source"] == 1


def test_an_evaluation_says_so_before_every_table_and_after_the_last(
    trained: tuple[Path, str, str],
) -> None:
    run, _, told = trained
    assert told.index(WORDS) < told.index("## ")
    assert told.rindex(WORDS) > told.rindex("| ")
    folder = run / "evaluation" / "test"
    tables = (folder / "tables.md").read_text().split("\n## ")
    assert len(tables) > 3
    assert all(WORDS in table for table in tables)
    captions = (folder / "tables.tex").read_text().split("\\caption")[1:]
    assert all(WORDS in caption.splitlines()[0] for caption in captions)
    results = json.loads((folder / "results.json").read_text())
    assert results["banner"].startswith(WORDS)
    banners = {
        card["name"]: card["banner"]
        for card in json.loads((folder / "cards.json").read_text())["cards"]
    }
    assert banners["model"].startswith(WORDS)


def test_a_report_says_so_before_its_first_figure(
    trained: tuple[Path, str, str], call: Call
) -> None:
    run, *_ = trained
    call("report", run, "-o", run / "page.html")
    page = (run / "page.html").read_text()
    assert f'class="banner" role="alert">{WORDS}' in page
    assert page.index(f">{WORDS}") < page.index("AUROC")
    assert "coincide in validation" in page


def test_a_comparison_says_so(trained: tuple[Path, str, str], call: Call, tmp_path: Path) -> None:
    run, *_ = trained
    other = copytree(run, tmp_path / "other")
    told, _ = call("compare", f"a={run}", f"b={other}", "--draws", 100, "-o", tmp_path / "c")
    assert told.index(WORDS) < told.index("auroc")
    for name in ("compare.md", "compare.tex"):
        text = (tmp_path / "c" / name).read_text()
        assert text.index(WORDS) < text.index("auroc")
    assert json.loads((tmp_path / "c" / "compare.json").read_text())["banner"].startswith(WORDS)
