"""What a careful reader asks of an evaluation, answered as far as data and model allow."""

from tetract.evaluate.cards.make import make_cards
from tetract.evaluate.cards.material import Material

__all__ = ["Material", "make_cards"]
