"""Runs that are repeats of one experiment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tetract.errors import InputError
from tetract.evaluate.collect import Collected
from tetract.types import Task


@dataclass(frozen=True, slots=True, kw_only=True)
class Arm:
    """One way of training.

    Attributes:
        name: For tables.
        runs: What each run said about the same cases. Runs of the same tasks are repeats that
            differ by their seed; runs of other tasks stand side by side, as single-task models do.
    """

    name: str
    runs: tuple[Collected, ...]

    @property
    def tasks(self) -> tuple[Task, ...]:
        """All tasks that any of its runs has."""
        return tuple(task for task in Task if any(task in run.tasks for run in self.runs))


def group_into_arms(runs: Mapping[str, Collected]) -> tuple[Arm, ...]:
    """Runs whose recipes differ by seed and folder only become one arm, named after its first."""
    groups: dict[tuple[str, tuple[Task, ...]], list[str]] = {}
    for name, run in runs.items():
        # Without a hash of its recipe, a run is a repeat of nothing.
        groups.setdefault((run.setting.arm or name, run.tasks), []).append(name)
    return tuple(
        Arm(name=members[0], runs=tuple(runs[name] for name in members))
        for members in groups.values()
    )


def check_arms(arms: Sequence[Arm]) -> None:
    """Refuse arms that cannot be compared.

    Raises:
        InputError: ``E_ONE_ARM``, ``E_OTHER_CASES``, ``E_OTHER_LABELS``, ``E_MIXED_ARM``.
    """
    if len(arms) < 2:
        raise InputError(
            "E_ONE_ARM",
            "there is nothing to compare with",
            expected="runs of at least two experiments",
            found=f"{sum(len(arm.runs) for arm in arms)} runs of one",
            fix="Name a second run, or name the arms: a=RUN,RUN b=RUN",
        )
    first = arms[0].runs[0]
    for arm in arms:
        for run in arm.runs:
            _check_same_cases(arm.name, first, run)
        _check_repeats(arm)


def _check_same_cases(name: str, first: Collected, run: Collected) -> None:
    same = (run.setting.cases, run.setting.split) == (first.setting.cases, first.setting.split)
    if not same or not run.setting.cases:
        raise InputError(
            "E_OTHER_CASES",
            "a run was evaluated on other cases",
            where=name,
            expected=f"split {first.setting.split or 'unknown'}, data {_short(first)}",
            found=f"split {run.setting.split or 'unknown'}, data {_short(run)}",
            fix="Evaluate every run on the same split of the same data set",
        )
    if run.setting.labels != first.setting.labels:
        raise InputError(
            "E_OTHER_LABELS",
            "a run was scored against other labels of these cases",
            where=name,
            expected=f"labels {first.setting.labels[:12] or 'unknown'}",
            found=f"labels {run.setting.labels[:12] or 'unknown'}",
            fix="The data set has changed between the evaluations: evaluate every run again",
        )


def _check_repeats(arm: Arm) -> None:
    """For each set of tasks one recipe, each seed once."""
    recipes: dict[tuple[Task, ...], str] = {}
    seeds: set[tuple[tuple[Task, ...], int]] = set()
    for run in arm.runs:
        seed = run.setting.seed
        repeated = seed is not None and (run.tasks, seed) in seeds
        if recipes.setdefault(run.tasks, run.setting.arm) != run.setting.arm or repeated:
            raise InputError(
                "E_MIXED_ARM",
                "the runs of one arm are no repeats of each other",
                where=arm.name,
                expected="the same recipe with different seeds",
                found=f"seed {seed} twice" if repeated else "different recipes",
                fix="Put runs of different recipes into different arms",
            )
        if seed is not None:
            seeds.add((run.tasks, seed))


def _short(run: Collected) -> str:
    return run.setting.cases[:12] or "unknown"
