"""How well slices, series or patients are classified, with candidate label sets.

A source may only say what a slice is *not* ("not COVID"). Such a row decides the classes it
excludes and says nothing about the others. Units of analysis and empty rules:
``docs/reference/metrics.md``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

from tetract.tasks.classification import deciding, multiclass
from tetract.tasks.classification.calibration import brier, calibration_error
from tetract.tasks.classification.ranking import (
    auroc,
    average_precision,
    rank_rows,
    sensitivity_at,
)
from tetract.tasks.classification.rows import (
    ClassificationRow,
    Deciding,
    check_rows,
    deciding_rows,
    known_rows,
)
from tetract.tasks.classification.scores import ClassificationScores, ClassScores
from tetract.tasks.classification.within import (
    NO_SOURCE,
    auroc_within,
    auroc_within_pooled,
    is_within,
)
from tetract.types.figure import Figure, count_support
from tetract.types.resamples import AS_IS, Resamples, Statistic, estimate

__all__ = ["ClassScores", "ClassificationRow", "ClassificationScores", "score_classification"]

THRESHOLD = 0.5
SPECIFICITY = 0.95
NO_CLASS = "no class has positive and negative rows"
# Measured: 95 % intervals of a well calibrated model's error cover the truth in 0 to 90 % of
# simulated studies, whichever way they are drawn (docs/reference/metrics.md).
NO_ECE_INTERVAL = "a calibration error is above 0 by chance alone, in draws even more so"


def score_classification(
    rows: Sequence[ClassificationRow],
    classes: tuple[str, ...],
    *,
    resamples: Resamples = AS_IS,
    thresholds: Sequence[float] | None = None,
) -> ClassificationScores:
    """Score all rows, one class against the rest and all classes together.

    Figures of all classes together use the rows with a single known class and need at least two
    classes among them: on one class, saying its name always would score 1.

    Args:
        rows: The labelled slices in any order; or series or patients, see ``pool_rows``.
        classes: Names of the K classes.
        resamples: The draws behind the intervals; ``AS_IS``: no intervals.
        thresholds: K probabilities from which a row is called a class, found on other rows
            (``find_thresholds``); None: 0.5 each.

    Raises:
        InputError: ``E_PREDICTION_NOT_FINITE`` or ``E_NOT_A_PROBABILITY``.
    """
    check_rows(rows, len(classes))
    cuts = [THRESHOLD] * len(classes) if thresholds is None else list(thresholds)
    per_class = tuple(
        _score_class(deciding_rows(rows, index), name, cut, resamples)
        for index, (name, cut) in enumerate(zip(classes, cuts, strict=True))
    )
    some = [row for row in rows if not row.candidates.all()]
    decided = [deciding_rows(some, index) for index in range(len(classes))]
    macro = partial(_macro, decided)
    of_some = partial(estimate, rows=some, resamples=resamples, reason=NO_CLASS)
    within = _macro([one for one in decided if is_within(one)], auroc_within)
    known = known_rows(rows, len(classes))
    overall = partial(estimate, rows=known.rows, resamples=resamples, reason=known.one_kind)
    agreed = partial(multiclass.agreed, known.is_class, known.is_said)
    return ClassificationScores(
        support=count_support(rows),
        auroc_macro=of_some(macro(_auroc)),
        auroc_within_macro=of_some(within, reason=NO_SOURCE),
        auroc_within_pooled=of_some(auroc_within_pooled(decided), reason=NO_SOURCE),
        average_precision_macro=of_some(macro(_average_precision)),
        sensitivity_at_95_macro=of_some(macro(_sensitivity_at_95)),
        ece_macro=_plain(macro(_ece), some, resamples, NO_CLASS),
        accuracy=overall(agreed(multiclass.accuracy)),
        balanced_accuracy=overall(agreed(multiclass.balanced_accuracy)),
        f1_macro=overall(agreed(multiclass.f1_macro)),
        mcc=overall(agreed(multiclass.mcc)),
        brier=overall(brier(known.squared_distance, known.is_class)),
        ece=_plain(
            calibration_error(known.right, known.confidence, known.is_class),
            known.rows,
            resamples,
            known.one_kind,
        ),
        classes=per_class,
    )


def _score_class(rows: Deciding, name: str, threshold: float, resamples: Resamples) -> ClassScores:
    """One class against the rest, over the rows that decide it."""
    figure = partial(estimate, rows=rows.rows, resamples=resamples)
    said = partial(deciding.decided, rows.truth, rows.scores >= threshold)
    one_kind = rows.one_kind
    return ClassScores(
        name=name,
        positives=int(rows.truth.sum()),
        negatives=int((~rows.truth).sum()),
        threshold=threshold,
        auroc=figure(_auroc(rows), reason=one_kind),
        auroc_within=figure(auroc_within(rows), reason=one_kind or NO_SOURCE),
        average_precision=figure(_average_precision(rows), reason=one_kind),
        accuracy=figure(said(deciding.accuracy), reason=one_kind),
        balanced_accuracy=figure(said(deciding.balanced_accuracy), reason=one_kind),
        f1=figure(said(deciding.f1), reason=one_kind),
        mcc=figure(said(deciding.mcc), reason=one_kind),
        sensitivity=figure(said(deciding.sensitivity), reason=rows.no_positives),
        specificity=figure(said(deciding.specificity), reason=rows.no_negatives),
        sensitivity_at_95=figure(_sensitivity_at_95(rows), reason=one_kind),
        brier=figure(_brier(rows), reason=one_kind),
        ece=_plain(_ece(rows), rows.rows, resamples, one_kind),
    )


def _macro(decided: Sequence[Deciding], statistic: Callable[[Deciding], Statistic]) -> Statistic:
    """The mean over the classes that have positive and negative rows."""
    return multiclass.mean_of_classes(
        [(one.columns, statistic(one)) for one in decided if not one.one_kind]
    )


def _plain(
    statistic: Statistic, rows: Sequence[ClassificationRow], resamples: Resamples, reason: str
) -> Figure:
    """Without interval, and with the reason why not where one was asked for."""
    figure = estimate(statistic, rows, AS_IS, reason=reason)
    asked = resamples.draws > 0 and figure.value is not None
    return replace(figure, no_interval=NO_ECE_INTERVAL) if asked else figure


def _auroc(rows: Deciding) -> Statistic:
    return auroc(rank_rows(rows.truth, rows.scores))


def _average_precision(rows: Deciding) -> Statistic:
    return average_precision(rank_rows(rows.truth, rows.scores))


def _sensitivity_at_95(rows: Deciding) -> Statistic:
    return sensitivity_at(rank_rows(rows.truth, rows.scores), SPECIFICITY)


def _brier(rows: Deciding) -> Statistic:
    return brier((rows.scores - rows.truth) ** 2, rows.kinds)


def _ece(rows: Deciding) -> Statistic:
    return calibration_error(rows.truth, rows.scores, rows.kinds)
