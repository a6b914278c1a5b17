"""Tables M1 and M2: one model with all tasks against one per task, and ours against the paper's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from tetract.reproduce.arm import Arm, Mode, Pair, Part, Settings, Size
from tetract.reproduce.basis import Basis
from tetract.reproduce.trunk import LITE0, PUBLISHED, Trunk, absent, from_scratch, trunk_arm

ALL: Final = "CSRD"
_ABOUT: Final = (
    "Twins are single-task models of the same recipe, all of whose rows are labelled for their "
    "task. Same passes in all: each of the four takes a quarter of the steps, so that together "
    "they see as many slices as the one model. Same passes each: every twin takes all the steps, "
    "so that together they see, and cost, four times as much."
)


def scratch_part(basis: Basis) -> Part:
    """From random weights."""
    # Where M2 can be made the claims rest on it, and this is its shorter companion.
    size: Size = "short" if basis.trunk is LITE0 else "long"
    arms, pairs = _held_together(basis, from_scratch(basis.profile.small), size)
    return Part(
        key="M1",
        title="One model against four",
        about="Does a task gain from the others, and does our recipe gain on the paper's form? "
        f"All with {basis.profile.small}, from random weights. {_ABOUT}",
        arms=arms,
        pairs=pairs,
    )


def published_part(basis: Basis) -> Part:
    """From a trunk that has seen photographs; left out where its weights are absent."""
    arms, pairs = _held_together(basis, LITE0, "long")
    part = Part(
        key="M2",
        title="One model against four, from published weights",
        about="As M1, with an EfficientNet-Lite0 of ImageNet and its BatchNorm, on slices and with "
        "steps as large as the profile affords. The paper's form starts from random weights and "
        f"has a {basis.profile.small}, so those differ too. {_ABOUT}",
        arms=arms,
        pairs=pairs,
    )
    if PUBLISHED in basis.weights:
        return part
    return replace(part, arms=(), pairs=(), missing=absent([PUBLISHED]))


def _held_together(
    basis: Basis, trunk: Trunk, size: Size
) -> tuple[tuple[Arm, ...], tuple[Pair, ...]]:
    """The one model, its twins with a quarter of the steps and with all, and the paper's form."""

    def arm(
        tasks: str, more: str = "", changes: Settings | None = None, mode: Mode = "tetract"
    ) -> Arm:
        return trunk_arm(
            trunk if mode == "tetract" else from_scratch(basis.profile.small),
            tasks,
            "long" * (size == "long") + more,
            changes=changes,
            mode=mode,
            size=size,
            headline=size == "long",
        )

    quarter = max(1, basis.profile.sizes[size].steps // len(ALL))
    few: Settings = {"run.steps": quarter, "run.validate_every": quarter}
    joint, paper = arm(ALL), arm(ALL, mode="as_paper")
    short = [arm(task, ", a quarter", few) for task in ALL]
    whole = [arm(task) for task in ALL]
    return (joint, *short, *whole, paper), (
        _pair(f"{ALL} against single tasks, same passes in all", short, joint),
        _pair(f"{ALL} against single tasks, same passes each", whole, joint),
        _pair(f"{ALL}, tetract against as_paper", [paper], joint),
    )


def _pair(label: str, baseline: Sequence[Arm], arm: Arm) -> Pair:
    return Pair(label=label, baseline=tuple(one.name for one in baseline), arm=(arm.name,))
