"""A reproduction from its command: plan it, train what is missing, write the page."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from tetract.data import DatasetFolder
from tetract.errors import InputError
from tetract.reproduce.basis import read_basis
from tetract.reproduce.estimate import guess, total_seconds
from tetract.reproduce.parts.all import all_parts, choose
from tetract.reproduce.place import (
    check_free,
    check_room,
    claim,
    lay_out,
    own_data,
    write_left_out,
)
from tetract.reproduce.plan import Plan, Run, Where, make_plan
from tetract.reproduce.pool import is_finished, train_all
from tetract.reproduce.profile import PROFILES, Profile
from tetract.reproduce.show.page import write_page


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """Everything that is known before the first run.

    Attributes:
        data: The data set.
        where: Folders.
        plan: Parts and runs.
        waiting: Runs that are not finished.
        guesses: Seconds of each of these, by name.
        jobs: Runs at a time.
        threads: CPU threads of each.
    """

    data: DatasetFolder
    where: Where
    plan: Plan
    waiting: tuple[Run, ...]
    guesses: Mapping[str, float]
    jobs: int
    threads: int

    def as_text(self) -> str:
        """The plan and how long it takes, for the screen."""
        basis = self.plan.basis
        lines = [
            f"Profile {basis.profile.name} on {self.data.card.name}: "
            f"{len(self.plan.runs)} runs, {len(self.waiting)} to do, {self.jobs} at a time with "
            f"{self.threads} thread(s) each"
        ]
        for part in self.plan.parts:
            names = {run for arm in part.arms for run in self.plan.of_arm[arm.name]}
            to_do = sum(run.name in names for run in self.waiting)
            lines.append(f"  {part.key:4s}{part.title}: {len(names)} runs, {to_do} to do")
        lines += [f"  {line}" for line in self.plan.left_out]
        minutes = total_seconds(self.waiting, self.plan, jobs=self.jobs, threads=self.threads) / 60
        lines.append(f"Estimate: about {minutes:.0f} min; it gets better as runs finish")
        return "\n".join(lines)


def prepare(
    profile: str,
    out: Path,
    *,
    data: Path | None = None,
    only: Sequence[str] = (),
    seeds: int | None = None,
    jobs: int | None = None,
) -> Work:
    """Plan everything; the only thing written is the phantom cohort of the smoke profile.

    Raises:
        InputError: ``E_NO_PROFILE``, ``E_NO_TABLE``, ``E_DATA_NEEDED``, ``E_OUT_NOT_EMPTY``.
        TetractError: Whatever is wrong with the data set.
    """
    size = _profile(profile)
    check_free(out)
    folder = own_data(out, size, data)
    basis = read_basis(size, folder)
    where = lay_out(out.absolute(), folder, basis.left)
    parts = choose(all_parts(basis), only)
    plan = make_plan(parts, basis, where, seeds=seeds)
    waiting = tuple(run for run in plan.runs.values() if not is_finished(run))
    count, threads = _share_cores(jobs, len(waiting))
    return Work(
        data=folder,
        where=where,
        plan=plan,
        waiting=waiting,
        guesses={run.name: guess(run, plan) for run in waiting},
        jobs=count,
        threads=threads,
    )


def train_missing(work: Work, tell: Callable[[str, str], None]) -> None:
    """Train and test what is not finished.

    Args:
        work: From ``prepare``.
        tell: Hears the name of each run that ended, and why it failed or "".

    Raises:
        InputError: ``E_OTHER_PLAN``.
        MachineError: ``E_DISK_FULL``.
        KeyboardInterrupt: After an orderly stop.
    """
    out = work.where.out
    claim(out, work.plan.basis.profile, work.data)
    if not work.waiting:
        return
    check_room(out, work.plan, work.waiting, jobs=work.jobs)
    write_left_out(work.where, work.data, work.waiting)
    train_all(
        work.waiting,
        jobs=work.jobs,
        threads=work.threads,
        logs=out / "logs",
        on_end=lambda run, error: tell(run.name, error),
    )


def finish(work: Work, *, command: str) -> Path:
    """Write the page of what is finished, and return its place."""
    return write_page(work.where.out, work.plan, command=command)


def _profile(name: str) -> Profile:
    if name not in PROFILES:
        raise InputError(
            "E_NO_PROFILE",
            "there is no such profile",
            where="--profile",
            expected=", ".join(PROFILES),
            found=name,
            fix="Name one of these",
        )
    return PROFILES[name]


def _share_cores(jobs: int | None, runs: int) -> tuple[int, int]:
    """How many runs at a time, and the threads of each: two small runs beat one with two."""
    cores = os.cpu_count() or 1
    wanted = jobs or (1 if torch.cuda.is_available() else cores)
    count = max(1, min(wanted, runs))
    return count, max(1, cores // count)
