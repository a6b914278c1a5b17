"""Studies of known truth: patients who differ, and slices of one patient who resemble each other.

The numbers of slices are skewed, a patient's slices share his difficulty, and disease is a matter
of the patient. Each maker turns a generator and a number of patients into one figure's statistic,
the rows it weighs, and what ``estimate`` is told besides.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np

from tetract.tasks.classification import deciding
from tetract.tasks.classification.ranking import auroc, average_precision, rank_rows
from tetract.tasks.detection.average_precision import average_precision as box_precision
from tetract.tasks.detection.froc import froc_sensitivities
from tetract.tasks.detection.matching import (
    Detections,
    Ranking,
    by_iou,
    find_lesions,
    rank_detections,
)
from tetract.types.identity import Identity
from tetract.types.resamples import Statistic, ratio, weighted_mean
from tetract.types.studentised import Sums


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What a weight weighs: a slice, or a patient."""

    identity: Identity


# The sums that the tool hands over with this figure, if any.
Made = tuple[Statistic, list[Row], Sums | None]


def slices_of(random: np.random.Generator, patients: int) -> np.ndarray:
    """(N,) number of the patient of each slice: 1 to some 25 slices each, 6 on average."""
    counts = 1 + random.negative_binomial(1.5, 1.5 / (1.5 + 5), size=patients)
    return np.repeat(np.arange(patients), counts)


def make_auroc(random: np.random.Generator, patients: int) -> Made:
    """Area under the ROC curve over slices."""
    truth, scores, rows = _scored(random, patients)
    return auroc(rank_rows(truth, scores)), rows, None


def make_average_precision(random: np.random.Generator, patients: int) -> Made:
    """Average precision over slices."""
    truth, scores, rows = _scored(random, patients)
    return average_precision(rank_rows(truth, scores)), rows, None


def make_sensitivity(random: np.random.Generator, patients: int) -> Made:
    """Share of diseased slices at a fixed threshold."""
    truth, scores, rows = _scored(random, patients)
    return deciding.decided(truth, scores >= 0.0, deciding.sensitivity), rows, None


def make_dice(random: np.random.Generator, patients: int) -> Made:
    """Mean over the diseased patients of Dice, pixels pooled within each: most fare well."""
    diseased = max(1, int(random.binomial(patients, 0.6)))
    return weighted_mean(random.beta(4.0, 1.3, size=diseased)), _rows(np.arange(diseased)), None


def make_mae(random: np.random.Generator, patients: int) -> Made:
    """Mean over slices of an error that depends on patient and slice."""
    patient = slices_of(random, patients)
    own = random.normal(0, 0.5, size=patients)
    errors = np.exp(-3 + own[patient] + random.normal(0, 0.4, size=len(patient)))
    return _mean_error(errors, patient)


def make_other_mae(random: np.random.Generator, patients: int) -> Made:
    """Of other shape, and larger in patients of many slices."""
    patient = slices_of(random, patients)
    slices = np.bincount(patient, minlength=patients)
    own = random.gamma(2.0, 0.5, size=patients) * (1 + 0.3 * np.log(slices))
    return _mean_error(0.05 * own[patient] * random.gamma(3.0, 1 / 3, len(patient)), patient)


def make_false_positives(random: np.random.Generator, patients: int) -> Made:
    """Pixels painted for nothing: none on many slices, many on a few."""
    patient = slices_of(random, patients)
    parts = random.poisson(3 * random.gamma(0.7, 1.0, size=patients)[patient])
    return _mean_error(parts * random.gamma(1.0, 20.0, size=len(patient)), patient)


def make_froc(random: np.random.Generator, patients: int) -> Made:
    """Sensitivity at 1 false positive per slice."""
    ranking, images, rows = _boxed(random, patients)
    found = find_lesions(ranking, by_iou(ranking, 0.3))
    at_one = froc_sensitivities(ranking, found, (1.0,), images=images)
    return partial(_only, at_one), rows, None


def make_ap_30(random: np.random.Generator, patients: int) -> Made:
    """Average precision of boxes at IoU 0.3."""
    ranking, images, rows = _boxed(random, patients)
    found = find_lesions(ranking, by_iou(ranking, 0.3))
    return box_precision(ranking, found, units=len(images)), rows, None


def make_pooled_dice(random: np.random.Generator, patients: int) -> Made:
    """Dice over all pixels at once: a few large lesions decide it."""
    patient = slices_of(random, patients)
    ill = random.random(patients) < 0.6
    size = np.exp(5 + random.normal(0, 0.9, size=patients)[patient]) * ill[patient]
    size = np.rint(size * np.exp(random.normal(0, 0.5, size=len(patient))))
    hit = np.rint(size * random.beta(4.0, 1.3, size=patients)[patient])
    extra = np.rint(0.3 * size * random.beta(1.2, 3.0, size=patients)[patient])
    return _overlap(hit, extra, size - hit, patient)


