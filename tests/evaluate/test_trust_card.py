from __future__ import annotations

from tetract.evaluate.cards.trust_card import trust_card
from tetract.evaluate.trust.scores import Flagged, TrustScores
from tetract.types.card import Verdict
from tetract.types.figure import Figure, Interval, Support, undefined

SUPPORT = Support(slices=40, patients=20)


def flagged(value: float, low: float, high: float) -> TrustScores:
    interval = Interval(low=low, high=high, level=0.95)
    share = Figure(value=value, support=SUPPORT, interval=interval)
    return scores(Flagged(name="overall", doubt="disagreement", wanted=0.05, share=share))


def scores(*found: Flagged, unpromised: tuple[str, ...] = ()) -> TrustScores:
    return TrustScores(
        calibrated_on="val",
        support=SUPPORT,
        selective=None,
        class_points=(),
        box_point=None,
        class_sets=None,
        brier_before=None,
        brier_after=None,
        flagged=found,
        unpromised=unpromised,
    )


def test_a_model_without_calibration_is_unchecked_not_good() -> None:
    assert [one.verdict for one in trust_card(None).remarks] == [Verdict.UNKNOWN]


def test_a_promise_is_broken_where_the_interval_rules_it_out() -> None:
    assert trust_card(flagged(0.20, 0.10, 0.30)).remarks[0].verdict is Verdict.BAD
    assert trust_card(flagged(0.07, 0.03, 0.12)).remarks[0].verdict is Verdict.NOTE
    assert trust_card(flagged(0.04, 0.01, 0.08)).remarks[0].verdict is Verdict.GOOD


def test_a_share_without_a_value_is_unknown() -> None:
    none = Flagged(
        name="overall", doubt="disagreement", wanted=0.05, share=undefined(SUPPORT, "no slice")
    )
    assert trust_card(scores(none)).remarks[0].verdict is Verdict.UNKNOWN


def test_what_was_not_promised_is_said() -> None:
    card = trust_card(scores(unpromised=("No coverage of class sets: 3 patients.",)))
    assert (card.remarks[0].verdict, card.remarks[0].text[:11]) == (Verdict.UNKNOWN, "No coverage")
