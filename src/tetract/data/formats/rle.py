"""Run lengths of masks as COCO writes them: down the columns, background first.

The text form packs each count into signs of six bits, five of them digits, lowest first; from the
fourth count on it is the difference to the count before the last (COCO API, ``maskApi.c``).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool

_ZERO = 48  # the sign "0"
_MORE = 0x20
_NEGATIVE = 0x10
# Seven groups of five bits hold any count of a picture that is read at all.
_MOST_GROUPS = 7


def decode_runs(counts: Sequence[int], canvas: tuple[int, int]) -> Bool[np.ndarray, "H W"]:
    """The mask of run lengths that fill the canvas exactly.

    Raises:
        ValueError: A count is negative, or they do not add up to the canvas.
    """
    if any(count < 0 for count in counts) or sum(counts) != canvas[0] * canvas[1]:
        raise ValueError("run lengths do not add up to the size of the image")
    inside = np.arange(len(counts)) % 2 == 1
    return np.repeat(inside, counts).reshape(canvas[1], canvas[0]).T


def encode_runs(mask: Bool[np.ndarray, "H W"]) -> list[int]:
    """Run lengths of a mask, background first."""
    flat = mask.T.ravel()
    changes = np.flatnonzero(flat[1:] != flat[:-1]) + 1
    counts = np.diff(np.concatenate([[0], changes, [flat.size]])).tolist()
    return [0, *counts] if flat[0] else counts


def parse_counts(text: str) -> list[int]:
    """Counts from their text form.

    Raises:
        ValueError: A sign has no meaning, a count is absurdly large, or the text ends within one.
    """
    counts: list[int] = []
    value = groups = 0
    for sign in text:
        digit = ord(sign) - _ZERO
        if not 0 <= digit < 64 or groups >= _MOST_GROUPS:
            raise ValueError("not the text of run lengths")
        value |= (digit & 0x1F) << (5 * groups)
        groups += 1
        if digit & _MORE:
            continue
        if digit & _NEGATIVE:
            value -= 1 << (5 * groups)
        counts.append(value + counts[-2] if len(counts) > 2 else value)
        value = groups = 0
    if groups:
        raise ValueError("the text of run lengths ends early")
    return counts


def format_counts(counts: Sequence[int]) -> str:
    """The text form of counts; the inverse of ``parse_counts``."""
    signs: list[str] = []
    for place, count in enumerate(counts):
        value = count - counts[place - 2] if place > 2 else count
        more = True
        while more:
            digit = value & 0x1F
            value >>= 5
            more = value != (-1 if digit & _NEGATIVE else 0)
            signs.append(chr(_ZERO + digit + (_MORE if more else 0)))
    return "".join(signs)
