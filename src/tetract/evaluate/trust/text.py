"""A calibration in plain sentences, for the terminal and for the findings it is applied to."""

from __future__ import annotations

from collections.abc import Iterator

from tetract.evaluate.trust.calibration import Calibration
from tetract.evaluate.trust.limit import Limit
from tetract.evaluate.trust.logistic import Logistic


def calibration_lines(known: Calibration) -> tuple[str, ...]:
    """What was found, what is promised, and what is not, each in one line."""
    return (
        f"Calibrated on {known.split}: {known.support.slices} slices, "
        f"{known.support.patients} patients.",
        *_classes(known),
        *_boxes(known),
        *_presence(known),
        _class_set(known),
        _flag("disagreement of box, mask and class", known.disagreement),
        _flag("being unlike the validation slices", known.residual),
        "Promises hold on average over new patients like those of the calibration, not elsewhere.",
    )


def unused(known: Calibration | None, *, flips: bool) -> tuple[str, ...]:
    """A warning where a calibration was made for answers of another kind; else nothing."""
    if known is None or known.flips == flips:
        return ()
    made, asked = ("with", "without") if known.flips else ("without", "with")
    return (
        f"W_CALIBRATION_UNUSED the calibration was made {made} mirror images and the answers are "
        f"made {asked} them: it was not applied",
    )


def _classes(known: Calibration) -> Iterator[str]:
    if known.temperature is not None:
        one = known.temperature
        said = f"none ({one.reason})" if one.value is None else f"{one.value:.3g}"
        edge = ", at the limit of what is looked for: do not trust it" if one.at_limit else ""
        yield f"Temperature of class probabilities: {said}{edge}."
    for one in () if known.thresholds is None else known.thresholds.classes:
        said = f"none ({one.reason})" if one.value is None else f"{one.value:.4g}"
        yield f"Threshold of {one.name} for specificity {known.wish.specificity:g}: {said}."


def _boxes(known: Calibration) -> Iterator[str]:
    one = known.box_threshold
    if one is not None:
        said = f"none ({one.reason})" if one.value is None else f"{one.value:.4g}"
        yield f"Score threshold for {one.wanted:g} false boxes per slice: {said}."
        yield f"Box scores to probabilities: {_curve(known.boxes)}."


def _presence(known: Calibration) -> Iterator[str]:
    for arm, curve in (
        ("class", known.lesion_by_class),
        ("mask", known.lesion_by_mask),
        ("box", known.lesion_by_box),
    ):
        yield f"Probability of a lesion by {arm}: {_curve(curve)}."


def _curve(one: Logistic | None) -> str:
    if one is None:
        return "as given (fewer than 5 slices or boxes of either kind)"
    return (
        f"temperature {1 / one.slope:.3g}" if one.slope > 0 else "the score says nothing"
    ) + f", offset {one.offset:+.2f}, Brier {one.brier_before:.3f} to {one.brier_after:.3f}"


def _class_set(known: Calibration) -> str:
    one = known.class_set
    if one.value is None:
        return f"No sets of classes: {one.reason}."
    return (
        f"Sets of classes hold the true one on at least {1 - one.rate:.0%} of a patient's slices "
        f"({one.patients} patients)."
    )


def _flag(what: str, one: Limit) -> str:
    if one.value is None:
        return f"No flag for {what}: {one.reason}."
    return f"At most {one.rate:.0%} of slices flagged for {what} ({one.patients} patients)."
