"""The figures of classification, as nouns."""

from __future__ import annotations

from dataclasses import dataclass

from tetract.types.figure import Figure, Support


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassScores:
    """One class against the rest, over the rows that decide it.

    Attributes:
        name: Name of the class.
        positives: Rows known to be exactly this class.
        negatives: Rows whose candidates exclude it.
        threshold: Probability from which a row is called this class.
        auroc: Area under the ROC curve, ties counted half.
        auroc_within: The same over the pairs of rows of one source.
        average_precision: Area under the steps of the precision-recall curve.
        accuracy: Share decided rightly at the threshold.
        balanced_accuracy: Mean of sensitivity and specificity at the threshold.
        f1: F1 at the threshold.
        mcc: Matthews' correlation coefficient at the threshold.
        sensitivity: Share of the positives found at the threshold.
        specificity: Share of the negatives left alone at the threshold.
        sensitivity_at_95: Highest sensitivity on these rows at a specificity of at least 0.95.
        brier: Mean squared distance of the probability to the truth, 0 to 1; lower is better.
        ece: Expected calibration error in 15 bins, 0 to 1; lower is better.
    """

    name: str
    positives: int
    negatives: int
    threshold: float
    auroc: Figure
    auroc_within: Figure
    average_precision: Figure
    accuracy: Figure
    balanced_accuracy: Figure
    f1: Figure
    mcc: Figure
    sensitivity: Figure
    specificity: Figure
    sensitivity_at_95: Figure
    brier: Figure
    ece: Figure


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassificationScores:
    """All classes.

    Attributes:
        support: All labelled rows.
        auroc_macro: Plain mean of the defined one-vs-rest AUROCs.
        auroc_within_macro: Plain mean of the defined AUROCs within sources.
        auroc_within_pooled: AUROC over the pairs of rows of one source, of all classes at once.
        average_precision_macro: Plain mean of the defined average precisions.
        sensitivity_at_95_macro: Plain mean of the defined sensitivities at 95 % specificity.
        ece_macro: Plain mean of the classes' defined calibration errors.
        accuracy: Share of rows whose most probable class is right.
        balanced_accuracy: Mean recall over the classes present.
        f1_macro: Mean F1 over the classes present.
        mcc: Matthews' correlation coefficient of all classes.
        brier: Mean over rows of the squared distances summed over classes, 0 to 2.
        ece: Calibration error of the most probable class's probability.
        classes: One entry per class, in label order.
    """

    support: Support
    auroc_macro: Figure
    auroc_within_macro: Figure
    auroc_within_pooled: Figure
    average_precision_macro: Figure
    sensitivity_at_95_macro: Figure
    ece_macro: Figure
    accuracy: Figure
    balanced_accuracy: Figure
    f1_macro: Figure
    mcc: Figure
    brier: Figure
    ece: Figure
    classes: tuple[ClassScores, ...]
