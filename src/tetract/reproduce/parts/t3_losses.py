"""Table 3: segmentation losses."""

from __future__ import annotations

from tetract.reproduce.arm import Arm, Pair, Part
from tetract.reproduce.basis import Basis

OURS = "dice_bce"


def part(basis: Basis) -> Part:
    """Each loss with each of the paper's combinations that segment."""
    profile = basis.profile
    return Part(
        key="T3",
        title="Segmentation losses",
        about=f"Does another loss outline lesions better than ours, {OURS}? generalized_dice is "
        "the paper's. All else is our recipe.",
        arms=tuple(
            _arm(tasks, loss, profile.small)
            for tasks in profile.loss_tasks
            for loss in profile.losses
        ),
        pairs=tuple(
            Pair(
                label=f"{tasks}: {loss} against {OURS}",
                baseline=(_name(tasks, OURS),),
                arm=(_name(tasks, loss),),
            )
            for tasks in profile.loss_tasks
            for loss in profile.losses
            if loss != OURS
        ),
    )


def _arm(tasks: str, loss: str, encoder: str) -> Arm:
    return Arm(
        name=_name(tasks, loss), tasks=tasks, encoder=encoder, changes={"segmentation.loss": loss}
    )


def _name(tasks: str, loss: str) -> str:
    return f"{tasks} {loss}"
