"""An evaluation ready to be shown: what ``results.json`` holds."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from tetract.evaluate.charts.classification import classification_lines, confusion
from tetract.evaluate.charts.detection import detection_lines, detection_rows
from tetract.evaluate.charts.reconstruction import reconstruction_rows
from tetract.evaluate.charts.segmentation import segmentation_rows
from tetract.evaluate.class_source import source_banner, source_warning
from tetract.evaluate.collect import Collected
from tetract.evaluate.detail_tables import detail_tables
from tetract.evaluate.headline import LOWER_IS_BETTER, PRIMARY, PRIMARY_FIGURES
from tetract.evaluate.markdown import LEGEND, RESEARCH_USE
from tetract.evaluate.named_figures import named_figures, named_parts
from tetract.evaluate.pooled import PooledScores, score_levels
from tetract.evaluate.result import Evaluation
from tetract.evaluate.rows_codec import encode
from tetract.evaluate.table_text import to_latex, to_markdown
from tetract.evaluate.tables import task_tables
from tetract.io import atomic_write_text
from tetract.types import Task
from tetract.types.figure import Figure
from tetract.types.resamples import Resamples
from tetract.types.results import RESULTS_SCHEMA, Estimate, Headline, Results, TaskResults

RESULTS_NAME: Final = "results.json"
_TITLES: Final = {
    Task.CLASSIFICATION: "AUROC, mean of the classes",
    Task.SEGMENTATION: "Dice of the lesions, mean over patients",
    Task.RECONSTRUCTION: "MAE of hidden pixels, share of the window",
    Task.DETECTION: "AP of any lesion at IoU 0.3",
}


def make_results(
    evaluation: Evaluation,
    collected: Collected,
    resamples: Resamples,
    facts: Mapping[str, str],
) -> Results:
    """Everything a report shows but pictures and cards.

    Args:
        evaluation: The figures.
        collected: The rows behind them.
        resamples: The draws behind their intervals.
        facts: Where it was made; shown in this order.
    """
    pooled = score_levels(collected, resamples)
    about, support = evaluation.about, evaluation.overall.support
    banner, warning = source_banner(evaluation), source_warning(evaluation)
    return Results(
        schema=RESULTS_SCHEMA,
        use=RESEARCH_USE,
        command=about.command,
        split=about.split,
        model=about.model,
        slices=support.slices,
        patients=support.patients,
        slices_without_patient=support.slices_without_patient,
        draws=evaluation.bootstrap_draws,
        banner=banner,
        warnings=(*([] if banner or not warning else [warning]), *about.warnings),
        tasks=_tasks(evaluation, collected, resamples, pooled),
        figures=_figures(evaluation, pooled),
        facts=facts,
        legend=LEGEND,
    )


def write_results(folder: Path, results: Results) -> Path:
    """Write ``results.json``, and its tables as ``tables.md`` and ``tables.tex``."""
    tables = [table for one in results.tasks for table in one.tables]
    head = ["# Tables", results.use, *([f"> **{results.banner}**"] if results.banner else [])]
    markdown = "\n\n".join([*head, "\n".join(to_markdown(table) for table in tables)])
    atomic_write_text(folder / "tables.md", markdown)
    latex = "\n".join(to_latex(table) for table in tables)
    atomic_write_text(
        folder / "tables.tex", f"% Needs the package booktabs. {results.use}\n{latex}"
    )
    path = folder / RESULTS_NAME
    atomic_write_text(path, json.dumps(encode(results), indent=1, allow_nan=False) + "\n")
    return path


def to_estimate(figure: Figure) -> Estimate:
    """The figure without its draws."""
    interval = figure.interval
    return Estimate(
        value=figure.value,
        low=None if interval is None else interval.low,
        high=None if interval is None else interval.high,
        level=None if interval is None else interval.level,
        slices=figure.support.slices,
        patients=figure.support.patients,
        slices_without_patient=figure.support.slices_without_patient,
        reason=figure.reason,
        no_interval=figure.no_interval,
    )


def _figures(evaluation: Evaluation, pooled: Sequence[PooledScores]) -> dict[str, Estimate]:
    """Of slices under their usual names; ``classification/patient/...`` of pooled ones."""
    found = named_figures(evaluation)
    for one in pooled:
        found.update(named_parts(f"classification/{one.level}", one.scores))
    return {name: to_estimate(figure) for name, figure in found.items()}


def _tasks(
    evaluation: Evaluation,
    collected: Collected,
    resamples: Resamples,
    pooled: Sequence[PooledScores],
) -> tuple[TaskResults, ...]:
    main, detail = task_tables(evaluation), detail_tables(evaluation, pooled)
    overall, classes = evaluation.overall, collected.label_space.classes
    labelled = collected.classification
    lines = {Task.DETECTION: detection_lines(overall)}
    rows = {
        Task.SEGMENTATION: segmentation_rows(overall, collected.segmentation),
        Task.RECONSTRUCTION: reconstruction_rows(overall),
        Task.DETECTION: detection_rows(overall),
    }
    if Task.CLASSIFICATION in evaluation.tasks:
        lines[Task.CLASSIFICATION] = classification_lines(labelled, classes, resamples)
    figures = named_figures(evaluation)
    return tuple(
        TaskResults(
            task=task,
            headline=_headline(task, evaluation, figures),
            tables=(*main.get(task, ()), *detail.get(task, ())),
            lines=lines.get(task, ()),
            rows=rows.get(task, ()),
            matrices=confusion(labelled, classes) if task is Task.CLASSIFICATION else (),
        )
        for task in Task
        if task in evaluation.tasks
    )


def _headline(task: Task, evaluation: Evaluation, figures: Mapping[str, Figure]) -> Headline:
    name = PRIMARY_FIGURES[task]
    return Headline(
        name=name,
        title=_TITLES[task],
        unit="",
        is_better_low=PRIMARY[task] in LOWER_IS_BETTER,
        overall=to_estimate(figures[name]),
        sources={
            section.name: to_estimate(figures[f"{section.name}/{name}"])
            for section in evaluation.sources
        },
        compared=_compared(task, evaluation),
    )


def _compared(task: Task, evaluation: Evaluation) -> str:
    scores = evaluation.overall.reconstruction
    if task is Task.RECONSTRUCTION and scores is not None:
        filtered = scores.mean_filter_mae.value
        return "" if filtered is None else f"a mean filter reaches {filtered:.3f}"
    return "guessing reaches 0.500" if task is Task.CLASSIFICATION else ""
