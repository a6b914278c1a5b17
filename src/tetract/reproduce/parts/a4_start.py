"""Table A4: what the encoder starts from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from tetract.reproduce.arm import Arm, Pair, Part, Settings, Size, paper_arm
from tetract.reproduce.basis import Basis
from tetract.reproduce.trunk import (
    FROZEN,
    LITE0,
    PUBLISHED,
    Trunk,
    absent,
    from_scratch,
    trunk_arm,
)

TASKS: Final = "CSRD"


def part(basis: Basis) -> Part:
    """From scratch, from a stage of reconstruction, and from the weights that are installed."""
    trunk, steps = from_scratch(basis.profile.small), basis.profile.sizes["short"].steps
    stage = trunk_arm(
        trunk,
        TASKS,
        f"{steps} steps of reconstruction first",
        changes={"run.pretrain_steps": steps},
    )
    tried = _tried(basis.profile.small)
    sides = [(trunk_arm(trunk, TASKS), stage)]
    sides += [_sides(*tried[weights]) for weights in tried if weights in basis.weights]
    arms = {arm.name: arm for side in sides for arm in side}
    return Part(
        key="A4",
        title="What the encoder starts from",
        about="Default: random weights. Alternatives, each against the same encoder from scratch: "
        "a first stage that reconstructs every training slice, which doubles the slices seen; "
        "published weights, with the norm, input scale and window that they were trained with, so "
        "that those differ too (HED's have no norm, and meet ours). The same rates for all; large "
        "encoders on the smaller slices of T1.",
        arms=tuple(arms.values()),
        pairs=tuple(
            Pair(label=arm.name, baseline=(scratch.name,), arm=(arm.name,))
            for scratch, arm in sides
        ),
        missing=absent([weights for weights in tried if weights not in basis.weights]),
    )


def _tried(small: str) -> Mapping[str, tuple[Trunk, Size]]:
    """Published weights by name, in the encoder they are tried in, and how large its runs are."""
    window: Settings = {"data.window_hu": [-1000.0, 1000.0]}
    return {
        "imagenet": (_started(small, "imagenet", FROZEN), "short"),
        "hed": (_started("vgg13", "hed", {}), "small"),
        "astra": (_started("resnet50", "astra", {**FROZEN, **window}), "small"),
        PUBLISHED: (LITE0, "short"),
    }


def _started(encoder: str, weights: str, changes: Settings) -> Trunk:
    return Trunk(
        name=f"{encoder} {weights}",
        encoder=encoder,
        changes={"encoder.weights": weights, **changes},
    )


def _sides(started: Trunk, size: Size) -> tuple[Arm, Arm]:
    """The encoder from scratch, and from the weights."""
    arm = trunk_arm(started, TASKS, size=size)
    if size == "small":
        return paper_arm(TASKS, started.encoder, "tetract"), arm
    return trunk_arm(from_scratch(started.encoder), TASKS), arm
