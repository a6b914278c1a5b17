"""Thresholds for a stated specificity, found on validation rows and kept for others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from tetract.tasks.classification import deciding
from tetract.tasks.classification.pool import Level
from tetract.tasks.classification.ranking import keeps_specificity, rank_rows
from tetract.tasks.classification.rows import (
    ClassificationRow,
    Deciding,
    check_rows,
    deciding_rows,
)
from tetract.types.figure import Figure, count_support, undefined
from tetract.types.resamples import AS_IS, Resamples, estimate


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassThreshold:
    """From which probability a row is called a class.

    Attributes:
        name: Name of the class.
        value: The probability; None where no threshold keeps the specificity.
        reason: Why there is none; "".
        specificity: What it reaches on the rows it was found on, with its interval there.
        sensitivity: The same.
    """

    name: str
    value: float | None
    reason: str
    specificity: Figure
    sensitivity: Figure


@dataclass(frozen=True, slots=True, kw_only=True)
class Thresholds:
    """One threshold per class.

    Attributes:
        level: What a row was: thresholds of slices do not hold for patients.
        wanted_specificity: Specificity that each was to keep.
        classes: One entry per class, in label order.
    """

    level: Level
    wanted_specificity: float
    classes: tuple[ClassThreshold, ...]


def find_thresholds(
    rows: Sequence[ClassificationRow],
    classes: tuple[str, ...],
    *,
    level: Level,
    specificity: float = 0.95,
    resamples: Resamples = AS_IS,
) -> Thresholds:
    """The lowest threshold of each class that keeps a specificity on these rows.

    It lies halfway between the highest score that may not be called positive, which is always a
    negative's, and the next higher score of any row that decides the class (1 if there is none).

    Args:
        rows: Validation rows. Never those that are to be reported: the figures of the latter
            would be too good.
        classes: Names of the K classes.
        level: What each of the rows is.
        specificity: To be kept, above 0 and at most 1.
        resamples: The draws behind the intervals. In them the threshold is held, so intervals
            say how well its specificity is known, not how far another threshold would lie.

    Raises:
        ValueError: For another ``specificity``.
        InputError: ``E_PREDICTION_NOT_FINITE`` or ``E_NOT_A_PROBABILITY``.
    """
    if not 0 < specificity <= 1:
        msg = f"a specificity lies in (0, 1], found {specificity}"
        raise ValueError(msg)
    check_rows(rows, len(classes))
    return Thresholds(
        level=level,
        wanted_specificity=specificity,
        classes=tuple(
            _find(deciding_rows(rows, index), name, specificity, resamples)
            for index, name in enumerate(classes)
        ),
    )


def _find(rows: Deciding, name: str, specificity: float, resamples: Resamples) -> ClassThreshold:
    value = _place(rows, specificity)
    if value is None:
        reason = rows.no_negatives or "too many negatives have probability 1"
        none = undefined(count_support(rows.rows), reason)
        return ClassThreshold(
            name=name, value=None, reason=reason, specificity=none, sensitivity=none
        )
    said = partial(deciding.decided, rows.truth, rows.scores >= value)
    figure = partial(estimate, rows=rows.rows, resamples=resamples)
    specific = figure(said(deciding.specificity), reason=rows.no_negatives)
    sensitive = figure(said(deciding.sensitivity), reason=rows.no_positives)
    return ClassThreshold(
        name=name,
        value=value,
        reason="",
        specificity=_without_studies(specific),
        sensitivity=_without_studies(sensitive),
    )


def _without_studies(figure: Figure) -> Figure:
    """Without its thousand draws: these nouns are saved with a model."""
    return Figure(
        value=figure.value,
        support=figure.support,
        reason=figure.reason,
        interval=figure.interval,
        no_interval=figure.no_interval,
    )


def _place(rows: Deciding, specificity: float) -> float | None:
    """The threshold, or None where every one calls too many negatives."""
    if rows.no_negatives:
        return None
    ranking = rank_rows(rows.truth, rows.scores)
    _, negatives = ranking.count(np.ones((1, len(rows.truth))))
    strictest_refused = int(keeps_specificity(specificity, negatives).sum())
    low = float(ranking.scores[strictest_refused])
    high = float(ranking.scores[strictest_refused - 1]) if strictest_refused else 1.0
    if low >= high:
        return None
    middle = (low + high) / 2
    return middle if middle > low else high
