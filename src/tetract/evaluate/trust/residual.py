"""How unusual a slice's hidden-patch residual is: distance from those of validation slices.

A network that has learnt how lungs go on infers hidden patches of such slices about equally well.
Two numbers are looked at together, since either alone is blind: the model's error is small on an
empty picture, a ratio to the mean filter's on a noisy one. Their logarithms are nearly normal, so
the distance is Mahalanobis'.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from jaxtyping import Float64

from tetract.types.identity import HasIdentity, group_keys

FEWEST_SLICES: Final = 20
_TINY: Final = 1e-6
# Of the spread: keeps two numbers that always agree from making every other pair infinitely far.
_RIDGE: Final = 1e-4


@dataclass(frozen=True, slots=True, kw_only=True)
class Usual:
    """Where validation slices lie.

    Attributes:
        centre: (2,) mean of the logarithms of ``Signals.residual``.
        inverse: (2, 2) inverse of their covariance.
    """

    centre: Float64[np.ndarray, " two"]
    inverse: Float64[np.ndarray, "two two"]

    def distance(self, residuals: Float64[np.ndarray, "N two"]) -> Float64[np.ndarray, " N"]:
        """(N,) in standard deviations."""
        away = logs(residuals) - self.centre
        return np.sqrt(np.einsum("ni,ij,nj->n", away, self.inverse, away).clip(min=0))


def fit_usual(residuals: Float64[np.ndarray, "N two"]) -> Usual:
    """Mean and covariance of at least two slices."""
    at = logs(residuals)
    spread = np.cov(at.T) + _RIDGE * np.eye(at.shape[1])
    return Usual(centre=at.mean(axis=0), inverse=np.linalg.inv(spread))


def distances_left_out(
    residuals: Float64[np.ndarray, "N two"], rows: Sequence[HasIdentity]
) -> Float64[np.ndarray, " N"]:
    """(N,) distance of each slice from those of the other patients, as a new one would have."""
    keys = group_keys(rows)
    number = {key: at for at, key in enumerate(dict.fromkeys(keys))}
    patient = np.array([number[key] for key in keys], dtype=np.int64)
    found = np.zeros(len(rows))
    for one in range(len(number)):
        own = patient == one
        if (~own).sum() >= 2:
            found[own] = fit_usual(residuals[~own]).distance(residuals[own])
    return found


def logs(residuals: Float64[np.ndarray, "N two"]) -> Float64[np.ndarray, "N two"]:
    """Natural logarithms, held above one millionth of the window."""
    return np.log(np.maximum(residuals, _TINY))
