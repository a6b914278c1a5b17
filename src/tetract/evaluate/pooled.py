"""The classes of series and of patients, pooled from their slices by the one stated rule."""

from __future__ import annotations

from dataclasses import dataclass

from tetract.evaluate.collect import Collected
from tetract.tasks.classification.metrics import ClassificationScores, score_classification
from tetract.tasks.classification.pool import WORST, Level, pool_rows
from tetract.types import Task
from tetract.types.resamples import Resamples


@dataclass(frozen=True, slots=True, kw_only=True)
class PooledScores:
    """The figures of one level.

    Attributes:
        level: What a row is.
        units: How many of them.
        note: The rule, and what was left out.
        scores: The figures.
    """

    level: Level
    units: int
    note: str
    scores: ClassificationScores


def score_levels(collected: Collected, resamples: Resamples) -> tuple[PooledScores, ...]:
    """Series and patients, in this order; nothing where the model has no classes."""
    if Task.CLASSIFICATION not in collected.tasks:
        return ()
    return tuple(_score(collected, level, resamples) for level in (Level.SERIES, Level.PATIENT))


def _score(collected: Collected, level: Level, resamples: Resamples) -> PooledScores:
    classes = collected.label_space.classes
    pooled = pool_rows(collected.classification, classes, level, healthy=collected.setting.healthy)
    if pooled.healthy:
        names = ", ".join(pooled.healthy)
        rule = f"Pooled as the mean over the {WORST} slices least likely to be {names}."
    else:
        rule = "Pooled as the mean over all slices: no class is known to mean healthy."
    return PooledScores(
        level=level,
        units=len(pooled.rows),
        note=f"{rule} {pooled.note}".strip(),
        scores=score_classification(pooled.rows, classes, resamples=resamples),
    )
