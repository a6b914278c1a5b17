"""What the classification figures are computed from: probabilities beside candidate classes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from tetract.errors import InputError
from tetract.types.identity import Identity

# Softmax in half precision may end this far beyond 1.
_BEYOND = 1e-3


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassificationRow:
    """One labelled slice, or one series or patient pooled from its slices.

    Attributes:
        probabilities: (K,) predicted, finite, in [0, 1].
        candidates: (K,) bool; one True is a known class, several what the source leaves open.
        identity: Who the slice is.
    """

    probabilities: Float[np.ndarray, " K"]
    candidates: Bool[np.ndarray, " K"]
    identity: Identity


@dataclass(frozen=True, slots=True, kw_only=True)
class Deciding:
    """The rows that say whether they are of one class.

    Attributes:
        rows: The N rows.
        columns: (N,) where they stand among all rows.
        truth: (N,) True: known to be exactly this class. False: the candidates exclude it.
        scores: (N,) probability of the class.
    """

    rows: tuple[ClassificationRow, ...]
    columns: Int[np.ndarray, " N"]
    truth: Bool[np.ndarray, " N"]
    scores: Float[np.ndarray, " N"]

    @property
    def kinds(self) -> Bool[np.ndarray, "N 2"]:
        """Whether each row is positive, and whether it is negative."""
        return np.stack([self.truth, ~self.truth], axis=1)

    @property
    def no_positives(self) -> str:
        """Why figures that need positives do not exist; "" where there are some."""
        return "" if self.truth.any() else "no positive rows"

    @property
    def no_negatives(self) -> str:
        """Why figures that need negatives do not exist; "" where there are some."""
        return "" if (~self.truth).any() else "no negative rows"

    @property
    def one_kind(self) -> str:
        """Why figures that need both do not exist; "" where there are both."""
        return self.no_positives or self.no_negatives


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """The rows whose class is known.

    Attributes:
        rows: The N rows.
        is_class: (N, K) True at the class of the row.
        probabilities: (N, K) predicted.
    """

    rows: tuple[ClassificationRow, ...]
    is_class: Bool[np.ndarray, "N K"]
    probabilities: Float[np.ndarray, "N K"]

    @property
    def one_kind(self) -> str:
        """Why figures of all classes together do not exist; "" where there are several classes."""
        if not self.rows:
            return "no rows with a single known class"
        if self.is_class.any(axis=0).sum() < 2:
            return "only one class among the rows with a single known class"
        return ""

    @property
    def is_said(self) -> Bool[np.ndarray, "N K"]:
        """True at the most probable class; at the first of equals."""
        said = np.zeros(self.probabilities.shape, dtype=np.bool_)
        if self.rows:
            said[np.arange(len(said)), self.probabilities.argmax(axis=1)] = True
        return said

    @property
    def right(self) -> Bool[np.ndarray, " N"]:
        """Whether the most probable class is the row's."""
        return self.is_class[self.is_said]

    @property
    def confidence(self) -> Float[np.ndarray, " N"]:
        """Probability of the most probable class."""
        return self.probabilities.max(axis=1, initial=0)

    @property
    def squared_distance(self) -> Float[np.ndarray, " N"]:
        """Brier's score of each row (1950): squared distances to the truth, summed over classes."""
        return ((self.probabilities - self.is_class) ** 2).sum(axis=1)


def check_rows(rows: Sequence[ClassificationRow], classes: int) -> None:
    """Refuse rows from which no figure may be computed.

    Raises:
        InputError: ``E_PREDICTION_NOT_FINITE``, or ``E_NOT_A_PROBABILITY`` outside [0, 1].
        ValueError: For a row of other classes or without any candidate, which is our bug.
    """
    if not rows:
        return
    for row in rows:
        if not len(row.probabilities) == len(row.candidates) == classes:
            found = len(row.probabilities), len(row.candidates)
            msg = f"a row of {classes} classes expected, found {found}"
            raise ValueError(msg)
    probabilities = stack_probabilities(rows, classes)
    candidates = stack_candidates(rows, classes)
    if not candidates.any(axis=1).all():
        msg = "a row without any candidate class is no labelled row"
        raise ValueError(msg)
    if not np.isfinite(probabilities).all():
        raise InputError(
            "E_PREDICTION_NOT_FINITE",
            "a predicted probability is NaN or infinite",
            expected="finite numbers",
            fix="The model has diverged: lower the learning rate and train again",
        )
    low, high = probabilities.min(), probabilities.max()
    if low < -_BEYOND or high > 1 + _BEYOND:
        raise InputError(
            "E_NOT_A_PROBABILITY",
            "a predicted probability is below 0 or above 1",
            expected="0 to 1",
            found=f"{low:.4g} to {high:.4g}",
            fix="Give probabilities, not logits",
        )


def stack_probabilities(
    rows: Sequence[ClassificationRow], classes: int
) -> Float[np.ndarray, "N K"]:
    """(N, K) in double precision."""
    return np.array([row.probabilities for row in rows], dtype=np.float64).reshape(-1, classes)


def stack_candidates(rows: Sequence[ClassificationRow], classes: int) -> Bool[np.ndarray, "N K"]:
    """(N, K)."""
    return np.array([row.candidates for row in rows], dtype=np.bool_).reshape(-1, classes)


def deciding_rows(rows: Sequence[ClassificationRow], index: int) -> Deciding:
    """The rows that are known to be of class ``index``, or known not to be."""
    columns = [
        column
        for column, row in enumerate(rows)
        if not row.candidates[index] or row.candidates.sum() == 1
    ]
    found = tuple(rows[column] for column in columns)
    return Deciding(
        rows=found,
        columns=np.array(columns, dtype=np.int64),
        truth=np.array([row.candidates[index] for row in found], dtype=np.bool_),
        scores=np.array([row.probabilities[index] for row in found], dtype=np.float64),
    )


def known_rows(rows: Sequence[ClassificationRow], classes: int) -> Known:
    """The rows with a single candidate."""
    found = tuple(row for row in rows if row.candidates.sum() == 1)
    return Known(
        rows=found,
        is_class=stack_candidates(found, classes),
        probabilities=stack_probabilities(found, classes),
    )
