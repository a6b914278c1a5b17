"""Who a slice is: what sampling, grouping and reports know about it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol, TypeAlias, runtime_checkable

GroupKey: TypeAlias = tuple[str, str, int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Who a row is, for sampling, grouping and reports; never shown as a patient's name.

    Attributes:
        row: Index into the data set's table.
        patient: Grouping key, or "" where the source publishes none.
        source: Name of the source.
        slice_index: Position within its series, 0 for single pictures.
        spacing_mm: Height and width of a pixel of ``Sample.image`` in mm, or None if unknown.
        frame_px: ``(top, left, bottom, right)``, half-open: the part of ``Sample.image`` that
            shows the slice, the rest being padding; None where there is no padding.
        series: Grouping key of its series within the patient, or "" where the table names none.
        donors: Table rows, as ``row``, whose lesions were copied into the slice; training only.
    """

    row: int
    patient: str
    source: str
    slice_index: int
    spacing_mm: tuple[float, float] | None
    frame_px: tuple[int, int, int, int] | None = None
    series: str = ""
    donors: tuple[int, ...] = ()


@runtime_checkable
class HasIdentity(Protocol):
    """A scored slice that knows who it is."""

    @property
    def identity(self) -> Identity:
        """Who the slice is."""
        ...


def group_key(who: Identity) -> GroupKey:
    """Equal for slices of one patient of one source, unique where the patient is unknown."""
    if who.patient:
        return (who.source, who.patient, -1, -1)
    return (who.source, "", who.row, who.slice_index)


def group_keys(rows: Iterable[HasIdentity]) -> list[GroupKey]:
    """One key per row; see ``group_key``."""
    return [group_key(row.identity) for row in rows]
