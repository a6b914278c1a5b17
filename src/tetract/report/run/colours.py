"""Colours of lines and classes on white paper, told apart with any colour vision."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

# Okabe and Ito, "Color Universal Design" (2008), without its yellow; dashes tell lines apart
# where colours cannot, as in a grey print.
LINES: Final = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#333333")
DASHES: Final = ("", "7 3", "2 3", "9 3 2 3", "4 2", "1 2", "12 4")


def line_styles(names: Iterable[str]) -> dict[str, tuple[str, str]]:
    """Colour and dashes by name, in the order of their first use."""
    return {
        name: (LINES[at % len(LINES)], DASHES[at % len(DASHES)])
        for at, name in enumerate(dict.fromkeys(names))
    }
