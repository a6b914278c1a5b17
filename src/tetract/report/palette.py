"""One colour per class name, told apart with any colour vision."""

from __future__ import annotations

from collections.abc import Iterable

from tetract.types import LabelSpace

# Okabe and Ito, "Color Universal Design" (2008), ordered for contrast on dark grey pictures.
_COLOURS = ("#56B4E9", "#E69F00", "#CC79A7", "#F0E442", "#009E73", "#D55E00", "#0072B2")


def class_colours(space: LabelSpace) -> dict[str, str]:
    """Colour (#rrggbb) by name; a mask and a box of the same name share theirs."""
    return colours_of(dict.fromkeys(space.mask_classes + space.box_classes))


def colours_of(names: Iterable[str]) -> dict[str, str]:
    """Colour (#rrggbb) by name, in the order of the names."""
    return {name: _COLOURS[at % len(_COLOURS)] for at, name in enumerate(names)}


def rgb(colour: str) -> tuple[int, int, int]:
    """``#rrggbb`` as three bytes."""
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)
