"""Two ways of training on the same patients: gains, ties, and what may not be compared."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import permutation_test

from identities import somebody
from tetract.errors import InputError
from tetract.evaluate.collect import Collected, Seen
from tetract.evaluate.compare.arms import Arm, group_into_arms
from tetract.evaluate.compare.comparison import compare
from tetract.evaluate.compare.difference import Verdict, difference, flip_test, pseudo_values
from tetract.evaluate.compare.files import read_arms, write_comparison
from tetract.evaluate.compare.holm import holm
from tetract.evaluate.compare.layout import comparison_tables
from tetract.evaluate.result import Hiding, Setting
from tetract.evaluate.rows_file import write_rows
from tetract.evaluate.table_text import to_latex
from tetract.tasks.reconstruction.metrics import Errors, HiddenErrors, ReconstructionRow
from tetract.types import LabelSpace, Task
from tetract.types.figure import Figure, Support
from tetract.types.resamples import Resamples
from tetract.types.table import Table

SETTING = Setting(
    hiding=Hiding(patch_px=4, fraction=0.5, seed=0), split="test", cases="ab", seed=0, arm="one"
)
PEOPLE = [somebody(f"patient {i // 2}") for i in range(40)]
FAMILY = "reconstruction/masked_mae"


def run(errors: Sequence[float], **setting: object) -> Collected:
    """A model with these errors on the hidden pixels of twenty patients' slices."""
    rows = tuple(
        ReconstructionRow(
            plain=Errors(mae=e, mse=e**2, ssim=None),
            hidden=HiddenErrors(model=Errors(mae=e, mse=e**2, ssim=None), mean_filter_mae=None),
            identity=who,
        )
        for who, e in zip(PEOPLE, errors, strict=True)
    )
    return Collected(
        tasks=(Task.RECONSTRUCTION,),
        label_space=LabelSpace(),
        setting=replace(SETTING, **setting),
        seen=tuple(Seen(identity=who) for who in PEOPLE),
        classification=(),
        segmentation=(),
        reconstruction=rows,
        detection=(),
    )


def arms(*runs: Collected) -> tuple[Arm, ...]:
    return group_into_arms({str(i): one for i, one in enumerate(runs)})


NOISE = np.random.default_rng(0).random(40) * 0.1
BASE = 0.3 + np.random.default_rng(1).random(40) * 0.1


def test_less_error_is_a_gain_and_its_interval_holds_it() -> None:
    (against,) = compare(arms(run(BASE), run(BASE - 0.05 - NOISE, arm="two")), draws=4000).arms
    (found,) = against.family
    assert found.name == FAMILY
    assert found.lower_is_better
    assert found.verdict == Verdict.BETTER
    assert found.gain.value == pytest.approx(0.05 + NOISE.mean())
    assert found.relative.value == pytest.approx(100 * (0.05 + NOISE.mean()) / BASE.mean())
    assert found.gain.interval is not None
    assert found.gain.interval.low < 0.05 + NOISE.mean() < found.gain.interval.high
    assert found.p_holm is not None
    assert found.p_holm < 0.001


def test_the_effect_is_cohens_d_of_the_patients_differences() -> None:
    (against,) = compare(arms(run(BASE), run(BASE - 0.05 - NOISE, arm="two")), draws=200).arms
    own = (0.05 + NOISE).reshape(20, 2).mean(axis=1)
    assert against.family[0].effect == pytest.approx(own.mean() / own.std(ddof=1))


def test_noise_is_a_tie() -> None:
    (against,) = compare(arms(run(BASE), run(BASE + NOISE - 0.05, arm="two")), draws=400).arms
    assert against.family[0].verdict == Verdict.TIE


def test_equal_runs_have_no_interval_and_no_verdict() -> None:
    (against,) = compare(arms(run(BASE), run(BASE, arm="two")), draws=200).arms
    (found,) = against.family
    assert (found.gain.value, found.gain.interval, found.p) == (0.0, None, 1.0)
    assert found.verdict == Verdict.UNKNOWN
    assert "draws agree" in found.gain.no_interval


def test_repeats_are_averaged_and_their_spread_widens_the_interval() -> None:
    better = BASE - 0.05 - NOISE
    one = compare(arms(run(BASE), run(better, arm="two")), draws=400).arms[0]
    spread = [run(better + d, arm="two", seed=i) for i, d in enumerate((-0.08, 0.0, 0.08))]
    three = compare(arms(run(BASE), *spread), draws=400).arms[0]
    assert three.seeds == 3
    narrow, wide = one.family[0].gain, three.family[0].gain
    assert narrow.value == pytest.approx(wide.value)
    assert narrow.interval is not None
    assert wide.interval is not None
    assert wide.interval.high - wide.interval.low > 3 * (narrow.interval.high - narrow.interval.low)


