"""One YOLO label file: a class index and shares of the image on each line."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from tetract.data.formats.faults import Faults
from tetract.data.formats.outline_pixels import Points
from tetract.data.formats.text_lines import text_lines

_MOST_POINTS: Final = 20_000
# A label that an augmentation pushed over the edge is still a share; 20 is a pixel.
_FARTHEST: Final = 1.5


@dataclass(frozen=True, slots=True, kw_only=True)
class YoloLine:
    """One lesion.

    Attributes:
        index: Class index.
        box: ``cx cy w h`` as shares of the image, or None for an outline.
        points: (N, 2) ``x y`` as shares of the image, or None for a box.
    """

    index: int
    box: tuple[float, float, float, float] | None = None
    points: Points | None = None


def read_yolo_lines(path: Path, classes: int) -> tuple[YoloLine, ...]:
    """The lesions of one label file; an empty file gives none.

    ``class cx cy w h`` is a box, ``class x1 y1 x2 y2 x3 y3 ...`` an outline.

    Args:
        path: The file.
        classes: How many classes there are.

    Raises:
        InputError: ``E_BAD_YOLO`` with all faults of the file.
    """
    faults, found = Faults(), list[YoloLine]()
    for number, line in enumerate(text_lines(path, code="E_BAD_YOLO"), 1):
        if line.strip():
            lesion = _line(line.split(), classes)
            if isinstance(lesion, str):
                faults.add(lesion, f"line {number}")
            else:
                found.append(lesion)
    if faults:
        raise faults.error("E_BAD_YOLO", path.name, fix="Correct the lines, or export them again")
    return tuple(found)


def _line(words: list[str], classes: int) -> YoloLine | str:
    """The lesion of a line, or what is wrong with it."""
    if len(words) == 6:
        return "6 numbers: predictions with a confidence are no labels"
    if len(words) < 5 or len(words) % 2 == 0 or len(words) > 2 * _MOST_POINTS:
        return "not a class and 4 numbers, or a class and 3 or more points"
    index = int(words[0]) if words[0].isascii() and words[0].isdecimal() else -1
    if not 0 <= index < classes:
        return f"class is no whole number from 0 to {classes - 1}"
    values = _shares(words[1:])
    if values is None:
        return "coordinates are not shares of the image, from 0 to 1"
    return _lesion(index, values)


def _lesion(index: int, values: list[float]) -> YoloLine | str:
    if len(values) > 4:
        points = np.array(values, dtype=np.float64).reshape(-1, 2)
        whole = bool((np.ptp(points, axis=0) > 0).all())
        return YoloLine(index=index, points=points) if whole else "outline without area"
    x, y, width, height = values
    if width <= 0 or height <= 0:
        return "box without area: width and height must be above 0"
    return YoloLine(index=index, box=(x, y, width, height))


def _shares(words: list[str]) -> list[float] | None:
    try:
        values = [float(word) for word in words]
    except ValueError:
        return None
    sensible = all(math.isfinite(v) and abs(v - 0.5) <= _FARTHEST - 0.5 for v in values)
    return values if sensible else None
