"""``tetract reproduce`` from its command line, with runs that end at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from recipe_cases import write_cohort
from tetract.cli import main
from tetract.errors import Exit
from tetract.reproduce.plan import Run
from tetract.reproduce.pool import Worker


def test_failing_runs_are_told_and_the_page_is_written_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(_: Worker, run: Run) -> str:
        return f"E_TEST {run.letters}: planted"

    monkeypatch.setattr(Worker, "finish", fail)
    data, out = write_cohort(tmp_path / "phantom"), tmp_path / "out"
    words = ["reproduce", "--only", "F3,L1", "--data", str(data), "-o", str(out), "--seeds", "1"]
    monkeypatch.setattr("sys.argv", ["tetract", *words])
    with pytest.raises(SystemExit) as stop:
        main.run()
    told = capsys.readouterr()
    assert stop.value.code == Exit.SKIPPED
    assert "planted" in told.err
    assert f"Written to {out / 'index.html'}" in told.out
    assert "runs failed" in (out / "index.html").read_text()
