"""An evaluation on disk: the tables to read, the figures and the rows to compute with."""

from __future__ import annotations

import json
from pathlib import Path

from tetract.evaluate.collect import Collected
from tetract.evaluate.markdown import evaluation_to_markdown
from tetract.evaluate.result import Evaluation
from tetract.evaluate.rows_file import write_rows
from tetract.evaluate.serialise import evaluation_to_json
from tetract.io import atomic_write_text


def write_evaluation(folder: Path, evaluation: Evaluation, collected: Collected) -> str:
    """Write ``evaluation.md``, ``evaluation.json`` and ``rows.jsonl.gz`` into ``folder``.

    Returns:
        The Markdown.
    """
    folder.mkdir(parents=True, exist_ok=True)
    text = evaluation_to_markdown(evaluation)
    atomic_write_text(folder / "evaluation.md", text)
    document = json.dumps(evaluation_to_json(evaluation), indent=1, allow_nan=False)
    atomic_write_text(folder / "evaluation.json", document + "\n")
    write_rows(folder, collected)
    return text
