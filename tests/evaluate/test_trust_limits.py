from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from tetract.evaluate.trust.limit import find_limit, needed_patients
from tetract.evaluate.trust.logistic import fit_logistic, logits
from tetract.evaluate.trust.residual import distances_left_out, fit_usual
from tetract.evaluate.trust.selective import aurc, risk_curve
from tetract.types.identity import Identity


@dataclass(frozen=True)
class Slice:
    identity: Identity


def of(patients: list[str]) -> list[Slice]:
    return [
        Slice(Identity(row=i, patient=p, source="s", slice_index=0, spacing_mm=None))
        for i, p in enumerate(patients)
    ]


def test_a_limit_is_the_order_statistic_of_split_conformal_for_one_slice_each() -> None:
    # n = 19, rate 0.1: the ceil(0.9 * 20) = 18th smallest.
    found = find_limit(np.arange(19.0), of([f"p{i}" for i in range(19)]), 0.1)
    assert found.value == 17.0
    assert found.reached == pytest.approx(1 / 19)


def test_too_few_patients_promise_nothing() -> None:
    assert needed_patients(0.05) == 19
    few = find_limit(np.arange(180.0), of([f"p{i % 18}" for i in range(180)]), 0.05)
    assert few.value is None
    assert "18 patients: at least 19" in few.reason


def test_slices_without_patient_do_not_count_as_patients() -> None:
    found = find_limit(np.arange(100.0), of([""] * 100), 0.1)
    assert found.value is None
    assert "100 slices name no patient" in found.reason


def test_slices_of_one_patient_are_not_so_many_patients() -> None:
    # 9 patients of one slice and one of 91, which alone is unusual: at most 1/11 may exceed.
    names = [f"p{i}" for i in range(9)] + ["long"] * 91
    scores = np.concatenate([np.arange(9.0) / 100, 1 + np.arange(91.0)])
    found = find_limit(scores, of(names), 2 / 11)
    assert found.value == pytest.approx(0.08)
    assert found.reached == pytest.approx(1 / 10)


def test_equal_scores_are_flagged_together_or_not_at_all() -> None:
    found = find_limit(np.array([0.0] * 5 + [1.0] * 15), of([f"p{i}" for i in range(20)]), 0.3)
    assert found.value == 1.0
    assert found.reached == 0.0


@pytest.mark.parametrize("rate", [0.1, 0.25])
def test_new_patients_exceed_the_limit_no_more_often_than_promised(rate: float) -> None:
    random, shares = np.random.default_rng(0), []
    for _ in range(400):
        own = random.normal(0, 1, 41)
        patient = np.repeat(np.arange(41), random.integers(1, 8, 41))
        scores = own[patient] + random.normal(0, 0.5, len(patient))
        known = patient < 40
        limit = find_limit(scores[known], of([f"p{p}" for p in patient[known]]), rate)
        assert limit.value is not None
        shares.append((scores[~known] > limit.value).mean())
    error = np.std(shares) / np.sqrt(len(shares))
    assert np.mean(shares) <= rate + 2 * error
    assert np.mean(shares) >= rate - 1 / 41 - 3 * error  # and not by flagging nothing


def test_the_logistic_curve_is_found_again() -> None:
    random = np.random.default_rng(0)
    scores = random.uniform(0.01, 0.99, 20000)
    truth = random.random(20000) < 1 / (1 + np.exp(-(0.5 * logits(scores) - 1)))
    found = fit_logistic(scores, truth)
    assert found is not None
    assert (found.slope, found.offset) == (
        pytest.approx(0.5, abs=0.03),
        pytest.approx(-1, abs=0.05),
    )
    assert found.brier_after < found.brier_before


def test_a_score_that_ranks_backwards_is_not_turned_round() -> None:
    scores = np.linspace(0.1, 0.9, 40)
    found = fit_logistic(scores, scores < 0.5)
    assert found is not None
    assert found.slope == 0
    assert found.apply(np.array([0.1, 0.9])) == pytest.approx([0.5, 0.5], abs=0.02)


def test_too_few_of_one_kind_give_no_curve() -> None:
    assert fit_logistic(np.linspace(0, 1, 20), np.arange(20) < 4) is None


def test_perfectly_separated_scores_give_a_finite_curve() -> None:
    scores = np.array([0.0] * 10 + [1.0] * 10)
    found = fit_logistic(scores, scores > 0.5)
    assert found is not None
    assert np.isfinite([found.slope, found.offset]).all()


def test_the_area_is_the_integral_of_the_curve() -> None:
    wrong = np.array([False, True, False, True, True])
    doubt = np.array([0.1, 0.2, 0.3, 0.3, 0.9])
    # Numerically: errors among the first x, the tie entering evenly.
    x = (np.arange(500000) + 0.5) / 100000
    errors = np.interp(x, [0, 1, 2, 4, 5], [0, 0, 1, 2, 3])
    assert aurc(doubt, wrong)(np.ones((1, 5)))[0] == pytest.approx((errors / x).mean(), abs=1e-5)


def test_a_slice_that_counts_twice_is_two_slices() -> None:
    doubt, wrong = np.array([0.1, 0.5, 0.9]), np.array([False, True, True])
    twice = aurc(np.array([0.1, 0.5, 0.5, 0.9]), np.array([False, True, True, True]))
    weights = np.array([[1.0, 2.0, 1.0], [0.0, 0.0, 0.0]])
    found = aurc(doubt, wrong)(weights)
    assert found[0] == pytest.approx(twice(np.ones((1, 4)))[0])
    assert np.isnan(found[1])


def test_a_doubt_that_knows_nothing_has_the_error_as_area() -> None:
    wrong = np.arange(10) < 3
    assert aurc(np.full(10, 0.5), wrong)(np.ones((1, 10)))[0] == pytest.approx(0.3)
    assert risk_curve(np.full(10, 0.5), wrong).risk == (pytest.approx(0.3),)


def test_noise_and_emptiness_are_both_far_from_usual_residuals() -> None:
    random = np.random.default_rng(0)
    usual = np.exp(random.multivariate_normal([-3, -2.5], [[0.04, 0.03], [0.03, 0.04]], 60))
    known = fit_usual(usual)
    noisy, empty, model_lost = [0.3, 0.3], [0.001, 0.001], [0.12, 0.08]
    far = known.distance(np.array([noisy, empty, model_lost]))
    assert (far > np.quantile(known.distance(usual), 0.99)).all()


def test_a_patient_does_not_vouch_for_himself() -> None:
    random = np.random.default_rng(0)
    residuals = np.exp(random.normal(-3, 0.1, (40, 2)))
    residuals[36:] *= 3
    names = [f"p{i // 4}" for i in range(40)]
    left_out = distances_left_out(residuals, of(names))
    assert (left_out[36:] > fit_usual(residuals).distance(residuals)[36:]).all()
