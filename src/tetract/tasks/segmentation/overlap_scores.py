"""Dice and IoU over patients, slices, all pixels and classes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeAlias

import numpy as np
from jaxtyping import Float

from tetract.tasks.segmentation.columns import (
    NO_REFERENCE,
    Columns,
    columns,
    dice_of,
    mean,
    over_patients,
)
from tetract.tasks.segmentation.measure import SegmentationRow
from tetract.types.figure import Figure, count_support, undefined
from tetract.types.identity import GroupKey, group_keys
from tetract.types.resamples import AS_IS, Resamples, estimate, ratio
from tetract.types.studentised import Sums

_Overlap: TypeAlias = Callable[
    [Float[np.ndarray, " N"], Float[np.ndarray, " N"], Float[np.ndarray, " N"]],
    Float[np.ndarray, " N"],
]


@dataclass(frozen=True, slots=True, kw_only=True)
class PatientDice:
    """Dice of each patient that bears a class, for plots.

    Attributes:
        dice: (P,) in [0, 1].
        sources: The P patients' sources.
        rows: The P patients' first rows in the table; a patient's key is not told.
    """

    dice: Float[np.ndarray, " P"]
    sources: tuple[str, ...]
    rows: tuple[int, ...]


def patient_dice(rows: Sequence[SegmentationRow], index: int) -> PatientDice:
    """Dice per patient of one mask channel, pixels pooled within the patient."""
    column = columns(rows, index)
    values = _per_patient(column, dice_of)
    known = np.isfinite(values)
    firsts = [column.rows[row].identity for row in column.first[known]]
    return PatientDice(
        dice=values[known],
        sources=tuple(who.source for who in firsts),
        rows=tuple(who.row for who in firsts),
    )


def score_patients(column: Columns, overlap: _Overlap, resamples: Resamples) -> Figure:
    """Mean over the patients that bear the class, pixels pooled within the patient.

    Slices of these patients that are free of the class count too: what is painted there is part
    of the patient's volume.
    """
    return over_patients(column, _per_patient(column, overlap), resamples, reason=NO_REFERENCE)


def score_pooled(column: Columns, overlap: _Overlap, resamples: Resamples) -> Figure:
    """Over all pixels of all annotated slices at once."""
    counts = np.stack([column.true_positive, column.false_positive, column.false_negative])
    return _over_pixels(counts, column.rows, overlap, resamples)


def pooled_over_classes(
    rows: Sequence[SegmentationRow],
    channels: Sequence[int],
    overlap: _Overlap,
    resamples: Resamples,
) -> Figure:
    """Over all pixels of all annotated slices and of these classes at once.

    Large classes and large lesions weigh most. Unlike a mean over classes it is defined in a draw
    that lacks one of them.
    """
    kept = [row for row in rows if row.annotated[list(channels)].any()]
    counts = np.array(
        [
            [
                count[channel] if row.annotated[channel] else 0
                for count in (row.true_positive, row.false_positive, row.false_negative)
                for channel in channels
            ]
            for row in kept
        ],
        dtype=np.float64,
    ).reshape(len(kept), 3, len(channels))
    return _over_pixels(counts.sum(axis=2).T, kept, overlap, resamples)


def score_slices(column: Columns, overlap: _Overlap, resamples: Resamples) -> Figure:
    """Mean over the slices that bear the class."""
    each = overlap(column.true_positive, column.false_positive, column.false_negative)
    bearing = column.pick(column.bears)
    return mean(each[column.bears], bearing, resamples, reason=NO_REFERENCE)


def mean_dice(
    rows: Sequence[SegmentationRow], channels: Sequence[int], *, resamples: Resamples = AS_IS
) -> Figure:
    """Plain mean over these mask channels of Dice per patient; see ``mean_over_classes``."""
    return mean_over_classes([columns(rows, i) for i in channels], rows, dice_of, resamples)


def mean_over_classes(
    all_columns: Sequence[Columns],
    rows: Sequence[SegmentationRow],
    overlap: _Overlap,
    resamples: Resamples,
) -> Figure:
    """Plain mean over the classes that some patient bears; a draw without one is undefined."""
    annotated = [row for row in rows if row.annotated.any()]
    # One column per patient that bears any of the classes, one row per class that is borne.
    firsts: dict[GroupKey, SegmentationRow] = {}
    found: list[dict[GroupKey, float]] = []
    for column in all_columns:
        values = _per_patient(column, overlap)
        known = np.isfinite(values)
        own = [column.rows[row] for row in column.first[known]]
        keys = group_keys(own)
        firsts.update(zip(keys, own, strict=True))
        if keys:
            found.append(dict(zip(keys, values[known].tolist(), strict=True)))
    if not found:
        return undefined(count_support(annotated), NO_REFERENCE)
    table = np.array([[one.get(key, np.nan) for key in firsts] for one in found])
    return estimate(
        partial(_mean_of_means, table=table),
        list(firsts.values()),
        resamples,
        reason=NO_REFERENCE,
        behind=annotated,
    )


def _over_pixels(
    counts: Float[np.ndarray, "3 N"],
    rows: Sequence[SegmentationRow],
    overlap: _Overlap,
    resamples: Resamples,
) -> Figure:
    marked = counts.any(axis=0)
    if not (counts[0] + counts[2]).any():
        return undefined(count_support(rows), NO_REFERENCE)
    return estimate(
        partial(_pooled, counts=counts[:, marked], overlap=overlap),
        [rows[int(row)] for row in np.flatnonzero(marked)],
        resamples,
        reason=NO_REFERENCE,
        behind=rows,
        sums=_sums(counts[:, marked], overlap),
    )


def _per_patient(column: Columns, overlap: _Overlap) -> Float[np.ndarray, " P"]:
    return overlap(
        column.per_patient(column.true_positive),
        column.per_patient(column.false_positive),
        column.per_patient(column.false_negative),
    )


def _pooled(
    weights: Float[np.ndarray, "R N"], *, counts: Float[np.ndarray, "3 N"], overlap: _Overlap
) -> Float[np.ndarray, " R"]:
    return overlap(weights @ counts[0], weights @ counts[1], weights @ counts[2])


def _sums(counts: Float[np.ndarray, "3 N"], overlap: _Overlap) -> Sums:
    """Dice counts a hit twice, IoU once."""
    hit, extra, missed = counts
    hits = 2 * hit if overlap is dice_of else hit
    return Sums(above=hits, below=hits + extra + missed, is_share=True)


def _mean_of_means(
    weights: Float[np.ndarray, "R P"], *, table: Float[np.ndarray, "M P"]
) -> Float[np.ndarray, " R"]:
    known = np.isfinite(table)
    means = [
        ratio(weights @ values, weights @ counted)
        for values, counted in zip(np.where(known, table, 0.0), known.astype(float), strict=True)
    ]
    return np.mean(means, axis=0)
