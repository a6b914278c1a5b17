"""Table 2: one encoder against the other, on the runs of Table 1."""

from __future__ import annotations

from tetract.reproduce.arm import MODES, Pair, Part, paper_arm, plain_name
from tetract.reproduce.basis import Basis
from tetract.reproduce.profile import COMBINATIONS


def part(basis: Basis) -> Part:
    """Each combination of tasks, paired."""
    first, *others = basis.profile.encoders
    return Part(
        key="T2",
        title="Backbones",
        about=f"Is another trunk better than {first} at the same tasks? Same runs as T1.",
        arms=tuple(
            paper_arm(tasks, encoder, mode)
            for encoder in basis.profile.encoders
            for tasks in COMBINATIONS
            for mode in MODES
        ),
        table=False,
        pairs=tuple(
            Pair(
                label=f"{tasks} {mode}: {other} against {first}",
                baseline=(plain_name(tasks, first, mode),),
                arm=(plain_name(tasks, other, mode),),
            )
            for other in others
            for mode in MODES
            for tasks in COMBINATIONS
        ),
    )
