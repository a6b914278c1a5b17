"""COCO's average precision (Lin et al. 2014, arXiv 1405.0312) as a function of weights."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from jaxtyping import Float, Float64, Int64

from tetract.tasks.detection.matching import Ranking
from tetract.tasks.detection.running import count_matrix, in_parts, running_totals
from tetract.types.resamples import Statistic

RECALL_LEVELS = np.linspace(0.0, 1.0, 101)


def average_precision(ranking: Ranking, found: Int64[np.ndarray, " P"], *, units: int) -> Statistic:
    """Mean over 101 recall levels of the best precision at that recall or more.

    Precision only ever falls at a false positive, so that its envelope is reached at true
    positives, and the false positives between two of them count together. A unit of weight w
    counts as w copies of each of its predictions, one after the other.

    Args:
        ranking: The predictions, best first.
        found: The lesion that each finds, or -1.
        units: Number of units.

    Returns:
        NaN where there is no lesion; 0 where there are some and none is found.
    """
    hit = found >= 0
    places = int(hit.sum())
    above = np.cumsum(hit)[~hit]
    within = above < places
    unit_wrong, above = ranking.unit[~hit][within], above[within]
    wrong = count_matrix(unit_wrong, above, units=units, places=places)
    right = count_matrix(ranking.unit[hit], np.arange(places), units=units, places=places)
    lesions = np.bincount(ranking.lesion_unit, minlength=units)
    statistics = partial(_average, right, wrong, lesions)
    return lambda weights: in_parts(statistics, weights, places=places)[:, 0]


def _average(
    right: Any, wrong: Any, lesions: Int64[np.ndarray, " U"], weights: Float[np.ndarray, "R U"]
) -> Float64[np.ndarray, "R 1"]:
    total = weights @ lesions
    true, false = running_totals(right, weights), running_totals(wrong, weights)
    precision = np.divide(true, true + false, out=np.zeros_like(true), where=true > 0)
    envelope = np.maximum.accumulate(precision[::-1], axis=0)[::-1]
    recall = np.divide(true, total, out=np.zeros_like(true), where=total > 0)
    # Levels first reached at each true positive.
    reached = np.searchsorted(RECALL_LEVELS, recall, side="right")
    fresh = np.diff(reached, axis=0, prepend=0)
    mean = (fresh * envelope).sum(axis=0) / len(RECALL_LEVELS)
    return np.where(total > 0, mean, np.nan)[:, None]
