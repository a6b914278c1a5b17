"""An evaluation as plain JSON values, under a versioned schema."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from tetract.evaluate.headline import headline
from tetract.evaluate.markdown import LEGEND, RESEARCH_USE
from tetract.evaluate.result import Evaluation
from tetract.evaluate.tables import evaluation_tables
from tetract.types.table import Table

SCHEMA = "tetract.evaluation/2"
# A thousand bootstrap draws per figure: they follow from the rows and the seed.
UNWRITTEN = frozenset({"studies", "columns"})


def evaluation_to_json(evaluation: Evaluation) -> dict[str, Any]:
    """Everything in the evaluation, as dicts, lists, strings and finite numbers.

    The keys are the field names of the dataclasses, so renaming a field means a new version of
    the schema. An undefined figure has ``"value": null`` and a ``"reason"``. ``"tables"`` says the
    same once more as text, ready to be shown.
    """
    return {
        "schema": SCHEMA,
        "use": RESEARCH_USE,
        "headline": headline(evaluation),
        **plain(evaluation),
        "tables": [_shown(table) for table in evaluation_tables(evaluation)],
        "legend": LEGEND,
    }


def _shown(table: Table) -> dict[str, Any]:
    """With its warning inside the note, so that no reader of tables can miss it."""
    note = f"{table.warning} {table.note}".strip()
    return {
        "title": table.title,
        "columns": list(table.columns),
        "rows": [list(row) for row in table.rows],
        "note": note,
    }


def plain(value: Any) -> Any:
    """Dataclasses as dicts by field name, arrays and tuples as lists."""
    if dataclasses.is_dataclass(value):
        return {
            field.name: plain(getattr(value, field.name))
            for field in dataclasses.fields(value)
            if field.name not in UNWRITTEN
        }
    if isinstance(value, tuple):
        return [plain(entry) for entry in value]
    if isinstance(value, np.ndarray):
        return value.tolist()
    return value
