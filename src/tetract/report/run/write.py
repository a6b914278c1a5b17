"""The page about a run, from its folder to ``report.html``."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Final

from tetract.io import atomic_write_text
from tetract.report.curves import learning_curves
from tetract.report.markup import Html, el
from tetract.report.run.evaluated import read_evaluation
from tetract.report.run.page import Told, report_page

REPORT_NAME: Final = "report.html"
NO_LOG: Final = "W_NO_LOG the run has no logs/metrics.csv, so the page shows no learning curves"


def write_report(run: Path, evaluation: Path, out: Path, *, slices: bool = True) -> tuple[str, ...]:
    """Write the page; returns warnings, one line each.

    Args:
        run: The run folder, for its recipe and logs; both may be missing.
        evaluation: The folder that ``tetract evaluate`` wrote.
        out: The HTML file.
        slices: Whether slices are shown; a page without any may go where patients' pictures,
            or pictures under a licence, may not.

    Raises:
        InputError: As ``read_evaluation``.
        ReadError: ``E_BAD_LOG``.
    """
    evaluated = read_evaluation(evaluation)
    if not slices:
        evaluated = replace(evaluated, cases=())
    log, recipe = run / "logs" / "metrics.csv", run / "recipe.yaml"
    has_log = log.is_file()
    curves: Html = learning_curves(log) if has_log else el("p", NO_LOG, class_="soft")
    told = Told(
        title=evaluated.results.facts.get("Recipe", run.name),
        curves=curves,
        recipe=recipe.read_text(encoding="utf-8") if recipe.is_file() else "",
    )
    out.parent.mkdir(parents=True, exist_ok=True)
    atomic_write_text(out, report_page(evaluated, told))
    return () if has_log else (NO_LOG,)
