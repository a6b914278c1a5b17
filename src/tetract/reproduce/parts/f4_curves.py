"""Figure 4: how the two encoders learn CR and SR."""

from __future__ import annotations

from tetract.reproduce.arm import MODES, Chart, Part, paper_arm, plain_name
from tetract.reproduce.basis import Basis

COMPARED = ("CR", "SR")
_LOSS = {"C": "classification", "S": "segmentation", "R": "reconstruction"}


def part(basis: Basis) -> Part:
    """Training losses of CR and SR with each encoder, on the runs of Table 1."""
    encoders = basis.profile.encoders
    return Part(
        key="F4",
        title="Backbones, learning curves",
        about=f"Which of {' and '.join(encoders)} learns CR and SR faster? The paired test scores "
        "are in T2.",
        arms=tuple(
            paper_arm(tasks, encoder, mode)
            for tasks in COMPARED
            for encoder in encoders
            for mode in MODES
        ),
        charts=tuple(
            Chart(
                title=f"{tasks}, {mode}: loss of {_LOSS[letter]}",
                lines=tuple(
                    (encoder, plain_name(tasks, encoder, mode), f"train/loss/{_LOSS[letter]}")
                    for encoder in encoders
                ),
            )
            for mode in MODES
            for tasks in COMPARED
            for letter in tasks
        ),
    )
