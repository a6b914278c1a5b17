"""An evaluation as one Markdown document."""

from __future__ import annotations

from collections.abc import Iterator

from tetract.evaluate.result import Evaluation
from tetract.evaluate.tables import evaluation_tables, support_text
from tetract.types.table import Table

RESEARCH_USE = "Research use only, not a medical device."
LEGEND = (
    "Behind each figure: slices / patients. `+k?`: k slices whose source names no patient, each "
    "counted as a group of its own. A dash is a figure that is not defined; the note says why."
)


def evaluation_to_markdown(evaluation: Evaluation) -> str:
    """The whole evaluation: what was evaluated, warnings, one or two tables per task."""
    parts = [*_head(evaluation)]
    for table in evaluation_tables(evaluation):
        parts += _section(table)
    return "\n\n".join(parts) + "\n"


def _head(evaluation: Evaluation) -> Iterator[str]:
    about = evaluation.about
    yield "# Evaluation"
    yield RESEARCH_USE
    facts = (
        ("Command", f"`{about.command}`" if about.command else ""),
        ("Split", about.split),
        ("Model", about.model),
        ("Tasks", ", ".join(evaluation.tasks)),
        ("Slices / patients", support_text(evaluation.overall.support)),
    )
    yield "\n".join(f"- {name}: {fact}" for name, fact in facts if fact)
    if about.warnings:
        yield "\n>\n".join(f"> {warning}" for warning in about.warnings)
    yield LEGEND


def _section(table: Table) -> Iterator[str]:
    yield f"## {table.title}"
    if table.warning:
        yield f"> **{table.warning}**"
    yield _grid(table)
    if table.note:
        yield table.note


def _grid(table: Table) -> str:
    """The cells: names to the left, figures to the right."""
    ruler = [":--", *["--:"] * (len(table.columns) - 1)]
    # A bar inside a name would open a new column.
    body = [[str(cell).replace("|", "\\|") for cell in row] for row in table.rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (table.columns, ruler, *body))
