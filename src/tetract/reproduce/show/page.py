"""The page: HTML to look at, Markdown to keep, LaTeX to publish."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import tetract
from tetract.evaluate.table_text import to_latex, to_markdown
from tetract.io import atomic_write_text
from tetract.report.line_chart import draw_lines
from tetract.report.markup import Html, el, join
from tetract.report.style import NOTICE, document, header
from tetract.report.tables import render
from tetract.reproduce.arm import Part
from tetract.reproduce.plan import Plan
from tetract.reproduce.show.curves import part_charts
from tetract.reproduce.show.measure import Results, measure
from tetract.reproduce.show.tables import part_tables
from tetract.types.chart import LineChart
from tetract.types.table import Table

LABEL = (
    "Our reproduction. The paper's own numbers were not at hand: nothing here is quoted from it, "
    "and its form of each part is as we read it."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Section:
    part: Part
    tables: tuple[Table, ...]
    charts: tuple[LineChart, ...]


def write_page(out: Path, plan: Plan, *, command: str) -> Path:
    """Measure what is finished and write ``index.html``, ``reproduction.md`` and ``.tex``.

    Returns:
        The HTML file.
    """
    results = measure(plan)
    sections = [
        _Section(part=part, tables=part_tables(part, results), charts=part_charts(part, plan))
        for part in plan.parts
    ]
    facts = _facts(plan, results)
    warnings = _warnings(plan, results)
    atomic_write_text(out / "reproduction.md", _markdown(plan, sections, facts, warnings, command))
    tables = [table for one in sections for table in one.tables]
    atomic_write_text(out / "reproduction.tex", "\n".join(to_latex(table) for table in tables))
    atomic_write_text(out / "index.html", _html(plan, sections, facts, warnings, command))
    return out / "index.html"


def _facts(plan: Plan, results: Results) -> Mapping[str, str]:
    outcomes = {
        name: outcome
        for arm, names in plan.of_arm.items()
        for name, outcome in zip(names, results[arm].outcomes, strict=False)
    }
    spent = sum(one.seconds for one in outcomes.values())
    profile = plan.basis.profile
    recipes = [run.recipe for run in plan.runs.values()]
    threads = sorted({one.threads for one in outcomes.values()})
    return {
        "Profile": f"{profile.name}. {profile.about}",
        "Runs": f"{len(outcomes)} of {len(plan.runs)} finished, {spent / 3600:.2f} hours in all",
        "Slices shown": f"{_span(one.run.steps * one.run.batch for one in recipes)} in a run, of "
        f"{_span(one.run.steps for one in recipes)} steps; rows that are hidden for reconstruction "
        "are shown a second time",
        "Picture": f"{_span(one.data.image_px for one in recipes)} px",
        "Machine": f"{platform.machine()}, {os.cpu_count()} cores, "
        f"{', '.join(map(str, threads)) or 'no'} threads per run",
        "Software": f"TetraCT {tetract.__version__}, torch {version('torch')}, "
        f"Python {platform.python_version()}",
        "Scored": "the last weights, so that no split chose a checkpoint; "
        f"{profile.draws} bootstrap draws",
    }


def _span(counts: Iterable[int]) -> str:
    """The one number, or the least and the most where runs differ."""
    found = sorted(set(counts)) or [0]
    return f"{found[0]:,}" if len(found) == 1 else f"{found[0]:,} to {found[-1]:,}"


def _warnings(plan: Plan, results: Results) -> list[str]:
    told = [line for arm in results.values() for one in arm.outcomes for line in one.warnings]
    return [*plan.left_out, *dict.fromkeys(told)]


def _markdown(
    plan: Plan,
    sections: list[_Section],
    facts: Mapping[str, str],
    warnings: list[str],
    command: str,
) -> str:
    lines = [f"# Reproduction, profile {plan.basis.profile.name}", NOTICE, LABEL]
    lines.append("\n".join((f"- Command: `{command}`", *(f"- {k}: {v}" for k, v in facts.items()))))
    if warnings:
        lines.append("\n>\n".join(f"> {warning}" for warning in warnings))
    for one in sections:
        lines.append(f"## {one.part.key} {one.part.title}\n\n{one.part.about}")
        lines += [_one_deeper(to_markdown(table)) for table in one.tables]
        lines += [_last_values(chart) for chart in one.charts]
    return "\n\n".join(line.rstrip("\n") for line in lines) + "\n"


def _one_deeper(text: str) -> str:
    return text.replace("## ", "### ", 1)


def _last_values(chart: LineChart) -> str:
    ends = "; ".join(f"{line.name} {line.y[-1]:.3g}" for line in chart.lines if line.y)
    return f"{chart.title} (drawn in index.html), last values: {ends or 'nothing logged'}."


def _html(
    plan: Plan,
    sections: list[_Section],
    facts: Mapping[str, str],
    warnings: list[str],
    command: str,
) -> str:
    name = plan.basis.profile.name
    pairs = join(join((el("dt", key), el("dd", value))) for key, value in facts.items())
    told = el("ul", *(el("li", line) for line in warnings), class_="warnings")
    links = (el("a", f"{one.part.key} {one.part.title}", href=f"#{one.part.key}")
             for one in sections)  # fmt: skip
    body = join(
        (
            header("TetraCT reproduction", f"Reproduction, profile {name}", LABEL),
            el(
                "main",
                el("p", join(_between(links))),
                *((el("h2", "Warnings"), told) if warnings else ()),
                *(_section(one) for one in sections),
                el("h2", "How this was made"),
                el("pre", command),
                el("dl", pairs, class_="facts"),
                el("footer", NOTICE),
            ),
        )
    )
    return document(f"Reproduction, {name}: TetraCT", body)


def _between(links: Iterator[Html]) -> Iterator[Html]:
    for at, link in enumerate(links):
        yield Html(" · " if at else "")
        yield link


def _section(one: _Section) -> Html:
    return join(
        (
            el("h2", f"{one.part.key} {one.part.title}", id=one.part.key),
            el("p", one.part.about),
            *(render(table) for table in one.tables),
            el("div", *(draw_lines(chart) for chart in one.charts), class_="curves")
            if one.charts
            else Html(),
        )
    )
