"""A figure as one row of a chart."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from tetract.evaluate.table_cells import support_text
from tetract.types.chart import Mark
from tetract.types.figure import Figure, Support


def make_mark(label: str, figure: Figure, *, detail: str = "", dots: Iterable[float] = ()) -> Mark:
    """The figure, its interval, and what stands behind it unless ``detail`` says so."""
    interval = figure.interval
    return Mark(
        label=label,
        detail=detail or behind(figure.support),
        value=figure.value,
        low=None if interval is None else interval.low,
        high=None if interval is None else interval.high,
        reason=figure.reason,
        dots=tuple(dots),
    )


def behind(support: Support) -> str:
    """``40 slices / 12 patients``."""
    slices, _, patients = support_text(support).partition(" / ")
    return f"{slices} {_plural('slice', slices)} / {patients} {_plural('patient', patients)}"


def round_up(values: Sequence[float]) -> float:
    """The next of 1, 2, 2.5, 5 times a power of ten that all values stay below."""
    top = max((value for value in values if value > 0), default=1.0)
    unit = 10.0 ** math.floor(math.log10(top))
    return next(step * unit for step in (1, 2, 2.5, 5, 10) if step * unit >= top * (1 - 1e-9))


def _plural(noun: str, count: str) -> str:
    return noun if count == "1" else f"{noun}s"
