"""Tables become arms, arms become runs, and the same run is trained once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from tetract.recipe import Recipe
from tetract.reproduce.arm import Arm, Part
from tetract.reproduce.basis import Basis
from tetract.reproduce.recipes import recipe_of, run_name


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One training.

    Attributes:
        name: Of its folder, from what it is.
        letters: Its tasks.
        recipe: What is trained, complete.
        start: The run whose last weights it starts from.
        without: The source that its data set keeps for testing.
    """

    name: str
    letters: str
    recipe: Recipe
    start: str | None = None
    without: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is to be done.

    Attributes:
        basis: Profile and data set.
        parts: Tables and figures, without what the data set cannot teach.
        runs: By name; a run stands behind the one that it starts from.
        of_arm: Names of an arm's runs, by name of the arm.
        left_out: What the data set cannot teach and this machine does not have, one line each.
    """

    basis: Basis
    parts: tuple[Part, ...]
    runs: Mapping[str, Run]
    of_arm: Mapping[str, tuple[str, ...]]
    left_out: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Where:
    """Folders and hashes a plan needs.

    Attributes:
        out: The folder of the reproduction.
        data: The data set, and under a source's name the one that leaves it out.
        hashes: Of the same data sets.
    """

    out: Path
    data: Mapping[str | None, Path]
    hashes: Mapping[str | None, str]

    @property
    def runs(self) -> Path:
        """Folder of all runs."""
        return self.out / "runs"


def make_plan(
    parts: Sequence[Part], basis: Basis, where: Where, *, seeds: int | None = None
) -> Plan:
    """Every run that ``parts`` need, once.

    Args:
        parts: The tables and figures asked for.
        basis: Profile and data set.
        where: Folders.
        seeds: Runs of each arm, instead of the profile's numbers.
    """
    kept: list[Part] = []
    left_out: list[str] = []
    for part in parts:
        fitting, why = _taught(part, basis)
        left_out += why
        if fitting is not None:
            if fitting.arms:
                kept.append(fitting)
            if fitting.missing:
                left_out.append(f"{part.key} {part.title}: rows left out, {fitting.missing}")
    arms: dict[str, Arm] = {}
    for arm in (arm for part in kept for arm in part.arms):
        # A headline anywhere is a headline everywhere.
        known = arms.get(arm.name, arm)
        arms[arm.name] = replace(arm, headline=arm.headline or known.headline)
    runs: dict[str, Run] = {}
    of_arm = {
        name: tuple(
            _add(runs, arm, seed, basis, where) for seed in range(_seeds(arm, basis, seeds))
        )
        for name, arm in arms.items()
    }
    return Plan(basis=basis, parts=tuple(kept), runs=runs, of_arm=of_arm, left_out=tuple(left_out))


def _seeds(arm: Arm, basis: Basis, asked: int | None) -> int:
    profile = basis.profile
    return asked or (profile.headline_seeds if arm.headline else profile.seeds)


def _add(runs: dict[str, Run], arm: Arm, seed: int, basis: Basis, where: Where) -> str:
    """The run of this arm and seed, behind the one that it starts from."""
    start = None if arm.start is None else _add(runs, arm.start, seed, basis, where)
    data = where.data[arm.without]
    recipe = recipe_of(arm, seed, basis.profile, data=data, cache=where.out / "cache")
    name = run_name(recipe, arm.tasks, data=where.hashes[arm.without], start=start)
    begin = None if start is None else where.runs / start / "last"
    run = recipe.run.model_copy(update={"folder": where.runs / name, "init_from": begin})
    if run.validate_every == run.steps:
        # A curve of one point, of weights that are scored all the same.
        run = run.model_copy(update={"validate_every": 0})
    recipe = recipe.model_copy(update={"name": name, "run": run})
    runs.setdefault(
        name, Run(name=name, letters=arm.tasks, recipe=recipe, start=start, without=arm.without)
    )
    return name


def _taught(part: Part, basis: Basis) -> tuple[Part | None, list[str]]:
    """The part without arms that the data set has no labels for, and what was left out."""
    known = {arm.name for arm in part.arms if set(arm.tasks) <= basis.taught}
    if len(known) == len(part.arms):
        return part, []
    missing = sorted({letter for arm in part.arms for letter in arm.tasks} - basis.taught)
    told = f"no training row is labelled for {', '.join(missing)}"
    fitting = replace(
        part,
        arms=tuple(arm for arm in part.arms if arm.name in known),
        pairs=tuple(p for p in part.pairs if {*p.baseline, *p.arm} <= known),
        charts=tuple(c for c in part.charts if {name for _, name, _ in c.lines} <= known),
    )
    if not (fitting.arms and (fitting.table or fitting.pairs or fitting.charts)):
        return None, [f"{part.key} {part.title}: left out, {told}"]
    gone = len(part.arms) - len(known)
    return fitting, [f"{part.key} {part.title}: {gone} of {len(part.arms)} rows left out, {told}"]
