from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import (
    accuracy_score,
    balanced_accuracy_score,
    f1_score,
    matthews_corrcoef,
)

from identities import somebody
from tetract.errors import InputError
from tetract.tasks.classification.metrics import ClassificationRow, score_classification
from tetract.types.resamples import draw_resamples

NAMES = ("covid", "normal", "cancer")
COVID, NORMAL, CANCER = (1, 0, 0), (0, 1, 0), (0, 0, 1)
NOT_COVID = (0, 1, 1)


def row(
    probabilities: Sequence[float], candidates: Sequence[int], patient: str = "p", source: str = "s"
) -> ClassificationRow:
    return ClassificationRow(
        probabilities=np.array(probabilities, dtype=np.float32),
        candidates=np.array(candidates, dtype=np.bool_),
        identity=somebody(patient, source),
    )


def covid_row(probability: float, candidates: Sequence[int]) -> ClassificationRow:
    return row((probability, (1 - probability) / 2, (1 - probability) / 2), candidates)


def pairs_won(positive: Sequence[float], negative: Sequence[float]) -> float:
    """AUROC by its definition: a positive beats a negative, ties count half."""
    wins = [(p > n) + 0.5 * (p == n) for p, n in itertools.product(positive, negative)]
    return sum(wins) / len(wins)


GRID = st.integers(0, 8).map(lambda k: k / 8)


@settings(deadline=None, max_examples=20)
@given(st.lists(GRID, min_size=1, max_size=8), st.lists(GRID, min_size=1, max_size=8))
def test_auroc_is_the_share_of_pairs_in_the_right_order(
    positive: list[float], negative: list[float]
) -> None:
    rows = [covid_row(p, COVID) for p in positive] + [covid_row(p, NOT_COVID) for p in negative]
    found = score_classification(rows, NAMES).classes[0].auroc.value
    assert found == pytest.approx(pairs_won(positive, negative), abs=1e-6)


def test_a_row_that_leaves_a_class_open_does_not_score_it() -> None:
    rows = [row((0.1, 0.8, 0.1), NORMAL), row((0.2, 0.1, 0.7), CANCER)]
    open_row = row((0.0, 0.1, 0.9), NOT_COVID)
    normal = score_classification([*rows, open_row], NAMES).classes[1]
    assert (normal.positives, normal.negatives, normal.auroc.support.slices) == (1, 1, 2)


def test_two_ways_of_saying_not_covid_score_the_same_for_covid() -> None:
    said = [0.9, 0.4, 0.6, 0.1]
    sure = [covid_row(p, c) for p, c in zip(said, (COVID, COVID, NORMAL, CANCER), strict=True)]
    open_ = [
        covid_row(p, c) for p, c in zip(said, (COVID, COVID, NOT_COVID, NOT_COVID), strict=True)
    ]
    first = score_classification(sure, NAMES).classes[0]
    assert first == score_classification(open_, NAMES).classes[0]
    assert first.auroc.value == pytest.approx(0.75)


def test_binary_figures_match_their_counts() -> None:
    rows = [covid_row(p, COVID) for p in (0.9, 0.5, 0.2)] + [
        covid_row(p, NOT_COVID) for p in (0.6, 0.1)
    ]
    covid = score_classification(rows, NAMES).classes[0]
    # 2 of 3 found (0.5 counts as found), 1 of 2 left alone.
    assert covid.sensitivity.value == pytest.approx(2 / 3)
    assert covid.specificity.value == pytest.approx(1 / 2)
    assert covid.accuracy.value == pytest.approx(3 / 5)
    assert covid.f1.value == pytest.approx(2 * 2 / (2 * 2 + 1 + 1))


@settings(deadline=None, max_examples=20)
@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2)), min_size=2, max_size=12))
def test_overall_figures_match_scikit_learn(pairs: list[tuple[int, int]]) -> None:
    truth, said = [t for t, _ in pairs], [s for _, s in pairs]
    if len(set(truth)) < 2:
        truth[0] = (truth[1] + 1) % 3
    rows = [row(np.eye(3)[s], np.eye(3, dtype=int)[t]) for t, s in zip(truth, said, strict=True)]
    scores = score_classification(rows, NAMES)
    present = sorted(set(truth))
    assert scores.accuracy.value == pytest.approx(accuracy_score(truth, said))
    recalls = [
        np.mean([s == c for t, s in zip(truth, said, strict=True) if t == c]) for c in present
    ]
    assert scores.balanced_accuracy.value == pytest.approx(np.mean(recalls))
    assert scores.f1_macro.value == pytest.approx(
        f1_score(truth, said, labels=present, average="macro")
    )
    assert scores.mcc.value == pytest.approx(matthews_corrcoef(truth, said), abs=1e-6)


