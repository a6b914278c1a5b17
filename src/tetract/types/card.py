"""A card: what a careful reader wants to know beside the figures, and how bad it is."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from tetract.types.table import Table


class Verdict(StrEnum):
    """How a remark is to be taken.

    UNKNOWN is not GOOD: what could not be checked is said to be unchecked.
    """

    GOOD = "good"
    NOTE = "note"
    BAD = "bad"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Remark:
    """One statement of a card.

    Attributes:
        text: One sentence that stands by itself, numbers and units in it.
        verdict: How to take it.
    """

    text: str
    verdict: Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """One card of a report, ready to be shown.

    Attributes:
        name: Short and lower case, as in a file name: "split", "shortcut", "data", "model".
        title: Its heading.
        remarks: What it says, the worst first.
        tables: The numbers behind it.
        banner: What must be read before any figure of the report, or "".
    """

    name: str
    title: str
    remarks: tuple[Remark, ...]
    tables: tuple[Table, ...] = ()
    banner: str = ""
