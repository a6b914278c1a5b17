"""How trustworthy a calibrated model was on other patients, as nouns."""

from __future__ import annotations

from dataclasses import dataclass

from tetract.evaluate.trust.selective import RiskCurve
from tetract.types.figure import Figure, Support


@dataclass(frozen=True, slots=True, kw_only=True)
class Selective:
    """Errors of the class, kept in the order of a doubt. Slices of one known class.

    Attributes:
        error: Share of slices whose most probable class is wrong: risk at full coverage, and the
            AURC of a doubt that knows nothing.
        confidence_aurc: Doubt is 1 - probability of the most probable class.
        agreement_aurc: Doubt is 1 - that probability times the agreement of box, mask and class.
        gain: ``confidence_aurc - agreement_aurc``; above 0: agreement helps.
        confidence_curve: For drawing.
        agreement_curve: For drawing.
    """

    error: Figure
    confidence_aurc: Figure
    agreement_aurc: Figure
    gain: Figure
    confidence_curve: RiskCurve
    agreement_curve: RiskCurve


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptPoint:
    """What a threshold of the validation split reaches here.

    Attributes:
        name: Name of the class, or of the kind of box.
        threshold: Found on the validation split.
        wanted: Specificity, or false positives per slice, that it was to keep.
        reached: The same here.
        sensitivity: Share of the positives, or of the lesions, found.
    """

    name: str
    threshold: float
    wanted: float
    reached: Figure
    sensitivity: Figure


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassSets:
    """Sets of classes that cannot be ruled out. Slices of one known class.

    Attributes:
        wanted: Stated coverage.
        covered: Mean over patients of the share of their slices whose set holds the true class.
        decided: Share of slices whose set is a single class.
        accuracy_decided: Share of those whose class is right.
        accuracy: Share of all slices whose most probable class is right.
    """

    wanted: float
    covered: Figure
    decided: Figure
    accuracy_decided: Figure
    accuracy: Figure


@dataclass(frozen=True, slots=True, kw_only=True)
class Flagged:
    """How many slices were flagged, of all or of one source.

    Attributes:
        name: "overall", or the source.
        doubt: Which flag.
        wanted: Most that was promised for patients like those of the validation split.
        share: Mean over patients of the share of their slices flagged.
    """

    name: str
    doubt: str
    wanted: float
    share: Figure


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustScores:
    """A calibration tested on patients that it was not made with.

    Attributes:
        calibrated_on: Split of the calibration.
        support: Its slices.
        selective: None without a class.
        class_points: One per class that has a threshold.
        box_point: None without boxes.
        class_sets: None where no coverage was promised.
        brier_before: Brier score of the classes, 0 to 2, as the model gives them.
        brier_after: The same at the calibrated temperature.
        flagged: One per flag and source.
        unpromised: Why what is missing could not be promised, one line each.
    """

    calibrated_on: str
    support: Support
    selective: Selective | None
    class_points: tuple[KeptPoint, ...]
    box_point: KeptPoint | None
    class_sets: ClassSets | None
    brier_before: Figure | None
    brier_after: Figure | None
    flagged: tuple[Flagged, ...]
    unpromised: tuple[str, ...]
