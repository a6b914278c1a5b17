"""AUROC within sources: only slices of the same source are ever compared.

Where sources hold different classes, an AUROC over all of them is high for a model that tells the
scanners apart. Counting only the pairs of one source (the concordance of a stratified comparison,
van Elteren 1960) takes that away: knowing the source is then worth 0.5.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from jaxtyping import Bool, Float, Int

from tetract.tasks.classification.ranking import auroc, rank_rows
from tetract.tasks.classification.rows import Deciding
from tetract.types.resamples import Statistic

NO_SOURCE = "no source holds rows both with and without"


@dataclass(frozen=True, slots=True)
class _Stratum:
    """The rows of one source that holds both kinds."""

    columns: Int[np.ndarray, " N"]
    truth: Bool[np.ndarray, " N"]
    auroc: Statistic


def is_within(rows: Deciding) -> bool:
    """Whether some source holds positives and negatives."""
    sources = [row.identity.source for row in rows.rows]
    kinds = set(zip(sources, rows.truth.tolist(), strict=True))
    return any((source, not kind) in kinds for source, kind in kinds)


def auroc_within(rows: Deciding) -> Statistic:
    """Share of the (positive, negative) pairs of one source that are in order, ties half.

    The mean of the sources' AUROCs, each weighing as many as it has pairs. Undefined (NaN) in a
    study in which no source has a pair.
    """
    return partial(_auroc_within, _strata(rows))


def auroc_within_pooled(decided: Sequence[Deciding]) -> Statistic:
    """The same over the pairs of every class, of one source each.

    Classes with many pairs weigh most, and a class with two slices hardly at all.

    Args:
        decided: For each class, the rows that say whether they are of it. The statistic weighs
            all rows, where theirs stand in ``columns``.
    """
    return partial(
        _auroc_within,
        tuple(
            replace(one, columns=rows.columns[one.columns])
            for rows in decided
            for one in _strata(rows)
        ),
    )


def _strata(rows: Deciding) -> tuple[_Stratum, ...]:
    sources = np.array([row.identity.source for row in rows.rows], dtype=str)
    found: list[_Stratum] = []
    for source in np.unique(sources):
        columns = np.flatnonzero(sources == source)
        truth = rows.truth[columns]
        if truth.any() and not truth.all():
            ranking = rank_rows(truth, rows.scores[columns])
            found.append(_Stratum(columns=columns, truth=truth, auroc=auroc(ranking)))
    return tuple(found)


def _auroc_within(
    strata: Sequence[_Stratum], weights: Float[np.ndarray, "R N"]
) -> Float[np.ndarray, " R"]:
    ordered, pairs = np.zeros(len(weights)), np.zeros(len(weights))
    for one in strata:
        own = weights[:, one.columns]
        count = (own @ one.truth) * (own @ ~one.truth)
        ordered += np.where(count > 0, np.nan_to_num(one.auroc(own)) * count, 0.0)
        pairs += count
    return np.divide(ordered, pairs, out=np.full(len(weights), np.nan), where=pairs > 0)
