"""Table M1: one model with all tasks against one per task, and our recipe against the paper's."""

from __future__ import annotations

from tetract.reproduce.arm import Arm, Mode, Pair, Part, Settings
from tetract.reproduce.basis import Basis

ALL = "CSRD"


def part(basis: Basis) -> Part:
    """Multi-task against its single-task twins, and against the paper's multi-task model."""
    quarter = max(1, basis.profile.long_steps("tetract") // len(ALL))
    few: Settings = {"run.steps": quarter, "run.validate_every": quarter}
    joint, paper = _arm(basis, ALL), _arm(basis, ALL, "as_paper")
    whole = [_arm(basis, task) for task in ALL]
    short = [_arm(basis, task, words=", a quarter", changes=few) for task in ALL]
    return Part(
        key="M1",
        title="One model against four",
        about="Does a task gain from the others, and does our recipe gain on the paper's form? "
        f"All with {basis.profile.small}, on slices and with steps as large as the profile "
        "affords. Twins are single-task models of the same recipe, all of whose rows are labelled "
        "for their task. Same passes in all: each of the four takes a quarter of the steps, so "
        "that together they see as many slices as the one model. Same passes each: every twin "
        "takes all the steps, so that together they see, and cost, four times as much.",
        arms=(joint, *short, *whole, paper),
        pairs=tuple(
            Pair(label=label, baseline=tuple(arm.name for arm in arms), arm=(joint.name,))
            for label, arms in (
                (f"{ALL} against single tasks, same passes in all", short),
                (f"{ALL} against single tasks, same passes each", whole),
                (f"{ALL}, tetract against as_paper", [paper]),
            )
        ),
    )


def _arm(
    basis: Basis,
    tasks: str,
    mode: Mode = "tetract",
    *,
    words: str = "",
    changes: Settings | None = None,
) -> Arm:
    encoder = basis.profile.small
    return Arm(
        name=f"{tasks} {encoder} {mode}, long{words}",
        tasks=tasks,
        encoder=encoder,
        mode=mode,
        changes=changes or {},
        headline=True,
        long=True,
    )