@pytest.mark.parametrize("count", [6, 12])
def test_the_flip_test_is_the_paired_permutation_test(count: int) -> None:
    own = np.random.default_rng(count).normal(0.5, 1, count)
    theirs = permutation_test((own,), np.sum, permutation_type="samples", n_resamples=np.inf)
    assert flip_test(own) == pytest.approx(theirs.pvalue)


def test_true_ties_are_called_different_as_rarely_as_stated() -> None:
    random = np.random.default_rng(0)
    found = [flip_test(random.standard_t(3, 20), flips=500, seed=i) for i in range(1000)]
    assert 0.03 < np.mean([p is not None and p <= 0.05 for p in found]) < 0.07


def test_a_gain_that_no_single_patient_moves_is_not_called_sure() -> None:
    """As of AP: leaving anyone out changes nothing, and draws lie on both sides of 0."""
    people, draws = 20, 1000
    random = np.random.default_rng(0)
    drawn = 0.5 + random.normal(0.001, 0.1, draws)
    counts = random.multinomial(people, np.full(people, 1 / people), draws)
    resamples = Resamples(
        counts=np.concatenate([np.ones((1, people)), counts, 1.0 - np.eye(people)]), draws=draws
    )
    apart = np.concatenate([[0.501], drawn, np.full(people, 0.501)])
    baseline, arm = (
        Figure(
            value=one[0],
            support=Support(slices=20, patients=20),
            studies=one,
            columns=np.arange(people),
        )
        for one in (np.full_like(apart, 0.5), apart)
    )
    votes = flip_test(pseudo_values(apart - 0.5, np.arange(people), resamples))
    found = difference("ap", baseline, arm, resamples, lower_is_better=False)
    assert votes is not None
    assert votes < 0.001
    assert found.verdict == Verdict.TIE
    assert found.p is not None
    assert found.p > 0.9


def test_holm_by_hand() -> None:
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([]) == []
    assert holm([0.9, 0.8]) == [1.0, 1.0]


@pytest.mark.parametrize(
    ("second", "code"),
    [
        ({"arm": "two", "cases": "cd"}, "E_OTHER_CASES"),
        ({"arm": "two", "split": "val"}, "E_OTHER_CASES"),
        ({"seed": 1}, "E_ONE_ARM"),
    ],
)
def test_what_cannot_be_compared_is_refused(second: dict[str, object], code: str) -> None:
    with pytest.raises(InputError, match=code):
        compare(arms(run(BASE), run(BASE, **second)), draws=100)


def test_an_arm_of_two_recipes_or_of_one_seed_twice_is_refused() -> None:
    other = Arm(name="b", runs=(run(BASE, arm="two"),))
    for second in ({"arm": "two", "seed": 1}, {}):
        mixed = Arm(name="a", runs=(run(BASE), run(BASE, **second)))
        with pytest.raises(InputError, match="E_MIXED_ARM"):
            compare((mixed, other), draws=100)


def test_from_folders_to_files(tmp_path: Path) -> None:
    for name, errors in (("a", BASE), ("b", BASE - 0.05 - NOISE)):
        folder = tmp_path / name / "evaluation" / "test"
        folder.mkdir(parents=True)
        write_rows(folder, run(errors, arm=name))
    found = read_arms([(None, tmp_path / "a"), (None, tmp_path / "b")], split="test")
    assert [arm.name for arm in found] == ["a", "b"]
    comparison = compare(found, draws=200)
    told = write_comparison(tmp_path / "out", comparison)
    assert "b against a, split test" in told
    assert "One seed" in told
    written = json.loads((tmp_path / "out" / "compare.json").read_text())
    assert written["arms"][0]["family"][0]["verdict"] == "better"
    assert "better" in (tmp_path / "out" / "compare.tex").read_text()
    assert comparison.ranks == (("a", 2.0), ("b", 1.0))
    assert len(comparison_tables(comparison, everything=True)) == 3


def test_a_run_that_was_not_evaluated_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="E_NOT_EVALUATED"):
        read_arms([(None, tmp_path / "a")], split="test")


def test_all_arms_are_named_or_none(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="E_SOME_ARMS_NAMED"):
        read_arms([("a", tmp_path), (None, tmp_path)], split="test")


def test_latex_escapes_what_latex_reads() -> None:
    table = Table(title="a_b", columns=("50 %", "x"), rows=(("a&b", "\N{EM DASH}"),))
    text = to_latex(table)
    assert r"a\_b" in text
    assert r"50 \% & x \\" in text
    assert r"a\&b & --- \\" in text
