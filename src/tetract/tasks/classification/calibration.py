"""Whether probabilities mean what they say: Brier score and expected calibration error.

Both are undefined (NaN) in a study whose rows are of fewer than two kinds: there, saying this
kind always would be perfect.
"""

from __future__ import annotations

from functools import partial

import numpy as np
from jaxtyping import Bool, Float, Int

from tetract.types.resamples import Statistic, ratio

BINS = 15


def brier(distances: Float[np.ndarray, " N"], kinds: Bool[np.ndarray, "N K"]) -> Statistic:
    """Mean squared distance of the probabilities to the truth (Brier 1950).

    Args:
        distances: Squared distance of each row, summed over the classes that are scored.
        kinds: True at the kind of each row.
    """
    return partial(_brier, distances, kinds.astype(np.float64))


def calibration_error(
    truth: Bool[np.ndarray, " N"],
    confidences: Float[np.ndarray, " N"],
    kinds: Bool[np.ndarray, "N K"],
) -> Statistic:
    """Expected calibration error (Naeini et al. 2015, doi 10.1609/aaai.v29i1.9602).

    Mean over the bins, weighted by their rows, of the distance between mean confidence and
    observed frequency.

    Args:
        truth: Whether what the confidence speaks of is so.
        confidences: In [0, 1].
        kinds: True at the kind of each row.
    """
    of_bin = bin_of(confidences)[:, None] == np.arange(BINS)
    too_sure = np.where(of_bin, (confidences - truth)[:, None], 0.0)
    return partial(_calibration_error, too_sure, kinds.astype(np.float64))


def bin_of(confidences: Float[np.ndarray, " N"]) -> Int[np.ndarray, " N"]:
    """Which of 15 equally wide bins ``(low, high]``; 0 belongs to the first."""
    edges = np.linspace(0, 1, BINS + 1)
    return np.searchsorted(edges[1:-1], confidences, side="left").astype(np.int64)


def _brier(
    distances: Float[np.ndarray, " N"],
    kinds: Float[np.ndarray, "N K"],
    weights: Float[np.ndarray, "R N"],
) -> Float[np.ndarray, " R"]:
    mean = ratio(weights @ distances, weights.sum(axis=1))
    return np.where(_several(kinds, weights), mean, np.nan)


def _calibration_error(
    too_sure: Float[np.ndarray, "N B"],
    kinds: Float[np.ndarray, "N K"],
    weights: Float[np.ndarray, "R N"],
) -> Float[np.ndarray, " R"]:
    error = ratio(np.abs(weights @ too_sure).sum(axis=1), weights.sum(axis=1))
    return np.where(_several(kinds, weights), error, np.nan)


def _several(
    kinds: Float[np.ndarray, "N K"], weights: Float[np.ndarray, "R N"]
) -> Bool[np.ndarray, " R"]:
    return (weights @ kinds > 0).sum(axis=1) > 1
