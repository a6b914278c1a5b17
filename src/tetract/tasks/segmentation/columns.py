"""One mask class as columns over the slices whose annotators looked for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from jaxtyping import Bool, Float, Int64

from tetract.tasks.segmentation.measure import SegmentationRow
from tetract.types.figure import Figure, count_support, undefined
from tetract.types.identity import group_keys
from tetract.types.resamples import Resamples, estimate, ratio
from tetract.types.studentised import Sums

NO_REFERENCE = "no reference pixels"


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """Pixel counts of one mask class, and who the slices are.

    Attributes:
        index: The mask channel.
        rows: The N annotated slices.
        true_positive: (N,) pixels in prediction and reference.
        false_positive: (N,) pixels in the prediction only.
        false_negative: (N,) pixels in the reference only.
        patient: (N,) number of each slice's patient.
        first: (P,) first slice of each patient, which stands for it where patients are weighed.
    """

    index: int
    rows: tuple[SegmentationRow, ...]
    true_positive: Float[np.ndarray, " N"]
    false_positive: Float[np.ndarray, " N"]
    false_negative: Float[np.ndarray, " N"]
    patient: Int64[np.ndarray, " N"]
    first: Int64[np.ndarray, " P"]

    @property
    def bears(self) -> Bool[np.ndarray, " N"]:
        """Which slices hold reference pixels."""
        return self.true_positive + self.false_negative > 0

    @property
    def painted(self) -> Bool[np.ndarray, " N"]:
        """Which slices hold predicted pixels."""
        return self.true_positive + self.false_positive > 0

    def pick(self, chosen: Bool[np.ndarray, " N"]) -> list[SegmentationRow]:
        """The slices that are chosen."""
        return [self.rows[row] for row in np.flatnonzero(chosen)]

    def per_patient(self, values: Float[np.ndarray, " N"]) -> Float[np.ndarray, " P"]:
        """Sum within each patient."""
        # Of no slices at all, numpy would count whole numbers.
        return np.bincount(self.patient, values, minlength=len(self.first)).astype(np.float64)


def columns(rows: Sequence[SegmentationRow], index: int) -> Columns:
    """Channel ``index`` of the rows where it was annotated."""
    kept = tuple(row for row in rows if row.annotated[index])
    counts = np.array(
        [
            (row.true_positive[index], row.false_positive[index], row.false_negative[index])
            for row in kept
        ],
        dtype=np.float64,
    ).reshape(-1, 3)
    number = {key: place for place, key in enumerate(dict.fromkeys(group_keys(kept)))}
    patient = np.array([number[key] for key in group_keys(kept)], dtype=np.int64)
    _, first = np.unique(patient, return_index=True)
    return Columns(
        index=index,
        rows=kept,
        true_positive=counts[:, 0],
        false_positive=counts[:, 1],
        false_negative=counts[:, 2],
        patient=patient,
        first=first.astype(np.int64),
    )


def dice_of(
    hit: Float[np.ndarray, " N"], extra: Float[np.ndarray, " N"], missed: Float[np.ndarray, " N"]
) -> Float[np.ndarray, " N"]:
    """2 TP / (2 TP + FP + FN), Dice 1945; NaN where the reference is empty."""
    return np.where(hit + missed > 0, ratio(2 * hit, 2 * hit + extra + missed), np.nan)


def iou_of(
    hit: Float[np.ndarray, " N"], extra: Float[np.ndarray, " N"], missed: Float[np.ndarray, " N"]
) -> Float[np.ndarray, " N"]:
    """TP / (TP + FP + FN); NaN where the reference is empty."""
    return np.where(hit + missed > 0, ratio(hit, hit + extra + missed), np.nan)


def share(
    above: Float[np.ndarray, " N"],
    below: Float[np.ndarray, " N"],
    rows: Sequence[SegmentationRow],
    resamples: Resamples,
    *,
    reason: str,
    behind: Sequence[SegmentationRow] | None = None,
    is_error: bool = False,
) -> Figure:
    """Sum of ``above`` over sum of ``below``, both one number per row; undefined where it is 0.

    An error is 0 or more and has no upper end: its interval may reach further.
    """
    if not rows:
        return undefined(count_support(behind or rows), reason)
    return estimate(
        partial(_share, above=above, below=below),
        rows,
        resamples,
        reason=reason,
        behind=behind,
        sums=Sums(above=above, below=below, is_share=False) if is_error else None,
    )


def mean(
    values: Float[np.ndarray, " N"],
    rows: Sequence[SegmentationRow],
    resamples: Resamples,
    *,
    reason: str,
    behind: Sequence[SegmentationRow] | None = None,
    is_error: bool = False,
) -> Figure:
    """Mean of one number per row: between 0 and 1, or an error."""
    once = np.ones(len(rows))
    return share(values, once, rows, resamples, reason=reason, behind=behind, is_error=is_error)


def over_patients(
    column: Columns,
    values: Float[np.ndarray, " P"],
    resamples: Resamples,
    *,
    reason: str,
    behind: Bool[np.ndarray, " N"] | None = None,
    is_error: bool = False,
) -> Figure:
    """Mean over the patients whose value is a number; by default all their slices are behind it."""
    known = np.isfinite(values)
    own = known[column.patient]
    return mean(
        values[known],
        [column.rows[row] for row in column.first[known]],
        resamples,
        reason=reason,
        behind=column.pick(own if behind is None else own & behind),
        is_error=is_error,
    )


def mean_within(
    column: Columns, values: Float[np.ndarray, " N"], counted: Bool[np.ndarray, " N"]
) -> Float[np.ndarray, " P"]:
    """Mean of each patient's counted slices, NaN where it has none."""
    total = column.per_patient(np.where(counted, values, 0.0))
    return ratio(total, column.per_patient(counted.astype(np.float64)))


# Not closures: in the tests, each would be compiled anew whenever a figure is made.
def _share(
    weights: Float[np.ndarray, "R N"],
    *,
    above: Float[np.ndarray, " N"],
    below: Float[np.ndarray, " N"],
) -> Float[np.ndarray, " R"]:
    return ratio(weights @ above, weights @ below)
