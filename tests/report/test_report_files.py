"""From an evaluation's folder to a page, or to one line that says why not."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import TypeAdapter
from report_results import make_card, make_case, make_results

from tetract.cli import main
from tetract.errors import Exit, InputError
from tetract.evaluate.cards.files import write_cards
from tetract.evaluate.case_files import read_cases, write_cases
from tetract.evaluate.results import write_results
from tetract.report.run.evaluated import find_evaluation, read_evaluation
from tetract.report.run.write import write_report
from tetract.types.results import Results


@pytest.fixture
def run(tmp_path: Path) -> Path:
    folder = tmp_path / "run" / "evaluation" / "test"
    folder.mkdir(parents=True)
    write_results(folder, make_results())
    write_cases(folder, [make_case()])
    write_cards(folder, [make_card()])
    return tmp_path / "run"


def call(*arguments: str) -> int:
    return main._guarded(list(arguments))  # pyright: ignore[reportPrivateUsage]  # the exit code


def test_what_is_written_is_what_is_read(run: Path) -> None:
    read = read_evaluation(find_evaluation(run, "test"))
    assert read.results == make_results()
    assert read.cards == (make_card(),)
    assert read.cases == (make_case(),)


def test_a_report_needs_neither_cards_nor_cases_nor_logs(run: Path, tmp_path: Path) -> None:
    folder = find_evaluation(run, "test")
    (folder / "cards.json").unlink()
    (folder / "cases" / "cases.json").unlink()
    (warning,) = write_report(run, folder, tmp_path / "report.html")
    assert warning.startswith("W_NO_LOG")
    assert "AUROC covid" in (tmp_path / "report.html").read_text()


def test_a_report_without_slices_holds_no_picture_of_a_patient(run: Path, tmp_path: Path) -> None:
    folder = find_evaluation(run, "test")
    for shown in (True, False):
        write_report(run, folder, tmp_path / "report.html", slices=shown)
        assert ("data:image/png" in (tmp_path / "report.html").read_text()) == shown


def test_a_log_becomes_curves_and_no_warning(run: Path, tmp_path: Path) -> None:
    (run / "logs").mkdir()
    (run / "logs" / "metrics.csv").write_text("step,train/loss/detection\n1,2.0\n2,1.0\n")
    assert write_report(run, find_evaluation(run, "test"), tmp_path / "r.html") == ()
    assert 'class="curves"' in (tmp_path / "r.html").read_text()


def test_a_run_that_was_not_evaluated_is_refused(run: Path) -> None:
    with pytest.raises(InputError, match="E_NOT_EVALUATED"):
        find_evaluation(run, "val")
    with pytest.raises(InputError, match="E_NOT_EVALUATED"):
        read_evaluation(run)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda text: text.replace("tetract.results/1", "tetract.results/0"),
        lambda text: text[:-20],
        lambda text: f"[{text}]",
        lambda text: text.replace('"patients": 12', '"patients": "many"'),
        lambda text: text.replace('"legend"', '"unknown"'),
    ],
    ids=["another version", "cut off", "a list", "words for a number", "a field missing"],
)
def test_damaged_results_are_one_line(run: Path, spoil: Callable[[str], str]) -> None:
    path = find_evaluation(run, "test") / "results.json"
    path.write_text(spoil(path.read_text()))
    with pytest.raises(InputError, match="E_BAD_RESULTS") as refused:
        read_evaluation(path.parent)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("spoil", ["schema", "picture", "path"])
def test_damaged_cases_are_one_line(run: Path, spoil: str) -> None:
    path = find_evaluation(run, "test") / "cases" / "cases.json"
    document = json.loads(path.read_text())
    if spoil == "schema":
        document["schema"] = "tetract.cases/0"
    if spoil == "path":
        (path.parent.parent / "x.png").write_bytes(b"")
        document["cases"][0]["layers"][0]["png"] = "../x.png"
    if spoil == "picture":
        next(path.parent.glob("*.png")).unlink()
    path.write_text(json.dumps(document))
    with pytest.raises(InputError, match="E_BAD_CASES"):
        read_cases(path.parent.parent)


def test_pictures_of_an_earlier_evaluation_do_not_stay(run: Path) -> None:
    folder = find_evaluation(run, "test")
    write_cases(folder, [replace(make_case(), layers=())])
    assert list((folder / "cases").glob("*.png")) == []


def test_equal_pictures_are_written_once(tmp_path: Path) -> None:
    case = make_case()
    write_cases(tmp_path, [case, replace(case, row=8)])
    assert len(list((tmp_path / "cases").glob("*.png"))) == 1


def test_the_documented_schema_is_that_of_the_nouns() -> None:
    documented = Path(__file__).parents[2] / "docs" / "reference" / "results.schema.json"
    assert json.loads(documented.read_text()) == TypeAdapter(Results).json_schema()


def test_the_command_says_where_the_page_is_or_what_is_missing(
    run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call("report", str(run)) == Exit.OK
    said = capsys.readouterr()
    assert said.out.strip().endswith("evaluation/test/report.html")
    assert said.err.startswith("W_NO_LOG")
    assert call("report", str(run), "--split", "val") == Exit.BAD_INPUT
    assert "E_NOT_EVALUATED" in capsys.readouterr().err
