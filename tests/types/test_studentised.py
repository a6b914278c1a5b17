"""Ends of the bootstrap-t, by hand and patient by patient."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from identities import somebody
from tetract.types.figure import Interval
from tetract.types.identity import Identity
from tetract.types.resamples import draw_resamples, estimate, weighted_mean
from tetract.types.studentised import Sums, reach_further, studentised_ends

ONE_STRATUM = np.zeros(3, dtype=np.int64)
NARROW = Interval(low=1.9, high=2.1, level=0.95)


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    identity: Identity


def mean_of(values: list[float]) -> Sums:
    return Sums(above=np.array(values), below=np.ones(len(values)), is_share=False)


def test_ends_of_a_mean_of_three_are_those_counted_by_hand() -> None:
    # 1, 2, 3: mean 2, standard error 1 / sqrt(3). 2, 3, 3: mean 8/3, standard error 1/3: t = 2.
    counts = np.array([[0.0, 1.0, 2.0], [2.0, 1.0, 0.0]])
    ends = studentised_ends(np.arange(1.0, 4.0), np.ones(3), counts, ONE_STRATUM, level=0.95)
    assert ends == pytest.approx((2 - 2 / np.sqrt(3), 2 + 2 / np.sqrt(3)))


def test_draws_of_a_mean_are_measured_by_their_own_standard_error() -> None:
    random = np.random.default_rng(0)
    values, counts = random.gamma(2.0, 1.0, 12), random.multinomial(12, [1 / 12] * 12, size=999)
    drawn = [np.repeat(values, times) for times in counts]
    error = values.std(ddof=1) / np.sqrt(12)
    t = [(one.mean() - values.mean()) / one.std(ddof=1) * np.sqrt(12) for one in drawn]
    least, most = np.quantile(t, 0.025, method="lower"), np.quantile(t, 0.975, method="higher")
    found = studentised_ends(
        values, np.ones(12), counts.astype(float), np.zeros(12, dtype=np.int64), level=0.95
    )
    assert found == pytest.approx((values.mean() - most * error, values.mean() - least * error))


def test_patients_vary_within_their_stratum_only() -> None:
    # Two sources far apart, alike within: the draws say the same, whoever is drawn.
    values, strata = np.array([1.0, 1.0, 9.0, 9.0]), np.array([0, 0, 1, 1])
    counts = np.array([[2.0, 0.0, 0.0, 2.0], [1.0, 1.0, 2.0, 0.0]])
    assert studentised_ends(values, np.ones(4), counts, strata, level=0.95) == (5.0, 5.0)


def test_an_error_reaches_farther_up_only() -> None:
    counts = np.array([[0.0, 1.0, 2.0], [2.0, 1.0, 0.0]])
    found = reach_further(NARROW, mean_of([1.0, 2.0, 3.0]), np.arange(3), counts, ONE_STRATUM)
    assert found is not None
    assert (found.low, found.high) == (1.9, pytest.approx(2 + 2 / np.sqrt(3)))


def test_an_interval_is_never_made_narrower() -> None:
    wide = Interval(low=0.0, high=9.0, level=0.95)
    counts = np.array([[0.0, 1.0, 2.0], [2.0, 1.0, 0.0]])
    assert reach_further(wide, mean_of([1.0, 2.0, 3.0]), np.arange(3), counts, ONE_STRATUM) == wide


def test_a_share_stays_between_0_and_1() -> None:
    sums = Sums(above=np.array([9.0, 9.0, 0.0]), below=np.full(3, 10.0), is_share=True)
    counts = np.array([[3.0, 0.0, 0.0], [0.0, 0.0, 3.0]])
    narrow = Interval(low=0.5, high=0.7, level=0.95)
    found = reach_further(narrow, sums, np.arange(3), counts, ONE_STRATUM)
    assert found is not None
    assert (found.low, found.high) == (0.0, 1.0)


def test_what_is_made_of_a_mean_is_made_of_its_end() -> None:
    sums = Sums(above=np.arange(1.0, 4.0), below=np.ones(3), is_share=False, then=np.negative)
    counts = np.array([[0.0, 1.0, 2.0], [2.0, 1.0, 0.0]])
    narrow = Interval(low=-2.1, high=-1.9, level=0.95)
    found = reach_further(narrow, sums, np.arange(3), counts, ONE_STRATUM)
    assert found is not None
    assert (found.low, found.high) == (pytest.approx(-2 - 2 / np.sqrt(3)), -1.9)


def test_errors_of_two_patients_in_twenty_have_no_interval() -> None:
    rows = [Seen(identity=somebody(str(n))) for n in range(20)]
    values = np.array([30.0, 50.0] + [0.0] * 18)
    resamples = draw_resamples(rows, draws=1000, seed=0)
    found = estimate(
        weighted_mean(values), rows, resamples, reason="", sums=mean_of(values.tolist())
    )
    assert (found.value, found.interval) == (4.0, None)
    assert found.no_interval.startswith("so few patients err")


def test_slices_of_one_patient_are_summed_and_nothing_changes_without_sums() -> None:
    rows = [Seen(identity=somebody(str(n // 3))) for n in range(36)]
    values = np.random.default_rng(1).lognormal(0.0, 1.5, 36)
    resamples = draw_resamples(rows, draws=500, seed=0)
    plain = estimate(weighted_mean(values), rows, resamples, reason="")
    found = estimate(
        weighted_mean(values), rows, resamples, reason="", sums=mean_of(values.tolist())
    )
    _, high = studentised_ends(
        values.reshape(12, 3).sum(1)[[int(key[1]) for key in resamples.patients]],
        np.full(12, 3.0),
        resamples.counts[1:501],
        resamples.strata,
        level=0.95,
    )
    assert plain.interval is not None
    assert found.interval is not None
    assert (found.interval.low, found.interval.high) == (plain.interval.low, pytest.approx(high))
    assert found.interval.high > plain.interval.high
