"""Table M1: one model with all tasks against one model per task."""

from __future__ import annotations

from tetract.reproduce.arm import MODES, Pair, Part, arm_of, plain_name
from tetract.reproduce.basis import Basis

ALL = "CSRD"


def part(basis: Basis) -> Part:
    """Multi-task against its single-task twins, in both modes."""
    encoder = basis.profile.encoders[0]
    return Part(
        key="M1",
        title="One model against four",
        about="Does a task gain from the others? Twins: the same recipe, encoder, steps and batch "
        "with one task each. So a twin sees its own task's slices in every row of a batch, and the "
        "four together see four times as many slices as the one model.",
        arms=tuple(
            arm_of(tasks, encoder, mode, headline=True) for mode in MODES for tasks in (ALL, *ALL)
        ),
        table=False,
        pairs=tuple(
            Pair(
                label=f"{mode}: {ALL} against single tasks",
                baseline=tuple(plain_name(tasks, encoder, mode) for tasks in ALL),
                arm=(plain_name(ALL, encoder, mode),),
            )
            for mode in MODES
        ),
    )
