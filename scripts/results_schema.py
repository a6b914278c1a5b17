"""The JSON schema of ``results.json``, from the nouns it is made of.

``python scripts/results_schema.py``, after a change in ``types/results.py``, ``chart.py`` or
``table.py``. A change that a reader of old files would notice needs a new ``RESULTS_SCHEMA``.
"""

from __future__ import annotations

import json
from pathlib import Path

from pydantic import TypeAdapter

from tetract.types.results import Results

SCHEMA = Path(__file__).parents[1] / "docs" / "reference" / "results.schema.json"


def results_schema() -> str:
    """The schema, as text."""
    return json.dumps(TypeAdapter(Results).json_schema(), indent=1, sort_keys=True) + "\n"


if __name__ == "__main__":
    SCHEMA.write_text(results_schema(), encoding="utf-8")
