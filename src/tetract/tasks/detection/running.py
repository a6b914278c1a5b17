"""Counts along a ranking, for many sets of weights at a time.

Only the places where something is found matter: false positives between two of them are counted
together. So a thousand draws of a hundred thousand predictions are one sparse product.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from hashlib import blake2b
from typing import Any, TypeAlias

import numpy as np
from jaxtyping import Float, Float64, Int64
from scipy.sparse import csr_array

from tetract.types.resamples import Statistic

# (R, U) how often each of U units counts in each of R studies -> (R, C), NaN where undefined.
Statistics: TypeAlias = Callable[[Float[np.ndarray, "R U"]], Float64[np.ndarray, "R C"]]

# Numbers in one table of counts: small enough to stay near the processor.
_CHUNK = 500_000


def count_matrix(
    unit: Int64[np.ndarray, " K"], place: Int64[np.ndarray, " K"], *, units: int, places: int
) -> Any:
    """How many of K things each unit has at each place, as a sparse (places, units) matrix."""
    return csr_array((np.ones(len(unit)), (place, unit)), shape=(places, units))


def running_totals(
    counts: Any, weights: Float[np.ndarray, "R U"]
) -> Float64[np.ndarray, "places R"]:
    """How many things there are up to each place, in each study."""
    totals: Float64[np.ndarray, "places R"] = counts @ np.ascontiguousarray(weights.T)
    return np.cumsum(totals, axis=0, out=totals)


def in_parts(
    statistics: Statistics, weights: Float[np.ndarray, "R U"], *, places: int
) -> Float64[np.ndarray, "R C"]:
    """Some studies at a time, so that tables of ``places`` rows stay small."""
    step = max(1, _CHUNK // max(1, places))
    return np.concatenate(
        [statistics(weights[start : start + step]) for start in range(0, len(weights), step)]
    )


def columns(statistics: Statistics, number: int) -> tuple[Statistic, ...]:
    """Statistics that share their work, one by one: computed once for each set of weights."""
    known: dict[bytes, Float64[np.ndarray, "R C"]] = {}
    return tuple(partial(_column, statistics, known, column) for column in range(number))


def _column(
    statistics: Statistics,
    known: dict[bytes, Float64[np.ndarray, "R C"]],
    column: int,
    weights: Float[np.ndarray, "R U"],
) -> Float[np.ndarray, " R"]:
    key = blake2b(weights.tobytes()).digest()
    if key not in known:
        known[key] = statistics(weights)
    return known[key][:, column]
