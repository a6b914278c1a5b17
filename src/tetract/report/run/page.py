"""One self-contained page about a run: how it learnt, how well it does, what to beware of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from tetract.report.markup import Html, el, join
from tetract.report.run.cards import banners, cards_section
from tetract.report.run.cases import case_colours, cases_section
from tetract.report.run.evaluated import Evaluated
from tetract.report.run.figure_table import figure_table
from tetract.report.run.headline import headline_strip
from tetract.report.run.line_chart import line_chart
from tetract.report.run.matrix import matrix
from tetract.report.run.row_chart import row_chart
from tetract.report.run.style import CSS
from tetract.report.style import NOTICE, document, header
from tetract.types.results import Results, TaskResults
from tetract.types.table import Table

# Warnings after which a figure may mean something else than it says.
GRAVE: Final = ("W_LEAK", "W_NO_PATIENT_IDS")
LEGEND: Final = (
    "Under each figure: its 95 % interval, patients drawn again; none where fewer than 5 patients, "
    "or too few of one kind, stand behind it. Slices and patients stand in the last column, or "
    "under the figure where they differ along the row; +k?: k slices whose source names no "
    "patient, each counted as a group of its own. A dash is a figure that is not defined; the note "
    "says why."
)
# Tables beyond these are folded away on the screen.
_MAIN: Final = {"classification": 2, "segmentation": 2, "reconstruction": 2, "detection": 2}


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What the page says beside the evaluation.

    Attributes:
        title: Name of the run.
        curves: From ``learning_curves``; a sentence where nothing was logged.
        recipe: The recipe as YAML; "" where the run has none.
    """

    title: str
    curves: Html
    recipe: str


def report_page(evaluated: Evaluated, told: Told) -> str:
    """The page, in one string: no network, no script.

    Args:
        evaluated: Everything the evaluation wrote; names in it may be hostile, they are escaped.
        told: The rest.
    """
    results = evaluated.results
    colours = case_colours(evaluated.cases)
    body = join(
        (
            header("TetraCT report", told.title, _line(results)),
            el(
                "main",
                *(_red(words) for words in _grave(evaluated)),
                _contents(results),
                headline_strip(results.tasks),
                el("p", _how_headline(results), class_="caption"),
                *(_task(one, evaluated, colours) for one in results.tasks),
                el("h2", "Cards", id="cards"),
                cards_section(evaluated.cards),
                el("h2", "Learning curves", id="curves"),
                told.curves,
                *_making(results, told.recipe),
                el("footer", f"{NOTICE} All numbers shown here are also in results.json."),
            ),
        )
    )
    return document(f"{told.title}: TetraCT report", body, css=CSS)


def _line(results: Results) -> str:
    """What was trained on what, and scored on whom."""
    tasks = ", ".join(one.task for one in results.tasks)
    trained = results.facts.get("Trained on", "")
    parts = [
        f"Scored on the {results.split} split: {results.slices:,} slices of "
        f"{results.patients:,} patients",
        tasks,
        f"trained on {trained}" if trained else "",
        f"model {results.model}",
    ]
    return " \N{MIDDLE DOT} ".join(part for part in parts if part)


def _grave(evaluated: Evaluated) -> list[str]:
    """What must be read before any figure: ours, the cards', and grave warnings."""
    results = evaluated.results
    own = [results.banner] if results.banner else []
    warned = [line for line in results.warnings if line.startswith(GRAVE)]
    return list(dict.fromkeys([*own, *banners(evaluated.cards), *warned]))


def _red(words: str) -> Html:
    return el("p", words, class_="banner", role="alert")


def _contents(results: Results) -> Html:
    links = [(one.task, one.task.capitalize()) for one in results.tasks]
    links += [("cards", "Cards"), ("curves", "Learning curves"), ("making", "How it was made")]
    return el("nav", *(el("a", words, href=f"#{name}") for name, words in links))


def _how_headline(results: Results) -> str:
    drawn = (
        f"Intervals: {results.draws:,} bootstrap draws of patients."
        if results.draws
        else "No intervals were asked for."
    )
    return (
        "One figure per task, chosen before any was seen; below, the same by source where there "
        f"are several. {drawn}"
    )


def _task(one: TaskResults, evaluated: Evaluated, colours: Mapping[str, str]) -> Html:
    charts = [
        *(line_chart(chart) for chart in one.lines),
        *(matrix(given) for given in one.matrices),
        *(row_chart(chart) for chart in one.rows),
    ]
    main = _MAIN.get(one.task, 2)
    cases = [case for case in evaluated.cases if case.task == one.task]
    return el(
        "section",
        el("h2", one.task.capitalize(), id=one.task),
        el("div", *charts, class_="charts") if charts else Html(),
        *(figure_table(table) for table in one.tables[:main]),
        _folded(one.tables[main:]),
        cases_section(cases, colours),
    )


def _folded(tables: Sequence[Table]) -> Html:
    if not tables:
        return Html()
    names = ", ".join(table.title.partition(", ")[2] or table.title for table in tables)
    return el(
        "details",
        el("summary", f"More tables: {names}"),
        *(figure_table(table) for table in tables),
    )


def _making(results: Results, recipe: str) -> tuple[Html, ...]:
    pairs = join(join((el("dt", key), el("dd", said))) for key, said in results.facts.items())
    milder = [line for line in results.warnings if not line.startswith(GRAVE)]
    return (
        el("h2", "How it was made", id="making"),
        el("pre", results.command) if results.command else Html(),
        el("dl", pairs, class_="facts"),
        el("h3", "Warnings of the data set") if milder else Html(),
        el("ul", *(el("li", line) for line in milder), class_="warnings") if milder else Html(),
        el("h3", "How to read the tables"),
        el("p", LEGEND),
        el("details", el("summary", "The recipe, resolved"), el("pre", recipe))
        if recipe
        else Html(),
    )
