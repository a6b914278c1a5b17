"""A 5 x 7 pixel alphabet of our own, for labels inside PNG overlays (no font file, no library)."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool

# Seven rows per line of characters; '#' is ink; every glyph is five wide with one blank between.
_SHEETS = (
    (
        "0123456789.",
        """
 ###    #    ###   ###     #  #####   ##  #####  ###   ###
#   #  ##   #   # #   #   ##  #      #        # #   # #   #
#  ##   #       #     #  # #  ####  #        #  #   # #   #
# # #   #      #    ##  #  #      # ####    #    ###   ####
##  #   #     #       # #####     # #   #  #    #   #     #
#   #   #    #    #   #    #  #   # #   #  #    #   #    #   ##
 ###   ###  #####  ###     #   ###   ###   #     ###   ##    ##
""",
    ),
    (
        "ABCDEFGHIJKLM",
        """
 ###  ####   ###  ####  ##### #####  ###  #   #  ###    ### #   # #     #   #
#   # #   # #   # #   # #     #     #   # #   #   #      #  #  #  #     ## ##
#   # #   # #     #   # #     #     #     #   #   #      #  # #   #     # # #
##### ####  #     #   # ####  ####  # ### #####   #      #  ##    #     # # #
#   # #   # #     #   # #     #     #   # #   #   #      #  # #   #     #   #
#   # #   # #   # #   # #     #     #   # #   #   #   #  #  #  #  #     #   #
#   # ####   ###  ####  ##### #      #### #   #  ###   ##   #   # ##### #   #
""",
    ),
    (
        "NOPQRSTUVWXYZ",
        """
#   #  ###  ####   ###  ####   #### ##### #   # #   # #   # #   # #   # #####
##  # #   # #   # #   # #   # #       #   #   # #   # #   # #   # #   #     #
# # # #   # #   # #   # #   # #       #   #   # #   # #   #  # #   # #     #
#  ## #   # ####  #   # ####   ###    #   #   # #   # # # #   #     #     #
#   # #   # #     # # # # #       #   #   #   # #   # # # #  # #    #    #
#   # #   # #     #  #  #  #      #   #   #   #  # #  ## ## #   #   #   #
#   #  ###  #      ## # #   # ####    #    ###    #   #   # #   #   #   #####
""",
    ),
    (
        "-%/: ",
        """
      ##
      ##  #     #  ##
           #   #   ##
#####     #   #
         #   #     ##
        #   #      ##
            ##
""",
    ),
)


def _glyphs() -> dict[str, Bool[np.ndarray, "7 5"]]:
    found: dict[str, Bool[np.ndarray, "7 5"]] = {}
    for characters, drawing in _SHEETS:
        rows = [line.ljust(6 * len(characters)) for line in drawing.strip("\n").split("\n")]
        ink = np.array([[pixel == "#" for pixel in row] for row in rows])
        for at, character in enumerate(characters):
            found[character] = ink[:, 6 * at : 6 * at + 5]
    return found


_GLYPHS = _glyphs()
_UNKNOWN = np.pad(np.zeros((5, 3), dtype=bool), 1, constant_values=True)


def written(words: str, scale: int = 1) -> Bool[np.ndarray, "h w"]:
    """The words as ink, ``7 * scale`` high, capitals only; unknown characters are small frames."""
    blank = np.zeros((7, 1), dtype=bool)
    pieces: list[Bool[np.ndarray, "7 _"]] = []
    for character in words.upper().replace("_", " "):
        pieces += [_GLYPHS.get(character, _UNKNOWN), blank]
    ink = np.concatenate(pieces[:-1], axis=1) if pieces else np.zeros((7, 0), dtype=bool)
    return ink.repeat(scale, axis=0).repeat(scale, axis=1)
