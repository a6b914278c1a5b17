"""One number that makes a classifier as sure as it is right: temperature scaling.

Guo et al. 2017 (arXiv 1706.04599). The order of a row's classes stays as it is, so accuracy
does not change; how rows compare with each other may.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from jaxtyping import Bool, Float
from scipy.optimize import minimize_scalar

from tetract.tasks.classification.rows import (
    ClassificationRow,
    check_rows,
    stack_candidates,
    stack_probabilities,
)
from tetract.types.figure import Support, count_support

LOWEST: Final = 0.05
HIGHEST: Final = 20.0
# Softmax in single precision ends in 0 below this, whatever the logit was.
_TINY: Final = float(np.finfo(np.float32).tiny)


@dataclass(frozen=True, slots=True, kw_only=True)
class Temperature:
    """What log probabilities are divided by.

    Attributes:
        value: Above 1 where the model was too sure; None where the rows cannot tell.
        reason: Why there is none; "".
        at_limit: The best value lies at 0.05 or 20, or beyond: the rows are too few, or told
            apart perfectly, or not at all.
        support: The rows that it was fitted to.
        nll_before: Mean negative log-likelihood of them, in nats; None where there is no value.
        nll_after: The same at this temperature.
    """

    value: float | None
    reason: str
    at_limit: bool
    support: Support
    nll_before: float | None
    nll_after: float | None


def fit_temperature(rows: Sequence[ClassificationRow], classes: tuple[str, ...]) -> Temperature:
    """Find the temperature between 0.05 and 20 under which these rows are most likely.

    A row of several candidates counts with their summed probability, as in the loss.

    Args:
        rows: Validation slices, before pooling.
        classes: Names of the K classes.

    Raises:
        InputError: ``E_PREDICTION_NOT_FINITE`` or ``E_NOT_A_PROBABILITY``.
    """
    check_rows(rows, len(classes))
    some = [row for row in rows if not row.candidates.all()]
    support = count_support(some)
    candidates = stack_candidates(some, len(classes))
    reason = _why_not(candidates)
    if reason:
        return Temperature(
            value=None,
            reason=reason,
            at_limit=False,
            support=support,
            nll_before=None,
            nll_after=None,
        )
    logs = _log_probabilities(stack_probabilities(some, len(classes)))
    value = _best(logs, candidates)
    return Temperature(
        value=value,
        reason="",
        at_limit=not LOWEST * 1.01 < value < HIGHEST / 1.01,
        support=support,
        nll_before=_nll(0.0, logs, candidates),
        nll_after=_nll(float(np.log(value)), logs, candidates),
    )


def apply_temperature(
    probabilities: Float[np.ndarray, "N K"], temperature: float
) -> Float[np.ndarray, "N K"]:
    """(N, K) probabilities of rows at this temperature; each row sums to 1."""
    logs = _log_probabilities(probabilities.astype(np.float64)) / temperature
    return np.exp(logs - np.logaddexp.reduce(logs, axis=1)[:, None])


def temper_rows(
    rows: Sequence[ClassificationRow], temperature: float
) -> tuple[ClassificationRow, ...]:
    """The same rows at this temperature."""
    return tuple(
        replace(row, probabilities=apply_temperature(row.probabilities[None], temperature)[0])
        for row in rows
    )


def _why_not(candidates: Bool[np.ndarray, "N K"]) -> str:
    if not len(candidates):
        return "no rows that decide a class"
    if len(np.unique(candidates, axis=0)) < 2:
        return "all rows carry the same label"
    return ""


def _log_probabilities(probabilities: Float[np.ndarray, "N K"]) -> Float[np.ndarray, "N K"]:
    return np.log(np.maximum(probabilities, _TINY))


def _best(logs: Float[np.ndarray, "N K"], candidates: Bool[np.ndarray, "N K"]) -> float:
    """A grid first, since candidate sets allow more than one minimum; then the finest place."""
    grid = np.linspace(np.log(LOWEST), np.log(HIGHEST), 61)
    at = int(np.argmin([_nll(float(log_t), logs, candidates) for log_t in grid]))
    around = grid[max(at - 1, 0)], grid[min(at + 1, len(grid) - 1)]
    found = minimize_scalar(
        _nll,
        bounds=around,
        args=(logs, candidates),
        method="bounded",
        options={"xatol": 1e-6},
    )
    return float(np.exp(found.x))


def _nll(
    log_temperature: float,
    logs: Float[np.ndarray, "N K"],
    candidates: Bool[np.ndarray, "N K"],
) -> float:
    scaled = logs / np.exp(log_temperature)
    possible = np.where(candidates, scaled, -np.inf)
    log_sums = np.logaddexp.reduce(scaled, axis=1) - np.logaddexp.reduce(possible, axis=1)
    return float(log_sums.mean())
