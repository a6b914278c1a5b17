"""What a validation split has taught about a model's answers: kept beside its weights."""

from __future__ import annotations

from dataclasses import dataclass

from tetract.evaluate.trust.limit import Limit
from tetract.evaluate.trust.logistic import Logistic
from tetract.evaluate.trust.residual import Usual
from tetract.tasks.classification.operating_point import Thresholds
from tetract.tasks.classification.temperature import Temperature
from tetract.tasks.detection.operating_point import BoxThreshold
from tetract.types.figure import Support


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What the user wants to be kept.

    Attributes:
        coverage: Share of a new patient's slices whose class set holds the true class.
        specificity: Of each class's threshold.
        false_positives: Per slice, of the boxes' threshold.
        false_alarms: Share of a new patient's slices flagged, of each of the two flags.
    """

    coverage: float = 0.9
    specificity: float = 0.95
    false_positives: float = 1.0
    false_alarms: float = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """Numbers for judging answers; each is None, or has a reason, where it could not be found.

    Attributes:
        weights_sha256: Of the model it belongs to.
        split: Whose rows it was found on.
        flips: Whether answers were the mean of each slice and its mirror image.
        cases: Hash of the data set's rows, as in ``Setting``.
        support: The slices.
        wish: What was asked for.
        healthy: Classes that mean the absence of disease, among the model's.
        temperature: Of class probabilities.
        thresholds: From which probability, after the temperature, a slice is called a class.
        box_threshold: From which score a box is shown.
        boxes: From a box's score to the probability that it finds a lesion at IoU 0.3.
        lesion_by_class: From 1 - P(healthy), after the temperature, to that of a lesion there.
        lesion_by_mask: The same from ``Signals.mask``.
        lesion_by_box: The same from ``Signals.box``.
        class_set: Of 1 - probability, before the temperature.
        disagreement: Of the range of the arms' probabilities of a lesion.
        usual: Where residuals of hidden patches lie.
        residual: Of the distance from there.
    """

    weights_sha256: str
    split: str
    flips: bool
    cases: str
    support: Support
    wish: Wish
    healthy: tuple[str, ...]
    temperature: Temperature | None
    thresholds: Thresholds | None
    box_threshold: BoxThreshold | None
    boxes: Logistic | None
    lesion_by_class: Logistic | None
    lesion_by_mask: Logistic | None
    lesion_by_box: Logistic | None
    class_set: Limit
    disagreement: Limit
    usual: Usual | None
    residual: Limit
