"""From slices to series and patients: one row per unit, by one stated rule.

``docs/reference/metrics.md`` gives the rule and its reasons.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final, TypeAlias

import numpy as np
from jaxtyping import Bool, Float

from tetract.tasks.classification.rows import (
    ClassificationRow,
    check_rows,
    stack_candidates,
    stack_probabilities,
)

WORST: Final = 3
_UnitKey: TypeAlias = tuple[str, str, str]


class Level(StrEnum):
    """What a row stands for."""

    SLICE = "slice"
    SERIES = "series"
    PATIENT = "patient"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pooled:
    """The units of one level, ready to be scored like slices.

    Attributes:
        level: What each row stands for.
        rows: One per unit, by source, patient and series. Its identity is that of the unit's
            first slice without what belongs to a slice alone.
        healthy: The classes that count as the absence of disease.
        slices_left_out: Labelled slices whose unit is unknown.
        units_left_out: Units whose slices carry labels that no one unit can have, such as two
            diseases.
    """

    level: Level
    rows: tuple[ClassificationRow, ...]
    healthy: tuple[str, ...]
    slices_left_out: int
    units_left_out: int

    @property
    def note(self) -> str:
        """What was left out, in one line; "" where nothing was."""
        parts: list[str] = []
        if self.slices_left_out:
            parts.append(f"labelled slices whose {self.level} is unknown: {self.slices_left_out}")
        if self.units_left_out:
            unit = "series" if self.level is Level.SERIES else "patients"
            parts.append(f"{unit} with labels that no one of them can have: {self.units_left_out}")
        return f"Left out: {'; '.join(parts)}." if parts else ""


def pool_rows(
    rows: Sequence[ClassificationRow],
    classes: tuple[str, ...],
    level: Level,
    *,
    healthy: Collection[str] = (),
) -> Pooled:
    """Pool labelled slices to series or patients.

    Args:
        rows: Labelled slices in any order; slices without a label are not part of a unit.
        classes: Names of the K classes.
        level: What to pool to; ``SLICE`` changes nothing.
        healthy: Classes that mean the absence of disease, such as the cards' ``normal_class``.
            Names that are not among ``classes`` are ignored: a recipe may leave them out.

    Raises:
        InputError: ``E_PREDICTION_NOT_FINITE`` or ``E_NOT_A_PROBABILITY``.
    """
    check_rows(rows, len(classes))
    is_healthy = np.array([name in healthy for name in classes], dtype=np.bool_)
    known = tuple(name for name in classes if name in healthy)
    if level is Level.SLICE:
        return Pooled(
            level=level, rows=tuple(rows), healthy=known, slices_left_out=0, units_left_out=0
        )
    units: dict[_UnitKey, list[ClassificationRow]] = {}
    for row in rows:
        who = row.identity
        if who.patient and (who.series or level is Level.PATIENT):
            series = who.series if level is Level.SERIES else ""
            units.setdefault((who.source, who.patient, series), []).append(row)
    pooled = [_pool(units[key], is_healthy, series=key[2]) for key in sorted(units)]
    return Pooled(
        level=level,
        rows=tuple(row for row in pooled if row.candidates.any()),
        healthy=known,
        slices_left_out=len(rows) - sum(len(slices) for slices in units.values()),
        units_left_out=sum(not row.candidates.any() for row in pooled),
    )


def pool_probabilities(
    probabilities: Float[np.ndarray, "S K"], healthy: Bool[np.ndarray, " K"]
) -> Float[np.ndarray, " K"]:
    """(K,) mean over the three slices least likely to be healthy, or all where no class is.

    Ties go to the earlier slice.

    Args:
        probabilities: (S, K) of the unit's slices in their order, S at least 1.
        healthy: (K,) which classes mean the absence of disease.
    """
    if healthy.any():
        order = np.argsort(probabilities[:, healthy].sum(axis=1), kind="stable")
        probabilities = probabilities[order[:WORST]]
    return probabilities.mean(axis=0)


def pool_candidates(
    candidates: Bool[np.ndarray, "S K"], healthy: Bool[np.ndarray, " K"]
) -> Bool[np.ndarray, " K"]:
    """(K,) what the unit may be, given that it has at most one disease; all False: nothing.

    It may have a disease if a slice may show it and every other slice may show it or be healthy.
    It may be healthy if every slice may be. Without healthy classes, candidates intersect.

    Args:
        candidates: (S, K) of the unit's slices.
        healthy: (K,) which classes mean the absence of disease.
    """
    spared = (candidates & healthy).any(axis=1, keepdims=True)
    diseased = candidates.any(axis=0) & (candidates | spared).all(axis=0)
    return np.where(healthy, candidates.all(axis=0), diseased)


def _pool(
    rows: list[ClassificationRow], healthy: Bool[np.ndarray, " K"], *, series: str
) -> ClassificationRow:
    rows = sorted(rows, key=lambda row: (row.identity.row, row.identity.slice_index))
    classes = len(healthy)
    return ClassificationRow(
        probabilities=pool_probabilities(stack_probabilities(rows, classes), healthy),
        candidates=pool_candidates(stack_candidates(rows, classes), healthy),
        identity=replace(rows[0].identity, series=series, spacing_mm=None, frame_px=None),
    )
