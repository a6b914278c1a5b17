"""Table 3: segmentation losses."""

from __future__ import annotations

from tetract.reproduce.arm import Pair, Part
from tetract.reproduce.basis import Basis
from tetract.reproduce.trunk import trunk_arm

OURS = "dice_bce"


def part(basis: Basis) -> Part:
    """Each loss with each of the paper's combinations that segment."""
    profile = basis.profile
    arms = {
        (tasks, loss): trunk_arm(basis.trunk, tasks, loss, changes={"segmentation.loss": loss})
        for tasks in profile.loss_tasks
        for loss in profile.losses
    }
    return Part(
        key="T3",
        title="Segmentation losses",
        about=f"Does another loss outline lesions better than ours, {OURS}? generalized_dice is "
        "the paper's. All else is our recipe.",
        arms=tuple(arms.values()),
        pairs=tuple(
            Pair(
                label=f"{tasks}: {loss} against {OURS}",
                baseline=(arms[tasks, OURS].name,),
                arm=(arm.name,),
            )
            for (tasks, loss), arm in arms.items()
            if loss != OURS
        ),
    )
