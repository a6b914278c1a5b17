"""Thresholds for a stated specificity, and temperature."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from identities import somebody
from tetract.errors import InputError
from tetract.tasks.classification.metrics import ClassificationRow, score_classification
from tetract.tasks.classification.operating_point import ClassThreshold, find_thresholds
from tetract.tasks.classification.pool import Level
from tetract.tasks.classification.temperature import (
    apply_temperature,
    fit_temperature,
    temper_rows,
)
from tetract.types.resamples import draw_resamples

NAMES = ("ill", "well")


def row(p: float, candidates: Sequence[int], patient: str = "p") -> ClassificationRow:
    return ClassificationRow(
        probabilities=np.array([p, 1 - p]),
        candidates=np.array(candidates, dtype=np.bool_),
        identity=somebody(patient),
    )


def made(ill: Sequence[float], well: Sequence[float]) -> list[ClassificationRow]:
    return [row(p, (1, 0)) for p in ill] + [row(p, (0, 1)) for p in well]


def threshold(rows: list[ClassificationRow], specificity: float = 0.95) -> ClassThreshold:
    return find_thresholds(rows, NAMES, level=Level.SLICE, specificity=specificity).classes[0]


SCORES = st.lists(st.floats(0, 1, width=32), min_size=1, max_size=25)


@settings(deadline=None, max_examples=30)
@given(SCORES, SCORES, st.sampled_from([0.5, 0.8, 0.95, 1.0]))
def test_a_threshold_reaches_the_best_sensitivity_that_keeps_the_specificity(
    ill: list[float], well: list[float], specificity: float
) -> None:
    found = threshold(made(ill, well), specificity)
    positive, negative = np.array(ill), np.array(well)
    kept = [
        (positive >= cut).mean()
        for cut in [*ill, *well, np.inf]
        if (negative < cut).mean() >= specificity - 1e-9
    ]
    if found.value is None:
        assert max(kept) == 0
        assert (negative == 1).mean() > 1 - specificity
    else:
        assert (negative < found.value).mean() >= specificity - 1e-9
        assert (positive >= found.value).mean() == pytest.approx(max(kept))
        assert found.sensitivity.value == pytest.approx(max(kept))


def test_a_threshold_lies_halfway_between_two_scores() -> None:
    found = threshold(made([0.9, 0.7], [0.5, 0.1]))
    assert (found.value, found.sensitivity.value, found.specificity.value) == (0.6, 1.0, 1.0)
    assert threshold(made([0.2], [0.5, 0.1])).value == 0.75
    assert threshold(made([0.9, 0.7], [0.5, 0.1]), 0.5).value == pytest.approx(0.3)


def test_a_threshold_needs_negatives_but_no_positives() -> None:
    only_well = threshold(made([], [0.2, 0.4]))
    assert (only_well.value, only_well.sensitivity.reason) == (0.7, "no positive rows")
    only_ill = threshold(made([0.3], []))
    assert (only_ill.value, only_ill.reason) == (None, "no negative rows")
    assert only_ill.specificity.reason == "no negative rows"
    certain = threshold(made([0.3], [1.0, 0.1]))
    assert (certain.value, certain.reason) == (None, "too many negatives have probability 1")


def test_a_threshold_is_known_with_an_interval_and_can_be_saved() -> None:
    generator = np.random.default_rng(0)
    rows = [
        row(float(p), (1, 0) if ill else (0, 1), f"p{k}")
        for k in range(60)
        for ill in (k % 2 == 0,)
        for p in np.clip(generator.normal(0.6 if ill else 0.4, 0.2, size=2), 0, 1)
    ]
    resamples = draw_resamples(rows, draws=200, seed=0)
    found = find_thresholds(rows, NAMES, level=Level.SLICE, resamples=resamples)
    ill = found.classes[0]
    assert ill.specificity.value is not None
    assert ill.specificity.interval is not None
    assert 0.95 <= ill.specificity.value <= ill.specificity.interval.high
    assert ill.specificity.interval.low < 0.95
    assert json.loads(json.dumps(dataclasses.asdict(found)))["wanted_specificity"] == 0.95
    # The scores at this threshold are those that were promised.
    cuts = [one.value for one in found.classes]
    assert None not in cuts
    scored = score_classification(rows, NAMES, thresholds=[c for c in cuts if c is not None])
    assert scored.classes[0].sensitivity.value == pytest.approx(ill.sensitivity.value)


@pytest.mark.parametrize("specificity", [0.0, -0.1, 1.1, float("nan")])
def test_an_impossible_specificity_is_a_bug(specificity: float) -> None:
    with pytest.raises(ValueError, match="lies in"):
        threshold(made([0.5], [0.5]), specificity)


def drawn(temperature: float, seed: int, *, open_share: float = 0.0) -> list[ClassificationRow]:
    """Rows whose truth follows their probabilities at this temperature."""
    generator = np.random.default_rng(seed)
    logits = generator.normal(0, 2, size=(2000, 3))
    honest = apply_temperature(np.exp(logits), 1.0)
    said = apply_temperature(honest, 1 / temperature)
    rows: list[ClassificationRow] = []
    for p, q in zip(honest, said, strict=True):
        candidates = np.arange(3) == generator.choice(3, p=p)
        if generator.random() < open_share and not candidates[0]:
            candidates = np.array([False, True, True])
        rows.append(ClassificationRow(probabilities=q, candidates=candidates, identity=somebody()))
    return rows


@pytest.mark.parametrize(("temperature", "open_share"), [(0.5, 0.0), (2.5, 0.0), (2.5, 0.5)])
def test_the_temperature_that_was_put_in_is_found(temperature: float, open_share: float) -> None:
    rows = drawn(temperature, 1, open_share=open_share)
    found = fit_temperature(rows, ("a", "b", "c"))
    assert found.value == pytest.approx(temperature, rel=0.1)
    assert found.nll_before is not None
    assert found.nll_after is not None
    assert found.nll_after < found.nll_before
    assert (found.at_limit, found.support.slices) == (False, 2000)


def test_the_best_temperature_beats_its_neighbours_and_keeps_the_order() -> None:
    rows = drawn(3.0, 2)[:200]
    names = ("a", "b", "c")
    value = fit_temperature(rows, names).value
    assert value is not None

    def nll(at: float) -> float:
        tempered = temper_rows(rows, at)
        return -float(np.mean([np.log(r.probabilities[r.candidates].sum()) for r in tempered]))

    assert nll(value) <= min(nll(value * 1.01), nll(value / 1.01), nll(1.0))
    assert fit_temperature(rows, names).nll_after == pytest.approx(nll(value))
    before = [int(r.probabilities.argmax()) for r in rows]
    assert [int(r.probabilities.argmax()) for r in temper_rows(rows, value)] == before


def test_temperature_lowers_the_calibration_error_of_a_model_that_is_too_sure() -> None:
    rows, names = drawn(3.0, 3), ("a", "b", "c")
    value = fit_temperature(rows[:1000], names).value
    assert value is not None
    before = score_classification(rows[1000:], names)
    after = score_classification(temper_rows(rows[1000:], value), names)
    assert before.ece.value is not None
    assert after.ece.value is not None
    assert after.ece.value < before.ece.value / 3
    assert after.accuracy.value == before.accuracy.value


def test_certain_probabilities_stay_finite_at_any_temperature() -> None:
    certain = np.array([[1.0, 0.0], [0.0, 1.0]])
    for temperature in (0.05, 1.0, 20.0):
        found = apply_temperature(certain, temperature)
        assert np.isfinite(found).all()
        assert found.sum(axis=1) == pytest.approx([1, 1])


def test_rows_that_are_told_apart_perfectly_end_at_the_limit() -> None:
    found = fit_temperature(made([0.9, 0.8], [0.1]), NAMES)
    assert found.value == pytest.approx(0.05, rel=0.01)
    assert found.at_limit


def test_rows_that_cannot_tell_give_no_temperature_and_say_why() -> None:
    nothing = fit_temperature([row(0.5, (1, 1))], NAMES)
    assert (nothing.value, nothing.reason) == (None, "no rows that decide a class")
    alike = fit_temperature(made([0.5, 0.7], []), NAMES)
    assert (alike.value, alike.reason) == (None, "all rows carry the same label")


def test_nan_is_refused_before_anything_is_fitted() -> None:
    rows = [*made([0.5], [0.5]), row(float("nan"), (1, 0))]
    with pytest.raises(InputError, match="E_PREDICTION_NOT_FINITE"):
        fit_temperature(rows, NAMES)
    with pytest.raises(InputError, match="E_PREDICTION_NOT_FINITE"):
        threshold(rows)
