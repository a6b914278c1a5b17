"""An evaluation on disk: the tables to read, the figures to compute with."""

from __future__ import annotations

import json
from pathlib import Path

from tetract.evaluate.markdown import evaluation_to_markdown
from tetract.evaluate.result import Evaluation
from tetract.evaluate.serialise import evaluation_to_json
from tetract.io import atomic_write_text


def write_evaluation(folder: Path, evaluation: Evaluation) -> str:
    """Write ``evaluation.md`` and ``evaluation.json`` into ``folder``; returns the Markdown."""
    folder.mkdir(parents=True, exist_ok=True)
    text = evaluation_to_markdown(evaluation)
    atomic_write_text(folder / "evaluation.md", text)
    document = json.dumps(evaluation_to_json(evaluation), indent=1, allow_nan=False)
    atomic_write_text(folder / "evaluation.json", document + "\n")
    return text
