"""Figures as the cells of a table, each with what stands behind it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

from tetract.types.figure import Figure, Support
from tetract.types.table import Table

DASH = "\N{EM DASH}"
Cells: TypeAlias = Sequence[str | Figure]


def support_text(support: Support) -> str:
    """``slices / patients``, and how many slices name no patient."""
    unknown = support.slices_without_patient
    return f"{support.slices} / {support.patients}" + (f" +{unknown}?" if unknown else "")


def _with_interval(figure: Figure) -> str:
    """``0.812 [0.754, 0.861]``, or the number alone where no interval is known."""
    if figure.interval is None:
        return f"{figure.value:.3f}"
    return f"{figure.value:.3f} [{figure.interval.low:.3f}, {figure.interval.high:.3f}]"


def make_table(
    title: str, columns: Sequence[str], rows: Sequence[Cells], note: str = "", warning: str = ""
) -> Table:
    """Write figures as text and gather why some are missing."""
    reasons: list[str] = []

    def text(cell: str | Figure) -> str:
        if isinstance(cell, str):
            return cell
        if cell.value is not None:
            return f"{_with_interval(cell)} ({support_text(cell.support)})"
        if cell.reason not in reasons:
            reasons.append(cell.reason)
        return f"{DASH}[{reasons.index(cell.reason) + 1}]"

    written = tuple(tuple(text(cell) for cell in row) for row in rows)
    missing = "; ".join(f"[{number}] {reason}" for number, reason in enumerate(reasons, 1))
    return Table(
        title=title,
        columns=tuple(columns),
        rows=written,
        note=" ".join(part for part in (note, f"{missing}." if missing else "") if part),
        warning=warning,
    )
