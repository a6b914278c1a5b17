"""A measured number that knows what stands behind it, and says why when it does not exist."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float, Int

from tetract.types.identity import HasIdentity, group_keys


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
class Interval:
    """A confidence interval.

    Attributes:
        low: Lower end, finite.
        high: Upper end, finite, at least ``low``.
        level: Stated coverage, such as 0.95.
    """

    low: float
    high: float
    level: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One number of an evaluation.

    Attributes:
        value: The number, finite; None where it is not defined.
        support: The data it was computed from.
        reason: Why it is not defined; "" where it is.
        interval: Where it lies for other patients of the same kind; None where that is unknown.
        no_interval: Why the interval is unknown; "" where it is known or was not asked for.
        studies: (R,) the number in every study of the ``Resamples``, NaN where undefined there,
            so that figures of the same patients can be compared; None where there are none.
        columns: (G,) columns in the ``Resamples`` of the patients behind it; None as above.
    """

    value: float | None
    support: Support
    reason: str = ""
    interval: Interval | None = None
    no_interval: str = ""
    studies: Float[np.ndarray, " R"] | None = field(default=None, repr=False, compare=False)
    columns: Int[np.ndarray, " G"] | None = field(default=None, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Refuse NaN, infinity, and a missing number without a reason: they would be our bug."""
        if (self.value is None) != bool(self.reason):
            msg = "a figure has either a value or a reason"
            raise ValueError(msg)
        if self.value is not None and not math.isfinite(self.value):
            msg = f"a figure must be finite, found {self.value}"
            raise ValueError(msg)


def count_support(rows: Iterable[HasIdentity]) -> Support:
    """How many slices and patients these rows are."""
    keys = group_keys(rows)
    return Support(
        slices=len(keys),
        patients=len({key for key in keys if key[1]}),
        slices_without_patient=sum(not key[1] for key in keys),
    )


def undefined(support: Support, reason: str) -> Figure:
    """A figure that does not exist, and why."""
    return Figure(value=None, support=support, reason=reason)


def mean_figure(values: Sequence[float], support: Support, *, reason: str) -> Figure:
    """The plain mean, or an undefined figure with ``reason`` where there is nothing to average."""
    if not values:
        return undefined(support, reason)
    return Figure(value=math.fsum(values) / len(values), support=support)
