"""An evaluation as one Markdown document."""

from __future__ import annotations

from collections.abc import Iterator

from tetract.evaluate.class_source import source_banner
from tetract.evaluate.result import Evaluation
from tetract.evaluate.table_cells import support_text
from tetract.evaluate.table_text import to_markdown
from tetract.evaluate.tables import evaluation_tables

RESEARCH_USE = "Research use only, not a medical device."
LEGEND = (
    "Behind each figure: slices / patients. `+k?`: k slices whose source names no patient, each "
    "counted as a group of its own. In square brackets: the 95 % interval, patients drawn again; "
    "none where fewer than 5 patients, or too few of one kind, stand behind a figure. Those of "
    "reconstruction errors cover the truth in about 93 of 100 simulated studies, the others in "
    "about 95. A dash is a figure that is not defined; the note says why."
)


def evaluation_to_markdown(evaluation: Evaluation) -> str:
    """The whole evaluation: what was evaluated, warnings, one or two tables per task."""
    tables = [to_markdown(table).rstrip("\n") for table in evaluation_tables(evaluation)]
    return "\n\n".join([*_head(evaluation), *tables]) + "\n"


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
    banner = source_banner(evaluation)
    if banner:
        yield f"> **{banner}**"
    if about.warnings:
        yield "\n>\n".join(f"> {warning}" for warning in about.warnings)
    yield LEGEND
