"""The results of an evaluation, ready to be shown: what ``results.json`` holds.

Everything is a number, a text or a list of them, so that any program can read the file, and a page
can be drawn without the libraries that made it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from tetract.types.chart import LineChart, Matrix, RowChart
from tetract.types.table import Table

RESULTS_SCHEMA: Final = "tetract.results/1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """One figure, without what it was computed from.

    Attributes:
        value: The number; None where it is not defined.
        low: Lower end of its interval; None where that is unknown.
        high: Upper end.
        level: Stated coverage of the interval; None without one.
        slices: Slices behind it.
        patients: Known patients among them.
        slices_without_patient: Slices whose source names no patient.
        reason: Why there is no number; "".
        no_interval: Why there is no interval; "".
    """

    value: float | None
    low: float | None
    high: float | None
    level: float | None
    slices: int
    patients: int
    slices_without_patient: int
    reason: str = ""
    no_interval: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Headline:
    """The one figure that was chosen in advance for a task.

    Attributes:
        name: Its name among ``Results.figures``.
        title: What it is, in words.
        unit: Of the value; "" for shares of 1.
        is_better_low: Whether less of it is better.
        overall: Over all slices.
        sources: By source.
        compared: What it should be compared with, in words; "".
    """

    name: str
    title: str
    unit: str
    is_better_low: bool
    overall: Estimate
    sources: Mapping[str, Estimate]
    compared: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskResults:
    """Everything about one task.

    Attributes:
        task: Its name.
        headline: Its one figure.
        tables: The main tables, then the detailed ones.
        lines: Its curves.
        rows: Its charts of one row per group.
        matrices: Its tables of confusion.
    """

    task: str
    headline: Headline
    tables: tuple[Table, ...]
    lines: tuple[LineChart, ...] = ()
    rows: tuple[RowChart, ...] = ()
    matrices: tuple[Matrix, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Results:
    """An evaluation, ready to be shown.

    Attributes:
        schema: ``RESULTS_SCHEMA``.
        use: What it may be used for.
        command: The command line that made it.
        split: Name of the split.
        model: Name of the model and first digits of its weights' SHA-256.
        slices: Slices that were seen.
        patients: Known patients among them.
        slices_without_patient: Slices whose source names no patient.
        draws: Bootstrap draws behind the intervals; 0: there are none.
        banner: What must be read before any figure; "".
        warnings: Warnings of the data set, each starting with its code.
        tasks: The model's tasks.
        figures: Every figure by its name; those of one source begin with it.
        facts: Where it was made: data set, versions, machine, seed, hashes.
        legend: How to read the tables.
    """

    schema: str
    use: str
    command: str
    split: str
    model: str
    slices: int
    patients: int
    slices_without_patient: int
    draws: int
    banner: str
    warnings: tuple[str, ...]
    tasks: tuple[TaskResults, ...]
    figures: Mapping[str, Estimate]
    facts: Mapping[str, str]
    legend: str