def test_balanced_accuracy_is_scikit_learns_where_both_are_defined() -> None:
    truth, said = [0, 0, 1, 1, 1, 2], [0, 1, 1, 1, 0, 2]
    rows = [row(np.eye(3)[s], np.eye(3, dtype=int)[t]) for t, s in zip(truth, said, strict=True)]
    found = score_classification(rows, NAMES).balanced_accuracy.value
    assert found == pytest.approx(balanced_accuracy_score(truth, said))


def test_candidate_rows_do_not_enter_overall_accuracy() -> None:
    rows = [covid_row(0.9, COVID), row((0, 1, 0), NORMAL), covid_row(0.99, NOT_COVID)]
    scores = score_classification(rows, NAMES)
    assert (scores.accuracy.value, scores.accuracy.support.slices) == (1.0, 2)


def test_no_positives_is_undefined_and_says_so() -> None:
    covid = score_classification([covid_row(0.1, NOT_COVID)], NAMES).classes[0]
    assert covid.auroc.value is covid.accuracy.value is covid.f1.value is None
    assert covid.auroc.reason == "no positive rows"
    assert covid.specificity.value == 1.0


def test_all_positives_is_undefined_and_says_so() -> None:
    covid = score_classification([covid_row(0.9, COVID), covid_row(0.8, COVID)], NAMES).classes[0]
    assert (covid.auroc.value, covid.auroc.reason) == (None, "no negative rows")
    assert covid.sensitivity.value == 1.0


def test_one_class_alone_gives_no_overall_figure() -> None:
    scores = score_classification([covid_row(0.9, COVID), covid_row(0.8, COVID)], NAMES)
    for figure in (scores.accuracy, scores.balanced_accuracy, scores.f1_macro):
        assert figure.value is None
        assert "only one class" in figure.reason
    assert scores.auroc_macro.value is None


def test_no_rows_give_no_figure() -> None:
    scores = score_classification([], NAMES)
    assert scores.accuracy.reason == "no rows with a single known class"
    assert scores.support.slices == 0
    assert all(one.auroc.value is None for one in scores.classes)


def test_macro_auroc_skips_undefined_classes() -> None:
    rows = [row((0.9, 0.1, 0), COVID), row((0.2, 0.8, 0), NORMAL)]
    scores = score_classification(rows, NAMES)
    assert scores.classes[2].auroc.value is None
    assert scores.auroc_macro.value == 1.0


def test_patients_are_counted_and_the_unknown_flagged() -> None:
    rows = [row((1, 0, 0), COVID, patient) for patient in ("a", "a", "b", "")]
    support = score_classification(rows, NAMES).support
    assert (support.slices, support.patients, support.slices_without_patient) == (4, 2, 1)


def studied(patients: int) -> list[ClassificationRow]:
    """Two slices of each patient, in whom covid and its probability mostly go together."""
    generator = np.random.default_rng(3)
    rows: list[ClassificationRow] = []
    for patient in range(patients):
        ill = patient % 3 == 0
        for _ in range(2):
            p = float(np.clip(generator.normal(0.6 if ill else 0.4, 0.2), 0, 1))
            one = covid_row(p, COVID if ill else NORMAL)
            rows.append(replace(one, identity=somebody(f"p{patient}")))
    return rows


def test_every_figure_but_calibration_error_gets_an_interval_around_it() -> None:
    rows = studied(60)
    scores = score_classification(rows, NAMES, resamples=draw_resamples(rows, draws=200, seed=1))
    covid = scores.classes[0]
    for name in ("auroc", "average_precision", "mcc", "sensitivity_at_95", "brier", "f1"):
        figure = getattr(covid, name)
        assert figure.interval.low < figure.value < figure.interval.high, name
    for figure in (scores.auroc_macro, scores.balanced_accuracy, scores.mcc, scores.brier):
        assert figure.interval is not None
        assert figure.value is not None
        assert figure.interval.low < figure.value < figure.interval.high
    for figure in (scores.ece, scores.ece_macro, covid.ece):
        assert figure.interval is None
        assert "by chance" in figure.no_interval


def test_intervals_leave_the_figures_as_they_are() -> None:
    rows = studied(12)
    with_them = score_classification(rows, NAMES, resamples=draw_resamples(rows, draws=20, seed=1))
    without = score_classification(rows, NAMES)
    # Products of matrices and of vectors may differ in the last bit.
    assert with_them.classes[0].auroc.value == pytest.approx(without.classes[0].auroc.value, 1e-12)
    assert with_them.brier.value == pytest.approx(without.brier.value, 1e-12)
    assert without.classes[0].ece.no_interval == without.brier.no_interval == ""


def test_one_patient_gives_figures_without_intervals() -> None:
    rows = [covid_row(p, c) for p, c in ((0.9, COVID), (0.3, COVID), (0.4, NORMAL))]
    auroc = (
        score_classification(rows, NAMES, resamples=draw_resamples(rows, draws=20, seed=1))
        .classes[0]
        .auroc
    )
    assert (auroc.value, auroc.interval, auroc.no_interval) == (0.5, None, "fewer than 5 patients")


