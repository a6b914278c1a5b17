"""From a training to its page."""

from __future__ import annotations

from pathlib import Path

import pytest

from recipe_cases import tiny_recipe, write_cohort
from tetract.data import open_dataset
from tetract.recipe import evaluate_run, save_evaluated, train
from tetract.report.run.write import write_report
from tetract.types import Task

pytestmark = pytest.mark.slow


def test_a_run_is_told_on_one_page_that_names_no_patient(tmp_path: Path) -> None:
    cohort = write_cohort(tmp_path / "phantom")
    done = train(tiny_recipe(cohort, tmp_path / "run"), show_progress=False)
    evaluated = evaluate_run(done.recipe, done.folder / "last", split="test", draws=20)
    save_evaluated(tmp_path / "test", evaluated)
    assert write_report(done.folder, tmp_path / "test", tmp_path / "report.html") == ()
    page = (tmp_path / "report.html").read_text()
    # After four steps the model knows little, but each task has its worst slice.
    assert page.count(">worst<") == len(Task)
    patients = {row.patient for row in open_dataset(cohort).rows}
    assert not [name for name in patients if name and name in page]
