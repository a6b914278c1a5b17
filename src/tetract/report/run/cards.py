"""Cards: what a careful reader wants to know, each remark with its verdict in words."""

from __future__ import annotations

from collections.abc import Sequence
from types import MappingProxyType
from typing import Final

from tetract.report.markup import Html, el, join
from tetract.report.run.figure_table import figure_table
from tetract.types.card import Card, Remark, Verdict

_WORDS: Final = MappingProxyType(
    {
        Verdict.GOOD: "fine",
        Verdict.NOTE: "note",
        Verdict.BAD: "problem",
        Verdict.UNKNOWN: "not checked",
    }
)


def cards_section(cards: Sequence[Card]) -> Html:
    """All cards one below the other; a sentence where there are none."""
    if not cards:
        return el("p", "No cards were made with this evaluation.", class_="soft")
    return join(_card(card) for card in cards)


def banners(cards: Sequence[Card]) -> list[str]:
    """What must be read before any figure, each once."""
    return list(dict.fromkeys(card.banner for card in cards if card.banner))


def _card(card: Card) -> Html:
    remarks = el("ul", *(_remark(one) for one in card.remarks), class_="remarks")
    tables = join(figure_table(table) for table in card.tables)
    more = Html()
    if card.tables:
        count = len(card.tables)
        words = "The numbers behind it" + (f" ({count} tables)" if count > 1 else "")
        more = el("details", el("summary", words), tables)
    banner = el("p", card.banner, class_="banner") if card.banner else Html()
    return el(
        "section",
        el("h3", card.title),
        banner,
        remarks,
        more,
        class_="card",
        id=f"card-{card.name}",
    )


def _remark(one: Remark) -> Html:
    verdict = el("span", _WORDS[one.verdict], class_=f"verdict {one.verdict}")
    return el("li", verdict, el("span", one.text))