def make_other_pooled_dice(random: np.random.Generator, patients: int) -> Made:
    """Of other shape, large lesions painted better, and false parts on the healthy too."""
    patient = slices_of(random, patients)
    ill, base = random.random(patients) < 0.7, random.gamma(1.2, 150.0, size=patients)
    size = np.rint((base * ill)[patient] * random.gamma(4.0, 0.25, size=len(patient)))
    skill = random.beta(6.0, 2.0, size=patients) + 0.05 * np.log1p(base / 150) - 0.05
    hit = random.binomial(size.astype(np.int64), np.clip(skill, 0.02, 0.98)[patient])
    extra = random.poisson(8.0, len(patient)) * (random.random(patients) < 0.3)[patient]
    return _overlap(hit.astype(np.float64), extra.astype(np.float64), size - hit, patient)


MAKERS: Mapping[str, Callable[[np.random.Generator, int], Made]] = {
    "AUROC": make_auroc,
    "AP (class)": make_average_precision,
    "sensitivity": make_sensitivity,
    "Dice, mean over patients": make_dice,
    "Dice, all pixels": make_pooled_dice,
    "Dice, all pixels (b)": make_other_pooled_dice,
    "MAE": make_mae,
    "MAE (b)": make_other_mae,
    "false-positive pixels": make_false_positives,
    "sensitivity at 1 FP": make_froc,
    "AP@0.3 (boxes)": make_ap_30,
}


def _scored(random: np.random.Generator, patients: int) -> tuple[np.ndarray, np.ndarray, list[Row]]:
    """Slices of which about 30 % are positive, and their scores; AUROC near 0.86."""
    patient = slices_of(random, patients)
    ill = random.random(patients) < 0.5
    truth = ill[patient] & (random.random(len(patient)) < 0.6)
    own = random.normal(0, 0.7, size=patients)
    scores = -1 + 1.9 * truth + own[patient] + random.normal(0, 1, size=len(patient))
    return truth, scores, _rows(patient)


def _boxed(random: np.random.Generator, patients: int) -> tuple[Ranking, np.ndarray, list[Row]]:
    """Lesions in about half of the patients, found the more easily the larger the patient's."""
    patient = slices_of(random, patients)
    ill = random.random(patients) < 0.6
    ease, noise = random.normal(0.6, 0.9, size=patients), random.gamma(2.0, 0.75, size=patients)
    images = [
        _image(
            random, who, int(random.poisson(0.8 * ill[who])), float(ease[who]), float(noise[who])
        )
        for who in patient.tolist()
    ]
    counts = np.bincount(patient, minlength=patients).astype(np.float64)
    return rank_detections(images), counts, _rows(np.arange(patients))


def _image(
    random: np.random.Generator, unit: int, lesions: int, ease: float, noise: float
) -> Detections:
    """Lesions side by side; what is found is found exactly, false boxes lie elsewhere."""
    lefts = 20.0 * np.arange(lesions)
    truth = np.stack([lefts, lefts * 0, lefts + 10, lefts * 0 + 10], axis=1)
    seen = truth[random.random(lesions) < 0.85]
    false = int(random.poisson(noise))
    aside = np.tile([0.0, 50.0, 10.0, 60.0], (false, 1))
    logits = np.concatenate([random.normal(ease, 1, len(seen)), random.normal(-1, 1, false)])
    return Detections(
        boxes=np.concatenate([seen, aside]),
        scores=1 / (1 + np.exp(-logits)),
        truth=truth,
        unit=unit,
    )


def _rows(patient: np.ndarray) -> list[Row]:
    return [
        Row(
            identity=Identity(
                row=at, patient=f"p{who}", source="simulated", slice_index=0, spacing_mm=None
            )
        )
        for at, who in enumerate(patient.tolist())
    ]


def _only(statistics: Callable[[np.ndarray], np.ndarray], weights: np.ndarray) -> np.ndarray:
    return statistics(weights)[:, 0]


def _mean_error(errors: np.ndarray, patient: np.ndarray) -> Made:
    sums = Sums(above=errors, below=np.ones(len(errors)), is_share=False)
    return weighted_mean(errors), _rows(patient), sums


def _overlap(hit: np.ndarray, extra: np.ndarray, missed: np.ndarray, patient: np.ndarray) -> Made:
    sums = Sums(above=2 * hit, below=2 * hit + extra + missed, is_share=True)
    return partial(_dice, hit, extra, missed), _rows(patient), sums


def _dice(
    hit: np.ndarray, extra: np.ndarray, missed: np.ndarray, weights: np.ndarray
) -> np.ndarray:
    return ratio(2 * (weights @ hit), weights @ (2 * hit + extra + missed))
