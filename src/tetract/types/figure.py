"""A measured number that knows what stands behind it, and says why when it does not exist."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable


@runtime_checkable
class HasOrigin(Protocol):
    """A scored slice that knows where it comes from."""

    @property
    def patient(self) -> str:
        """Grouping key within the source, "" where the source publishes none."""
        ...

    @property
    def source(self) -> str:
        """Name of the source."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Support:
    """How much data stands behind a figure.

    Attributes:
        slices: Number of slices.
        patients: Number of distinct known patients among them; equal keys of two sources are
            two patients.
        slices_without_patient: Slices whose source names no patient. Each is treated as a group
            of its own, so where this is not 0 the number of patients is unknown.
    """

    slices: int
    patients: int
    slices_without_patient: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One number of an evaluation.

    Attributes:
        value: The number, finite; None where it is not defined.
        support: The data it was computed from.
        reason: Why it is not defined; "" where it is.
    """

    value: float | None
    support: Support
    reason: str = ""

    def __post_init__(self) -> None:
        """Refuse NaN, infinity, and a missing number without a reason: they would be our bug."""
        if (self.value is None) != bool(self.reason):
            msg = "a figure has either a value or a reason"
            raise ValueError(msg)
        if self.value is not None and not math.isfinite(self.value):
            msg = f"a figure must be finite, found {self.value}"
            raise ValueError(msg)


def group_keys(rows: Iterable[HasOrigin]) -> list[tuple[str, str, int]]:
    """One key per row: equal for slices of one patient, unique where the patient is unknown."""
    return [
        (row.source, row.patient, -1 if row.patient else index) for index, row in enumerate(rows)
    ]


def count_support(rows: Iterable[HasOrigin]) -> Support:
    """How many slices and patients these rows are."""
    keys = group_keys(rows)
    return Support(
        slices=len(keys),
        patients=len({key for key in keys if key[1]}),
        slices_without_patient=sum(not key[1] for key in keys),
    )


def mean_figure(values: Sequence[float], support: Support, *, reason: str) -> Figure:
    """The plain mean, or an undefined figure with ``reason`` where there is nothing to average."""
    if not values:
        return Figure(value=None, support=support, reason=reason)
    return Figure(value=math.fsum(values) / len(values), support=support)
