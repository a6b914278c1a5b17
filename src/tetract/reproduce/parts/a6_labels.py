"""Table A6: how few labels of a task will do, with and without the other tasks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from tetract.reproduce.arm import Arm, Pair, Part
from tetract.reproduce.basis import Basis
from tetract.reproduce.trunk import trunk_arm

ALL: Final = "CSRD"
# Boxes also come from masks, so few boxes mean few masks.
COLUMNS: Final[Mapping[str, tuple[str, ...]]] = {
    "C": ("class",),
    "S": ("mask",),
    "D": ("mask", "boxes"),
}


def part(basis: Basis) -> Part:
    """Each labelled task with some of its labels: alone, and in one model with the others."""
    shares = (*basis.profile.label_shares, 1.0)
    asked = [(task, share) for task in COLUMNS for share in shares]
    sides = {one: (_arm(basis, one[0], *one), _arm(basis, ALL, *one)) for one in asked}
    arms = {arm.name: arm for pair in sides.values() for arm in pair}
    return Part(
        key="A6",
        title="Few labels",
        about="Do the other tasks help where one has few labels? Of each source, the labels of a "
        "share of the training patients stay, the same ones for every arm (data.label_share; at "
        "least one patient of each kind). The model of all tasks keeps every label of the other "
        "columns. Few boxes mean few masks too, since masks give boxes; slices of a normal class "
        "go on saying that they hold no lesion.",
        arms=tuple(arms.values()),
        pairs=tuple(
            Pair(
                label=f"{task} at {share:.0%}: {ALL} against {task} alone",
                baseline=(alone.name,),
                arm=(joint.name,),
            )
            for (task, share), (alone, joint) in sides.items()
        ),
    )


def _arm(basis: Basis, tasks: str, taught: str, share: float) -> Arm:
    """``tasks`` with a share of the labels of the task ``taught``."""
    if share == 1.0:
        return trunk_arm(basis.trunk, tasks, headline=tasks == ALL)
    return trunk_arm(
        basis.trunk,
        tasks,
        f"{share:.0%} of the labels of {taught}",
        changes={"data.label_share": dict.fromkeys(COLUMNS[taught], share)},
    )
