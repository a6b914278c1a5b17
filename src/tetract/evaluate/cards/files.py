"""Cards on disk and as text."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from tetract.evaluate.markdown import RESEARCH_USE
from tetract.evaluate.rows_codec import encode
from tetract.io import atomic_write_text
from tetract.types.card import Card

CARDS_NAME: Final = "cards.json"
SCHEMA: Final = "tetract.cards/1"


def write_cards(folder: Path, cards: Sequence[Card]) -> None:
    """Write ``cards.json``; an old one goes where there are no cards, since it is of other rows.

    Raises:
        MachineError: ``E_DISK_FULL`` or ``E_CANNOT_WRITE``.
    """
    if not cards:
        (folder / CARDS_NAME).unlink(missing_ok=True)
        return
    document = json.dumps(cards_to_json(cards), indent=1, allow_nan=False)
    atomic_write_text(folder / CARDS_NAME, document + "\n")


def cards_to_json(cards: Sequence[Card]) -> dict[str, Any]:
    """Everything on the cards as plain values; the keys are the field names of ``Card``."""
    return {"schema": SCHEMA, "use": RESEARCH_USE, "cards": [encode(card) for card in cards]}


def cards_to_markdown(cards: Sequence[Card]) -> str:
    """Verdict and sentence, line by line; the tables are in ``cards.json``."""
    return "".join(f"\n{part}\n" for card in cards for part in _card(card))


def _card(card: Card) -> Iterator[str]:
    yield f"## {card.title}"
    if card.banner:
        yield f"> **{card.banner}**"
    yield "\n".join(f"- {one.verdict.upper()} {one.text}" for one in card.remarks)
