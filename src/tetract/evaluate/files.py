"""An evaluation on disk: the tables to read, the figures and the rows to compute with."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from tetract.evaluate.cards.files import cards_to_markdown, write_cards
from tetract.evaluate.collect import Collected
from tetract.evaluate.markdown import evaluation_to_markdown
from tetract.evaluate.result import Evaluation
from tetract.evaluate.rows_file import write_rows
from tetract.evaluate.serialise import evaluation_to_json
from tetract.io import atomic_write_text
from tetract.types.card import Card


def write_evaluation(
    folder: Path, evaluation: Evaluation, collected: Collected, cards: Sequence[Card] = ()
) -> str:
    """Write ``evaluation.md``, ``.json``, ``rows.jsonl.gz`` and ``cards.json`` into ``folder``.

    Returns:
        The Markdown.
    """
    folder.mkdir(parents=True, exist_ok=True)
    text = evaluation_to_markdown(evaluation) + cards_to_markdown(cards)
    atomic_write_text(folder / "evaluation.md", text)
    document = json.dumps(evaluation_to_json(evaluation), indent=1, allow_nan=False)
    atomic_write_text(folder / "evaluation.json", document + "\n")
    write_rows(folder, collected)
    write_cards(folder, cards)
    return text
