"""Arms against a baseline, over the figures declared in advance, and over all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from tetract.evaluate.compare.arms import Arm, check_arms
from tetract.evaluate.compare.difference import Difference, average_seeds, difference
from tetract.evaluate.compare.holm import holm
from tetract.evaluate.compare.units import figures_not_compared
from tetract.evaluate.headline import PRIMARY_FIGURES
from tetract.evaluate.named_figures import is_better_low, named_figures
from tetract.evaluate.score import rows_coincidence, score
from tetract.types import Task
from tetract.types.figure import Figure, Support, undefined
from tetract.types.resamples import Resamples, conclude, draw_resamples

# A relative gain over a figure this small says more about the baseline than about the gain.
SHAKY_BASELINE: Final = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Against:
    """One arm against the baseline.

    Attributes:
        arm: Name of the arm.
        seeds: Runs behind each of its figures, the fewest of any task.
        family: The primary figure of each task both have: what the claim rests on. Their p-values
            are corrected together with those of the other arms.
        others: All other figures both have; not corrected, to look at and not to claim from.
        mean_relative: Relative multi-task gain in percent: mean of the family's relative gains
            (Maninis et al. 2019, arXiv 1904.08918), undefined where a task has none.
        shaky: Family figures whose baseline is below 0.05, so that ``relative`` is unstable.
        not_compared: What both have but not alike, and why: other units, other classes.
    """

    arm: str
    seeds: int
    family: tuple[Difference, ...]
    others: tuple[Difference, ...]
    mean_relative: Figure
    shaky: tuple[str, ...]
    not_compared: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """All arms against the first.

    Attributes:
        baseline: Name of the first arm.
        baseline_seeds: Runs behind each of its figures, the fewest of any task.
        split: Name of the split.
        draws: Bootstrap draws; of patients, and of seeds within an arm.
        arms: The others.
        ranks: Mean rank of each arm over the tasks all arms have, 1 the best; baseline first.
        banner: What must be read before any figure of classes; "".
    """

    baseline: str
    baseline_seeds: int
    split: str
    draws: int
    arms: tuple[Against, ...]
    ranks: tuple[tuple[str, float], ...]
    banner: str = ""


def compare(arms: Sequence[Arm], *, draws: int = 1000, seed: int = 0) -> Comparison:
    """Compare all arms with the first, patient by patient.

    Args:
        arms: At least two; the first is the baseline.
        draws: Bootstrap draws.
        seed: Of the draws.

    Raises:
        InputError: As ``check_arms``.
    """
    check_arms(arms)
    seen = {
        (who.identity.row, who.identity.slice_index): who
        for arm in arms
        for run in arm.runs
        for who in run.seen
    }
    resamples = draw_resamples(tuple(seen.values()), draws=draws, seed=seed)
    means = [_arm_figures(arm, resamples, seed + 1 + index) for index, arm in enumerate(arms)]
    left_out = [
        figures_not_compared(mine, arm.runs, arms[0].runs)
        for arm, mine in zip(arms, means, strict=True)
    ]
    means = [
        {name: figure for name, figure in mine.items() if name not in out}
        for mine, out in zip(means, left_out, strict=True)
    ]
    against = [
        _against(arm, means[0], mine, out, resamples)
        for arm, mine, out in zip(arms[1:], means[1:], left_out[1:], strict=True)
    ]
    return Comparison(
        baseline=arms[0].name,
        baseline_seeds=_fewest_seeds(arms[0]),
        split=arms[0].runs[0].setting.split,
        draws=draws,
        arms=_corrected(against),
        ranks=_ranks(arms, means),
        banner=_banner(arms),
    )


def _banner(arms: Sequence[Arm]) -> str:
    """The same cases have the same labels: the first run that is scored on classes tells."""
    runs = (run for arm in arms for run in arm.runs if run.classification)
    return next((rows_coincidence(run).banner for run in runs), "")


def _arm_figures(arm: Arm, resamples: Resamples, seed: int) -> dict[str, Figure]:
    """Every figure of the arm, its seeds averaged."""
    found: dict[str, list[Figure]] = {}
    for run in arm.runs:
        for name, figure in named_figures(score(run, resamples=resamples)).items():
            found.setdefault(name, []).append(figure)
    return {name: average_seeds(mine, resamples, seed) for name, mine in found.items()}


def _against(
    arm: Arm,
    baseline: Mapping[str, Figure],
    mine: Mapping[str, Figure],
    left_out: Mapping[str, str],
    resamples: Resamples,
) -> Against:
    both = [name for name in baseline if name in mine]
    compared = {
        name: difference(
            name, baseline[name], mine[name], resamples, lower_is_better=is_better_low(name)
        )
        for name in both
    }
    primary = [name for name in PRIMARY_FIGURES.values() if name in compared]
    family = tuple(compared[name] for name in primary)
    return Against(
        arm=arm.name,
        seeds=_fewest_seeds(arm),
        family=family,
        others=tuple(one for name, one in compared.items() if name not in primary),
        mean_relative=undefined(family[0].gain.support, "a task is not compared")
        if family and any(name in left_out for name in PRIMARY_FIGURES.values())
        else mean_relative(family, resamples),
        shaky=tuple(
            one.name
            for one in family
            if one.baseline.value is not None and abs(one.baseline.value) < SHAKY_BASELINE
        ),
        not_compared=tuple(dict.fromkeys(left_out.values())),
    )


def mean_relative(family: Sequence[Difference], resamples: Resamples) -> Figure:
    """Mean of the relative gains, in percent; undefined where a task has none."""
    nobody = Support(slices=0, patients=0)
    studies = [one.relative.studies for one in family if one.relative.studies is not None]
    if not family or len(studies) < len(family):
        return undefined(nobody, "a task without a relative gain" if family else "no common task")
    patients = [one.relative.columns for one in family if one.relative.columns is not None]
    return conclude(
        np.mean(studies, axis=0),
        np.unique(np.concatenate(patients)),
        resamples,
        support=family[0].gain.support,
        reason="undefined",
    )


def _corrected(against: Sequence[Against]) -> tuple[Against, ...]:
    """With p-values corrected over the families of all arms together."""
    asked = [one.p for arm in against for one in arm.family if one.p is not None]
    answers = iter(holm(asked))
    return tuple(
        replace(
            arm,
            family=tuple(
                one if one.p is None else replace(one, p_holm=next(answers)) for one in arm.family
            ),
        )
        for arm in against
    )


def _ranks(
    arms: Sequence[Arm], means: Sequence[Mapping[str, Figure]]
) -> tuple[tuple[str, float], ...]:
    """Mean rank over the primary figures that every arm has; empty where there is none."""
    ranks: list[list[float]] = []
    for name in PRIMARY_FIGURES.values():
        values = [mine[name].value for mine in means if name in mine]
        known = [value for value in values if value is not None]
        if len(known) < len(arms):
            continue
        turned = np.array(known) * (1 if is_better_low(name) else -1)
        # Ties share their mean rank.
        ranks.append([float((turned < v).sum() + ((turned == v).sum() + 1) / 2) for v in turned])
    if not ranks:
        return ()
    return tuple(
        (arm.name, float(rank)) for arm, rank in zip(arms, np.mean(ranks, axis=0), strict=True)
    )


def _fewest_seeds(arm: Arm) -> int:
    return min(sum(task in run.tasks for run in arm.runs) for task in arm.tasks or tuple(Task))
