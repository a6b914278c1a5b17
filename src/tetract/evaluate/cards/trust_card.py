"""The trust card: did the model's calibration keep its word on other patients?"""

from __future__ import annotations

from collections.abc import Iterator

from tetract.evaluate.cards.words import bad, figure_text, good, note, unknown, worst_first
from tetract.evaluate.trust.scores import Flagged, KeptPoint, Selective, TrustScores
from tetract.evaluate.trust.tables import trust_tables
from tetract.types.card import Card, Remark
from tetract.types.figure import Figure

TITLE = "Trust card: how far can its answers be trusted?"


def trust_card(scores: TrustScores | None) -> Card:
    """Promises beside what was reached; a promise is broken where the interval rules it out."""
    if scores is None:
        why = (
            "Not calibrated, or calibrated on these very rows: no threshold, agreement or "
            "abstention was tested. Run tetract calibrate, then evaluate another split."
        )
        return Card(name="trust", title=TITLE, remarks=(unknown(why),))
    remarks = [
        *(unknown(line) for line in scores.unpromised),
        *_covered(scores),
        *(one for f in scores.flagged if f.name == "overall" for one in _flagged(f)),
        *(one for p in scores.class_points for one in _specificity(p)),
        *_boxes(scores.box_point),
        *([] if scores.selective is None else [_gain(scores.selective)]),
    ]
    return Card(
        name="trust",
        title=TITLE,
        remarks=worst_first(remarks),
        tables=tuple(trust_tables(scores)),
    )


def _covered(scores: TrustScores) -> Iterator[Remark]:
    if scores.class_sets is None:
        return
    sets = scores.class_sets
    text = (
        f"Sets of classes were to hold the true one on {sets.wanted:.0%} of a patient's slices: "
        f"{figure_text(sets.covered)}; a single class on {figure_text(sets.decided)} of slices, "
        f"right on {figure_text(sets.accuracy_decided)} of those."
    )
    yield _kept(text, sets.covered, least=sets.wanted)


def _flagged(one: Flagged) -> Iterator[Remark]:
    text = (
        f"Flagged for {one.doubt.replace('_', ' ')}: {figure_text(one.share)} of a patient's "
        f"slices, at most {one.wanted:.0%} promised for patients like those of the calibration."
    )
    yield _kept(text, one.share, most=one.wanted)


def _specificity(one: KeptPoint) -> Iterator[Remark]:
    text = (
        f"{one.name} from {one.threshold:.3g} on: specificity {figure_text(one.reached)} "
        f"(wanted {one.wanted:g}), sensitivity {figure_text(one.sensitivity)}."
    )
    yield _kept(text, one.reached, least=one.wanted)


def _boxes(one: KeptPoint | None) -> Iterator[Remark]:
    if one is None:
        return
    text = (
        f"Boxes from score {one.threshold:.3g} on: {figure_text(one.reached)} false per slice "
        f"(wanted {one.wanted:g}), {figure_text(one.sensitivity)} of the lesions found."
    )
    yield _kept(text, one.reached, most=one.wanted)


def _gain(one: Selective) -> Remark:
    text = (
        f"Sorted by doubt, the area under the risk-coverage curve is "
        f"{figure_text(one.confidence_aurc)} by confidence and {figure_text(one.agreement_aurc)} "
        f"with the agreement of box, mask and class: gain {figure_text(one.gain)}."
    )
    interval = one.gain.interval
    if interval is None:
        return unknown(text)
    if interval.low > 0:
        return good(text)
    return bad(text) if interval.high < 0 else note(f"{text} A tie.")


def _kept(
    text: str, figure: Figure, *, least: float | None = None, most: float | None = None
) -> Remark:
    """Bad where the interval lies wholly on the wrong side, good where the value does not."""
    if figure.value is None or figure.interval is None:
        return unknown(text)
    broken = (least is not None and figure.interval.high < least) or (
        most is not None and figure.interval.low > most
    )
    if broken:
        return bad(text)
    missed = (least is not None and figure.value < least) or (
        most is not None and figure.value > most
    )
    return note(f"{text} Missed, within chance.") if missed else good(text)
