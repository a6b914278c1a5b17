"""All cards of an evaluation."""

from __future__ import annotations

from tetract.evaluate.cards.checklist import checklist_card
from tetract.evaluate.cards.data_card import data_card
from tetract.evaluate.cards.looked_at import look_at
from tetract.evaluate.cards.material import Material
from tetract.evaluate.cards.model_card import model_card
from tetract.evaluate.cards.shortcut_card import shortcut_card
from tetract.evaluate.cards.split_card import split_card
from tetract.evaluate.cards.trust_card import trust_card
from tetract.types.card import Card


def make_cards(material: Material) -> tuple[Card, ...]:
    """Look at some hundred slices and say what a careful reader wants to know.

    What cannot be checked on these data or with this model is said to be unknown, and why.
    """
    seen = look_at(material.scored, material.trained)
    return (
        split_card(material, seen),
        shortcut_card(material, seen),
        trust_card(material.evaluation.trust),
        data_card(material),
        model_card(material),
        checklist_card(material),
    )
