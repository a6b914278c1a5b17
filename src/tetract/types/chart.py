"""Charts as data: what is drawn, between the rooms that compute it and the one that draws."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Look(StrEnum):
    """How the points of a line belong together."""

    LINE = "line"
    STEP = "step"
    DOTS = "dots"


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """One axis.

    Attributes:
        label: What it measures, with its unit.
        low: Where it begins.
        high: Where it ends.
        is_log: Whether equal ratios are equally far apart; then ``low`` is above 0.
    """

    label: str
    low: float = 0.0
    high: float = 1.0
    is_log: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of a chart.

    Attributes:
        name: Its name in the key.
        x: (P,) along the first axis.
        y: (P,) along the second; () where only a band is drawn.
        low: (P,) lower end of the interval of ``y``, None where it is unknown; () without any.
        high: (P,) upper end.
        look: How the points belong together. ``STEP``: from each x to the next at the y of the
            latter, as average precision is defined.
    """

    name: str
    x: tuple[float, ...]
    y: tuple[float, ...]
    low: tuple[float | None, ...] = ()
    high: tuple[float | None, ...] = ()
    look: Look = Look.LINE


@dataclass(frozen=True, slots=True, kw_only=True)
class LineChart:
    """Lines over two axes.

    Attributes:
        title: Its heading.
        caption: What is seen, and how many stand behind it.
        x: First axis.
        y: Second axis.
        lines: What is drawn.
        guide: Points of a thin line to compare with, such as chance; () for none.
    """

    title: str
    caption: str
    x: Axis
    y: Axis
    lines: tuple[Line, ...]
    guide: tuple[tuple[float, float], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """One row of a chart of rows: a number with its interval, and single values beside it.

    Attributes:
        label: What it is of.
        detail: What stands behind it, in a few words: "12 lesions".
        value: The number; None where it is not defined.
        low: Lower end of its interval; None where it is unknown.
        high: Upper end.
        reason: Why there is no number; "".
        dots: Single values, such as one per patient.
    """

    label: str
    detail: str
    value: float | None
    low: float | None = None
    high: float | None = None
    reason: str = ""
    dots: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RowChart:
    """One row per group, all over one axis.

    Attributes:
        title: Its heading.
        caption: What is seen.
        axis: What is measured.
        marks: The rows, from the top.
    """

    title: str
    caption: str
    axis: Axis
    marks: tuple[Mark, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Matrix:
    """Counts of what is against what was said.

    Attributes:
        title: Its heading.
        caption: What is counted.
        names: The K classes, of rows (what is) and columns (what was said) alike.
        counts: (K, K).
    """

    title: str
    caption: str
    names: tuple[str, ...]
    counts: tuple[tuple[int, ...], ...]
