"""Table 1: task combinations, in our recipe and in the paper's form."""

from __future__ import annotations

from tetract.reproduce.arm import MODES, Pair, Part, paper_arm, plain_name
from tetract.reproduce.basis import Basis
from tetract.reproduce.profile import COMBINATIONS


def part(basis: Basis) -> Part:
    """Every combination with every encoder, both ways."""
    encoders = basis.profile.encoders
    return Part(
        key="T1",
        title="Task combinations",
        about="Which tasks help each other? Letters: C classification, S segmentation, R "
        "reconstruction, D detection. Compared below: our recipe against the paper's form of the "
        "same tasks and encoder, with the same steps and batch.",
        arms=tuple(
            paper_arm(tasks, encoder, mode)
            for encoder in encoders
            for tasks in COMBINATIONS
            for mode in MODES
        ),
        pairs=tuple(
            Pair(
                label=f"{tasks} {encoder}: tetract against as_paper",
                baseline=(plain_name(tasks, encoder, "as_paper"),),
                arm=(plain_name(tasks, encoder, "tetract"),),
            )
            for encoder in encoders
            for tasks in COMBINATIONS
        ),
    )
