"""The label cells of the table: text to values and back, ``parse(format(x)) == x``.

Three states stay apart in every label column: *unknown* (None), *empty* (looked at, nothing
there) and *present*. A blank cell is none of them and is refused.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from enum import StrEnum
from pathlib import Path
from typing import Final, Literal

from tetract.errors import LabelError
from tetract.types.targets import check_area

UNKNOWN: Final = "unknown"
EMPTY: Final = "empty"
ALL: Final = "all"
SINGLE: Final = "-"

SliceIndex = int | Literal["all"] | None


class Split(StrEnum):
    """The words of the split column."""

    TRAIN = "train"
    VAL = "val"
    TEST = "test"
    UNASSIGNED = "unassigned"


@dataclass(frozen=True, slots=True, kw_only=True)
class MaskSource:
    """Where the pixels of one mask class are.

    Attributes:
        path: A picture or volume on the image's grid.
        value: The voxel value that means this class; None: every value but zero does.
    """

    path: Path
    value: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BoxEntry:
    """One box.

    Attributes:
        label: Name of the lesion.
        xyxy: ``x0 y0 x1 y1`` in pixels of the image, half-open.
    """

    label: str
    xyxy: tuple[float, float, float, float]


MaskCell = Mapping[str, MaskSource | Literal["empty"]]
"""Mask class to its pixels, or ``EMPTY`` where it was looked for in vain. Others are unknown."""


def check_known(name: str, known: Iterable[str], kind: str) -> None:
    """Refuse a name that is not in the list.

    Raises:
        LabelError: ``E_LABEL_UNKNOWN`` with the known names and the nearest one.
    """
    names = list(known)
    if name in names:
        return
    near = get_close_matches(name, names, n=1)
    raise LabelError(
        "E_LABEL_UNKNOWN",
        f"unknown {kind} '{name}'",
        expected="one of " + ", ".join(names) if names else f"no {kind} at all",
        fix=f"Did you mean '{near[0]}'" + "?" if near else "",
    )


def parse_split(text: str) -> Split:
    """The split word of a cell.

    Raises:
        LabelError: ``E_SPLIT_WORD`` with the allowed words.
    """
    try:
        return Split(text)
    except ValueError:
        raise LabelError(
            "E_SPLIT_WORD",
            "not a word for a split",
            expected="one of " + ", ".join(Split),
            found=f"'{text}'",
        ) from None


def parse_slice(text: str) -> SliceIndex:
    """``-`` is None (a single picture), ``all`` a whole volume, a number a slice from 0.

    Raises:
        LabelError: ``E_BAD_SLICE``.
    """
    if text == SINGLE:
        return None
    if text == ALL:
        return ALL
    if re.fullmatch(r"[0-9]{1,9}", text):
        return int(text)
    raise LabelError(
        "E_BAD_SLICE",
        "not a slice",
        expected="-, all, or a number from 0 in reader order",
        found=f"'{text}'",
    )


def format_slice(index: SliceIndex) -> str:
    """The cell of a slice index."""
    return SINGLE if index is None else str(index)


def parse_class(text: str) -> frozenset[str] | None:
    """``unknown``, one name, or candidates ``a|b|c``.

    Raises:
        LabelError: ``E_BLANK_LABEL`` or ``E_BAD_CELL``.
    """
    check_not_blank(text)
    if text == UNKNOWN:
        return None
    names = [name.strip() for name in text.split("|")]
    if EMPTY in names:
        raise _bad("a class cannot be 'empty'", text, "Name the class, for example normal")
    if "" in names or UNKNOWN in names or len(set(names)) != len(names):
        raise _bad("not a list of candidate classes", text, "Write a|b|c, each name once")
    return frozenset(names)


def format_class(label: frozenset[str] | None) -> str:
    """The cell of a class label, candidates in alphabetical order."""
    return UNKNOWN if label is None else "|".join(sorted(label))


def parse_mask(text: str, looked_for: tuple[str, ...]) -> MaskCell | None:
    """``unknown``, ``empty``, or ``class=path``, ``class=path#value``, ``class=empty`` with ``;``.

    Args:
        text: The cell.
        looked_for: Mask classes of the row's source; a bare ``empty`` speaks for all of them.

    Raises:
        LabelError: ``E_BLANK_LABEL`` or ``E_BAD_CELL``.
    """
    check_not_blank(text)
    if text == UNKNOWN:
        return None
    if text == EMPTY:
        if not looked_for:
            raise _bad("mask is empty, but its source looked for no mask class", text, "")
        return dict.fromkeys(looked_for, EMPTY)
    cell: dict[str, MaskSource | Literal["empty"]] = {}
    for piece in text.split(";"):
        name, equals, value = (part.strip() for part in piece.strip().partition("="))
        if not (name and equals and value) or name in cell or value == UNKNOWN:
            raise _bad("not a list of masks", text, "Write class=path;class=path#2, each once")
        cell[name] = EMPTY if value == EMPTY else _mask_source(value)
    return cell


def format_mask(mask: MaskCell | None, looked_for: tuple[str, ...]) -> str:
    """The cell of a mask label; the inverse of ``parse_mask``.

    Raises:
        LabelError: ``E_BAD_CELL`` for a path that could not be read back (``;``, ``#3`` at its
            end, blanks around it).
    """
    if mask is None:
        return UNKNOWN
    pieces: list[str] = []
    for name, source in sorted(mask.items()):
        if not isinstance(source, MaskSource):
            pieces.append(f"{name}={EMPTY}")
            continue
        pick = "" if source.value is None else f"#{source.value}"
        pieces.append(f"{name}={source.path.as_posix()}{pick}")
    text = ";".join(pieces)
    if mask and set(mask) == set(looked_for) and all(s == EMPTY for s in mask.values()):
        text = EMPTY
    if not mask or parse_mask(text, looked_for) != dict(mask):
        raise _bad("these masks cannot be written in a cell", text, "Rename the file")
    return text


def parse_boxes(text: str) -> tuple[BoxEntry, ...] | None:
    """``unknown``, ``empty``, or ``nodule 74 285 78 291; …``: label, then half-open xyxy in px.

    Raises:
        LabelError: ``E_BLANK_LABEL``, ``E_BAD_BOX``, ``E_BOX_EMPTY`` or ``E_BOX_OUTSIDE``.
    """
    check_not_blank(text)
    if text == UNKNOWN:
        return None
    if text == EMPTY:
        return ()
    boxes: list[BoxEntry] = []
    for piece in text.split(";"):
        label, *corners = piece.split() or [""]
        boxes.append(BoxEntry(label=label, xyxy=parse_corners(corners, piece.strip())))
    return tuple(boxes)


def format_boxes(boxes: tuple[BoxEntry, ...] | None) -> str:
    """The cell of a box label; the inverse of ``parse_boxes``."""
    if boxes is None:
        return UNKNOWN
    if not boxes:
        return EMPTY
    return "; ".join(" ".join([box.label, *map(_number, box.xyxy)]) for box in boxes)


def parse_corners(
    corners: list[str], text: str, *, inclusive: bool = False
) -> tuple[float, float, float, float]:
    """Four numbers ``x0 y0 x1 y1`` in px; 1 is added to the far corner where it is inclusive.

    Raises:
        LabelError: ``E_BAD_BOX`` unless they are four finite numbers, else as ``check_box``.
    """
    try:
        x0, y0, x1, y1 = (float(corner) for corner in corners)
    except ValueError:
        x0 = y0 = x1 = y1 = math.nan
    if not all(map(math.isfinite, (x0, y0, x1, y1))):
        raise LabelError(
            "E_BAD_BOX",
            "not a box",
            expected="a label and four numbers x0 y0 x1 y1 in px",
            found=f"'{text}'",
        )
    extra = 1 if inclusive else 0
    xyxy = (x0, y0, x1 + extra, y1 + extra)
    check_box(xyxy)
    return xyxy


def check_box(xyxy: tuple[float, float, float, float]) -> None:
    """Refuse a box without area or left of or above the image.

    Raises:
        LabelError: ``E_BOX_EMPTY`` or ``E_BOX_OUTSIDE``.
    """
    x0, y0, x1, y1 = xyxy
    found = check_area(x0, y0, x1, y1)
    if x0 < 0 or y0 < 0:
        raise LabelError(
            "E_BOX_OUTSIDE", "box leaves the image", expected="x0 >= 0, y0 >= 0 px", found=found
        )


def check_not_blank(text: str) -> None:
    """Refuse a blank label cell: absent is not negative.

    Raises:
        LabelError: ``E_BLANK_LABEL``.
    """
    if not text.strip():
        raise LabelError(
            "E_BLANK_LABEL",
            "label cell is blank, which could mean unknown or negative",
            fix="Write unknown (nobody looked) or empty (looked at, nothing there)",
        )


def _mask_source(text: str) -> MaskSource:
    picked = re.fullmatch(r"(.*\S)\s*#([0-9]{1,9})", text)
    if picked is None:
        return MaskSource(path=Path(text))
    return MaskSource(path=Path(picked[1]), value=int(picked[2]))


def _number(value: float) -> str:
    return str(int(value)) if float(value).is_integer() else repr(float(value))


def _bad(what: str, text: str, fix: str) -> LabelError:
    return LabelError("E_BAD_CELL", what, found=f"'{text}'", fix=fix)
