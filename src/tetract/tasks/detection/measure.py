"""From matched boxes to figures with intervals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from jaxtyping import Bool, Float, Float64, Int64

from tetract.tasks.detection.average_precision import average_precision
from tetract.tasks.detection.froc import froc_sensitivities
from tetract.tasks.detection.matching import Ranking, by_iou, find_lesions
from tetract.tasks.detection.running import columns
from tetract.tasks.detection.scores import FrocBand, FrocScores
from tetract.types.figure import Figure, count_support, undefined
from tetract.types.identity import HasIdentity
from tetract.types.resamples import Resamples, Statistic, estimate

FROC_RATES: Final = (0.125, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0)
ONE_FP: Final = FROC_RATES.index(1.0)
# Three points per octave; every third is a rate of LUNA16.
_CURVE_RATES: Final = tuple(float(2 ** (third / 3)) for third in range(-9, 10))
_LUNA: Final = slice(None, None, 3)


@dataclass(frozen=True, slots=True, kw_only=True)
class Basis:
    """What figures are computed from and stand on.

    Attributes:
        units: One row of each unit that is weighted: of each patient, or each slice without one.
        behind: All rows.
        resamples: The draws.
        reason: Why a figure of these rows does not exist, should it not.
    """

    units: Sequence[HasIdentity]
    behind: Sequence[HasIdentity]
    resamples: Resamples
    reason: str

    def figure(self, statistic: Statistic) -> Figure:
        """The figure, its interval and its draws; see ``estimate``."""
        return estimate(
            statistic, self.units, self.resamples, reason=self.reason, behind=self.behind
        )

    def missing(self, reason: str) -> Figure:
        """A figure that does not exist."""
        return undefined(count_support(self.behind), reason)


def score_precision(
    ranking: Ranking, groups: Sequence[Sequence[float]], basis: Basis
) -> list[Figure]:
    """Average precision, a mean over the IoU thresholds of each group."""
    ious = sorted({iou for group in groups for iou in group})
    matched = [find_lesions(ranking, by_iou(ranking, iou)) for iou in ious]
    each = [average_precision(ranking, found, units=len(basis.units)) for found in matched]

    def means(weights: Float[np.ndarray, "R U"]) -> Float64[np.ndarray, "R C"]:
        values = {iou: statistic(weights) for iou, statistic in zip(ious, each, strict=True)}
        return np.stack([np.mean([values[i] for i in g], axis=0) for g in groups], axis=1)

    return [basis.figure(statistic) for statistic in columns(means, len(groups))]


def score_froc(
    ranking: Ranking,
    found: Int64[np.ndarray, " P"],
    images: Float64[np.ndarray, " U"],
    basis: Basis,
) -> FrocScores:
    """Sensitivities, their mean and the curve between them, for ``images`` of each unit."""
    at_rates = froc_sensitivities(ranking, found, _CURVE_RATES, images=images)

    def with_mean(weights: Float[np.ndarray, "R U"]) -> Float64[np.ndarray, "R C"]:
        values = at_rates(weights)
        return np.concatenate([values, values[:, _LUNA].mean(axis=1, keepdims=True)], axis=1)

    figures = [basis.figure(one) for one in columns(with_mean, len(_CURVE_RATES) + 1)]
    return FrocScores(
        rates=FROC_RATES,
        sensitivity=tuple(figures[:-1][_LUNA]),
        cpm=figures[-1],
        band=_band(figures[:-1]),
    )


def missing_froc(basis: Basis, reason: str) -> FrocScores:
    """No figure exists."""
    none = basis.missing(reason)
    return FrocScores(rates=FROC_RATES, sensitivity=(none,) * len(FROC_RATES), cpm=none, band=None)


def score_one_fp(
    ranking: Ranking,
    found: Int64[np.ndarray, " P"],
    counted: Bool[np.ndarray, " T"],
    images: Float64[np.ndarray, " U"],
    basis: Basis,
) -> Figure:
    """Sensitivity for some of the lesions, at 1 false positive per image of all."""
    at_one = froc_sensitivities(ranking, found, (1.0,), images=images, counted=counted)
    return basis.figure(lambda weights: at_one(weights)[:, 0])


def _band(figures: Sequence[Figure]) -> FrocBand | None:
    values = [figure.value for figure in figures if figure.value is not None]
    if len(values) < len(figures):
        return None
    intervals = [figure.interval for figure in figures]
    return FrocBand(
        false_positives=_CURVE_RATES,
        sensitivity=tuple(values),
        low=tuple(None if i is None else i.low for i in intervals),
        high=tuple(None if i is None else i.high for i in intervals),
    )
