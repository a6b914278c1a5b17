"""Figures and counts as the cards say them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from tetract.evaluate.table_cells import DASH, support_text
from tetract.types.card import Remark, Verdict
from tetract.types.figure import Figure

_ORDER: Final = (Verdict.BAD, Verdict.UNKNOWN, Verdict.NOTE, Verdict.GOOD)


def good(text: str) -> Remark:
    """Nothing to fear here."""
    return Remark(text=text, verdict=Verdict.GOOD)


def note(text: str) -> Remark:
    """Something to know."""
    return Remark(text=text, verdict=Verdict.NOTE)


def bad(text: str) -> Remark:
    """Something that spoils figures."""
    return Remark(text=text, verdict=Verdict.BAD)


def unknown(text: str) -> Remark:
    """Something that could not be checked."""
    return Remark(text=text, verdict=Verdict.UNKNOWN)


def worst_first(remarks: Iterable[Remark]) -> tuple[Remark, ...]:
    """In the order of what spoils most."""
    return tuple(sorted(remarks, key=lambda remark: _ORDER.index(remark.verdict)))


def figure_text(figure: Figure) -> str:
    """``0.812 [0.754, 0.861]``, or a dash and the reason."""
    if figure.value is None:
        return f"{DASH} ({figure.reason})"
    if figure.interval is None:
        return f"{figure.value:.2f}"
    return f"{figure.value:.2f} [{figure.interval.low:.2f}, {figure.interval.high:.2f}]"


def with_support(figure: Figure) -> str:
    """The figure and the slices and patients behind it."""
    return f"{figure_text(figure)} ({support_text(figure.support)})"
