"""A calibration tested on patients that it was not made with."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

import numpy as np
from jaxtyping import Float64

from tetract.evaluate.collect import Collected
from tetract.evaluate.signals import Signals
from tetract.evaluate.trust.calibration import Calibration
from tetract.evaluate.trust.judge import judge_slices
from tetract.evaluate.trust.scores import ClassSets, Flagged, KeptPoint, Selective, TrustScores
from tetract.evaluate.trust.selective import aurc, risk_curve
from tetract.tasks.classification import deciding
from tetract.tasks.classification.calibration import brier
from tetract.tasks.classification.rows import ClassificationRow, Known, deciding_rows, known_rows
from tetract.tasks.classification.temperature import temper_rows
from tetract.tasks.detection.operating_point import score_at
from tetract.types import Task
from tetract.types.figure import Figure, count_support, undefined
from tetract.types.identity import HasIdentity, group_keys
from tetract.types.judgement import Doubt, Judgement
from tetract.types.resamples import Resamples, estimate, weighted_mean

ALL_SOURCES = "overall"
NO_KNOWN = "no slices of one known class"


def score_trust(
    collected: Collected, calibration: Calibration, resamples: Resamples
) -> TrustScores | None:
    """How well the calibration keeps its word; None on the very rows that it was found on."""
    setting = collected.setting
    if (setting.split, setting.cases) == (calibration.split, calibration.cases):
        return None
    names = collected.label_space.classes
    judged = judge_slices(collected.signals, calibration, names)
    with_class = Task.CLASSIFICATION in collected.tasks
    known = known_rows(collected.classification, len(names))
    tempered = _tempered(collected.classification, calibration)
    return TrustScores(
        calibrated_on=calibration.split,
        support=calibration.support,
        selective=_selective(known, _judgements(known.rows, collected, judged), resamples)
        if with_class
        else None,
        class_points=tuple(_class_points(tempered, calibration, resamples)),
        box_point=_box_point(collected, calibration, resamples),
        class_sets=_class_sets(known, collected, judged, calibration, resamples),
        brier_before=_brier(collected.classification, len(names), resamples)
        if with_class
        else None,
        brier_after=_brier(tempered, len(names), resamples) if with_class else None,
        flagged=tuple(_flagged(collected, judged, calibration, resamples)),
        unpromised=tuple(unpromised(calibration)),
    )


def unpromised(calibration: Calibration) -> Iterator[str]:
    """Why what is missing could not be promised, one line each."""
    for name, limit in (
        ("coverage of class sets", calibration.class_set),
        ("rate of the disagreement flag", calibration.disagreement),
        ("rate of the unlike-validation flag", calibration.residual),
    ):
        if limit.value is None:
            yield f"No {name}: {limit.reason}."


def _tempered(
    rows: Sequence[ClassificationRow], calibration: Calibration
) -> tuple[ClassificationRow, ...]:
    found = calibration.temperature
    return tuple(rows) if found is None or found.value is None else temper_rows(rows, found.value)


def _judgements(
    rows: Sequence[HasIdentity], collected: Collected, judged: Sequence[Judgement]
) -> list[Judgement]:
    """Those of ``rows``, which are some of those seen."""
    found = {
        (one.identity.row, one.identity.slice_index): judgement
        for one, judgement in zip(collected.signals, judged, strict=True)
    }
    return [found[row.identity.row, row.identity.slice_index] for row in rows]


def _selective(known: Known, judged: Sequence[Judgement], resamples: Resamples) -> Selective:
    wrong, confidence = ~known.right, known.confidence
    agreed = np.array([1.0 if one.agreement is None else one.agreement for one in judged])
    alone, both = 1 - confidence, 1 - confidence * agreed
    figure = partial(estimate, rows=known.rows, resamples=resamples, reason=NO_KNOWN)
    first, second = aurc(alone, wrong), aurc(both, wrong)
    return Selective(
        error=figure(weighted_mean(wrong.astype(np.float64))),
        confidence_aurc=figure(first),
        agreement_aurc=figure(second),
        gain=figure(lambda weights: first(weights) - second(weights)),
        confidence_curve=risk_curve(alone, wrong),
        agreement_curve=risk_curve(both, wrong),
    )


def _class_points(
    rows: Sequence[ClassificationRow], calibration: Calibration, resamples: Resamples
) -> Iterator[KeptPoint]:
    found = calibration.thresholds
    for index, one in enumerate(() if found is None else found.classes):
        if found is None or one.value is None:
            continue
        decided = deciding_rows(rows, index)
        said = partial(deciding.decided, decided.truth, decided.scores >= one.value)
        figure = partial(estimate, rows=decided.rows, resamples=resamples)
        yield KeptPoint(
            name=one.name,
            threshold=one.value,
            wanted=found.wanted_specificity,
            reached=figure(said(deciding.specificity), reason="no negative rows"),
            sensitivity=figure(said(deciding.sensitivity), reason="no positive rows"),
        )


def _box_point(
    collected: Collected, calibration: Calibration, resamples: Resamples
) -> KeptPoint | None:
    found = calibration.box_threshold
    if found is None or found.value is None:
        return None
    classes = len(collected.label_space.box_classes)
    point = score_at(collected.detection, classes, found.value, resamples)
    return KeptPoint(
        name="any lesion",
        threshold=found.value,
        wanted=found.wanted,
        reached=point.false_positives,
        sensitivity=point.sensitivity,
    )


def _class_sets(
    known: Known,
    collected: Collected,
    judged: Sequence[Judgement],
    calibration: Calibration,
    resamples: Resamples,
) -> ClassSets | None:
    if calibration.class_set.value is None:
        return None
    names = np.array(collected.label_space.classes)
    true = names[known.is_class.argmax(axis=1)] if known.rows else names[:0]
    sets = [one.class_set or () for one in _judgements(known.rows, collected, judged)]
    covered = np.array([str(t) in s for t, s in zip(true, sets, strict=True)], dtype=np.float64)
    single = np.array([len(s) == 1 for s in sets], dtype=np.bool_)
    decided = [row for row, one in zip(known.rows, single, strict=True) if one]
    figure = partial(estimate, resamples=resamples, reason=NO_KNOWN)
    return ClassSets(
        wanted=1 - calibration.class_set.rate,
        covered=over_patients(covered, known.rows, resamples, reason=NO_KNOWN),
        decided=figure(weighted_mean(single.astype(np.float64)), known.rows),
        accuracy_decided=estimate(
            weighted_mean(covered[single]), decided, resamples, reason="no slice is decided"
        ),
        accuracy=figure(weighted_mean(known.right.astype(np.float64)), known.rows),
    )


def _flagged(
    collected: Collected,
    judged: Sequence[Judgement],
    calibration: Calibration,
    resamples: Resamples,
) -> Iterator[Flagged]:
    sources = sorted({one.identity.source for one in collected.signals})
    for doubt, limit in (
        (Doubt.DISAGREEMENT, calibration.disagreement),
        (Doubt.UNLIKE_VALIDATION, calibration.residual),
    ):
        for name in [ALL_SOURCES, *sources] if limit.value is not None else []:
            pairs = [
                (row, float(doubt in one.doubts))
                for row, one in zip(collected.signals, judged, strict=True)
                if doubt not in one.unchecked and name in (ALL_SOURCES, row.identity.source)
            ]
            yield Flagged(
                name=name,
                doubt=str(doubt),
                wanted=limit.rate,
                share=over_patients(
                    np.array([share for _, share in pairs]),
                    [row for row, _ in pairs],
                    resamples,
                    reason="no slice could be checked",
                ),
            )


def over_patients(
    values: Float64[np.ndarray, " N"],
    rows: Sequence[Signals | ClassificationRow],
    resamples: Resamples,
    *,
    reason: str,
) -> Figure:
    """Mean over patients of the mean over their slices."""
    if not rows:
        return undefined(count_support(rows), reason)
    number = {key: at for at, key in enumerate(dict.fromkeys(group_keys(rows)))}
    patient = np.array([number[key] for key in group_keys(rows)], dtype=np.int64)
    means = np.bincount(patient, values) / np.bincount(patient)
    firsts = [rows[int(np.argmax(patient == at))] for at in range(len(number))]
    return estimate(weighted_mean(means), firsts, resamples, reason=reason, behind=rows)


def _brier(rows: Sequence[ClassificationRow], classes: int, resamples: Resamples) -> Figure:
    known = known_rows(rows, classes)
    return estimate(
        brier(known.squared_distance, known.is_class),
        known.rows,
        resamples,
        reason=known.one_kind,
    )