def test_a_threshold_from_elsewhere_replaces_one_half() -> None:
    rows = [covid_row(p, COVID) for p in (0.9, 0.3)] + [covid_row(0.2, NORMAL)]
    covid = score_classification(rows, NAMES, thresholds=(0.25, 0.5, 0.5)).classes[0]
    assert (covid.threshold, covid.sensitivity.value, covid.specificity.value) == (0.25, 1.0, 1.0)


@pytest.mark.parametrize(
    ("probability", "code"),
    [
        (float("nan"), "E_PREDICTION_NOT_FINITE"),
        (float("inf"), "E_PREDICTION_NOT_FINITE"),
        (3.5, "E_NOT_A_PROBABILITY"),
        (-0.5, "E_NOT_A_PROBABILITY"),
    ],
)
def test_what_is_no_probability_is_refused_in_one_line(probability: float, code: str) -> None:
    rows = [covid_row(0.9, COVID), row((probability, 0.1, 0.1), NORMAL)]
    with pytest.raises(InputError) as refused:
        score_classification(rows, NAMES)
    assert refused.value.code == code
    assert "\n" not in str(refused.value)


def test_a_row_of_other_classes_or_without_candidates_is_a_bug() -> None:
    with pytest.raises(ValueError, match="3 classes expected"):
        score_classification([row((0.5, 0.5), (1, 0))], NAMES)
    with pytest.raises(ValueError, match="without any candidate"):
        score_classification([row((0.5, 0.5, 0), (0, 0, 0))], NAMES)


def test_knowing_the_source_is_worth_a_half_within_sources() -> None:
    ill = [covid_row(0.9, COVID) for _ in range(4)]
    rows = [replace(one, identity=somebody(f"a{n}", "clinic")) for n, one in enumerate(ill)]
    rows += [row((0.9, 0.1, 0.0), NORMAL, "a9", "clinic")]
    rows += [row((0.1, 0.9, 0.0), NORMAL, f"b{n}", "screening") for n in range(4)]
    scores = score_classification(rows, NAMES)
    assert scores.classes[0].auroc.value == pytest.approx((4 * 4 + 4 * 0.5) / (4 * 5))
    assert scores.classes[0].auroc_within.value == pytest.approx(0.5)


def test_sources_of_one_class_each_have_no_auroc_within() -> None:
    rows = [row((0.9, 0.1, 0.0), COVID, "a", "one"), row((0.1, 0.9, 0.0), NORMAL, "b", "two")]
    scores = score_classification(rows, NAMES)
    assert scores.auroc_macro.value == pytest.approx(1.0)
    assert scores.auroc_within_macro.value is None
    assert scores.classes[0].auroc_within.reason == "no source holds rows both with and without"


@given(
    st.lists(
        st.tuples(st.integers(0, 4), st.booleans(), st.sampled_from("abc")),
        min_size=1,
        max_size=14,
    )
)
@settings(deadline=None)
def test_auroc_within_counts_the_pairs_of_one_source(told: list[tuple[int, bool, str]]) -> None:
    rows = [
        row((p / 4, 1 - p / 4, 0.0), COVID if ill else NORMAL, f"p{n}", source)
        for n, (p, ill, source) in enumerate(told)
    ]
    pairs = [
        1.0 if mine > theirs else 0.5 if mine == theirs else 0.0
        for mine, ill, source in told
        for theirs, other, there in told
        if ill and not other and source == there
    ]
    scores = score_classification(rows, NAMES)
    expected = pytest.approx(np.mean(pairs)) if pairs else None
    assert scores.classes[0].auroc_within.value == expected
    # The other class has the same pairs, turned round, and the third none.
    assert scores.auroc_within_pooled.value == expected


def test_pooled_within_sources_a_class_weighs_as_many_as_its_pairs() -> None:
    rows = [
        row((0.9, 0.1, 0.0), COVID, "a", "clinic"),
        row((0.8, 0.2, 0.0), COVID, "b", "clinic"),
        row((0.1, 0.6, 0.3), NORMAL, "c", "clinic"),
        row((0.2, 0.7, 0.1), CANCER, "d", "clinic"),
        row((0.0, 0.0, 1.0), CANCER, "e", "screening"),
    ]
    scores = score_classification(rows, NAMES)
    # covid: 4 of 4 pairs; normal: (c, a), (c, b) right, (c, d) wrong; cancer: (d, c) wrong.
    within = [one.auroc_within.value for one in scores.classes]
    assert within == pytest.approx([1.0, 2 / 3, 2 / 3])
    assert scores.auroc_within_pooled.value == pytest.approx((4 + 2 + 2) / (4 + 3 + 3))
