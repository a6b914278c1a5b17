"""A reproduction of two runs, from the first process to the page."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from reproduce_cases import DICE, PLAIN, two_runs

from recipe_cases import write_cohort
from tetract.errors import InputError
from tetract.evaluate.collect import Collected, joined
from tetract.evaluate.rows_file import ROWS_NAME, read_rows
from tetract.evaluate.score import score
from tetract.recipe import pretraining
from tetract.reproduce import one_run, pool
from tetract.reproduce.outcome import FAILURE, load_outcome, load_spent
from tetract.reproduce.plan import Plan, Run
from tetract.reproduce.pool import is_finished, train_all
from tetract.reproduce.show.curves import read_log
from tetract.reproduce.show.measure import measure
from tetract.reproduce.show.page import write_page

pytestmark = pytest.mark.slow


def masked_mae(rows: Collected) -> float:
    part = score(rows).overall.reconstruction
    assert part is not None
    assert part.masked_mae.value is not None
    return part.masked_mae.value


@pytest.fixture(scope="module")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_cohort(tmp_path_factory.mktemp("two") / "phantom")


@pytest.fixture(scope="module")
def done(cohort: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Plan, Path, list[str]]:
    out = tmp_path_factory.mktemp("out")
    plan = two_runs(out, cohort)
    told: list[str] = []
    train_all(
        list(plan.runs.values()),
        jobs=1,
        threads=1,
        logs=out / "logs",
        on_end=lambda run, error: told.append(f"{run.name}{error}"),
    )
    write_page(out, plan, command="tetract reproduce --only X1")
    return plan, out, told


def test_every_run_is_told_and_finished(done: tuple[Plan, Path, list[str]]) -> None:
    plan, _, told = done
    assert sorted(told) == sorted(plan.runs)
    assert all(is_finished(run) for run in plan.runs.values())


def test_weights_that_nothing_starts_from_are_removed(done: tuple[Plan, Path, list[str]]) -> None:
    plan, out, _ = done
    assert not list(out.rglob("*.safetensors"))
    assert {path.name for path in (out / "runs").iterdir()} == set(plan.runs)


def test_the_page_holds_figures_curves_and_the_label(done: tuple[Plan, Path, list[str]]) -> None:
    _, out, _ = done
    html, text = (out / "index.html").read_text(), (out / "reproduction.md").read_text()
    for page in (html, text):
        assert "Our reproduction" in page
        assert "Research use only" in page
        assert "tetract reproduce --only X1" in page
        assert "SR plain" in page
        assert "1 of 1" in page
    assert html.count("<svg") >= 3  # the chart, and a sample of each line in its key
    assert "http" not in html.replace("http-equiv", "")


def test_the_figures_are_those_of_validation_and_test_rows_together(
    done: tuple[Plan, Path, list[str]],
) -> None:
    plan, out, _ = done
    mine = measure(plan)[PLAIN.name].figures["reconstruction/masked_mae"].value
    scored = out / "runs" / plan.of_arm[PLAIN.name][0] / "evaluation"
    rows = [read_rows(scored / split / ROWS_NAME) for split in ("val", "test")]
    each, both = ([masked_mae(one) for one in rows], masked_mae(joined(rows)))
    assert mine == pytest.approx(both)
    assert min(each) < both < max(each)


def test_a_tie_is_called_a_tie_or_unknown_with_two_patients(
    done: tuple[Plan, Path, list[str]],
) -> None:
    _, out, _ = done
    row = next(
        line
        for line in (out / "reproduction.md").read_text().splitlines()
        if line.startswith("| dice against plain")
    )
    assert row.split("|")[-2].strip() in {"tie", "unknown"}


def test_latex_has_both_tables(done: tuple[Plan, Path, list[str]]) -> None:
    _, out, _ = done
    assert (out / "reproduction.tex").read_text().count(r"\begin{tabular}") == 2


def test_the_curve_is_the_logged_loss(done: tuple[Plan, Path, list[str]]) -> None:
    plan, out, _ = done
    points = read_log(out / "runs" / plan.of_arm[DICE.name][0], "train/loss/segmentation")
    assert points
    assert all(math.isfinite(value) for value in points.values())


def test_an_interrupted_test_goes_on_without_training_again(
    cohort: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = next(iter(two_runs(tmp_path, cohort).runs.values()))
    folder = run.recipe.run.folder

    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(one_run, "evaluate_run", interrupt)
        with pytest.raises(KeyboardInterrupt):
            one_run.finish(run.recipe, keep_weights=True)
    assert load_outcome(folder) is None
    spent = load_spent(folder)
    assert spent > 0
    monkeypatch.setattr(one_run, "train", interrupt)
    outcome = one_run.finish(run.recipe, keep_weights=True)
    assert outcome.seconds > spent
    assert (folder / "last").is_dir()


def test_a_failing_run_is_told_and_the_others_go_on(
    cohort: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = two_runs(tmp_path, cohort)
    first, second = plan.runs.values()
    error = str(InputError("E_TEST", "planted"))
    monkeypatch.setattr(
        pool.Worker, "finish", lambda _, run: error if run.name == first.name else ""
    )
    told: dict[str, str] = {}

    def tell(run: Run, why: str) -> None:
        told[run.name] = why

    train_all([first, second], jobs=1, threads=1, logs=tmp_path / "logs", on_end=tell)
    assert told == {first.name: error, second.name: ""}
    assert "planted" in (first.recipe.run.folder / FAILURE).read_text()
    write_page(tmp_path, plan, command="")
    assert "1 runs failed" in (tmp_path / "reproduction.md").read_text()


def test_a_first_stage_that_was_interrupted_begins_anew_and_leaves_nothing(
    cohort: Path, tmp_path: Path
) -> None:
    plain = next(iter(two_runs(tmp_path, cohort).runs.values())).recipe
    recipe = plain.model_copy(
        update={"run": plain.run.model_copy(update={"steps": 1, "pretrain_steps": 1})}
    )
    stage = pretraining(recipe).run.folder
    stage.mkdir(parents=True)
    (stage / "recipe.yaml").write_text("begun")
    one_run.finish(recipe, keep_weights=False)
    assert load_outcome(recipe.run.folder) is not None
    assert not stage.exists()
