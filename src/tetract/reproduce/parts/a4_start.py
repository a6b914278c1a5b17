"""Table A4: what the encoder starts from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from tetract.reproduce.arm import Arm, Pair, Part, Settings, Size, paper_arm
from tetract.reproduce.basis import Basis
from tetract.reproduce.trunk import LITE0, PUBLISHED, Trunk, from_scratch, trunk_arm

TASKS: Final = "CSRD"
# Weights that come with BatchNorm keep it, its statistics measured anew on training slices.
_MEASURED: Final[Settings] = {"encoder.norm": "frozen", "run.reestimate_norm": 128}


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """Published weights.

    Attributes:
        name: As in ``encoder.weights``.
        encoder: That they are tried in; None: the profile's small one.
        changes: What goes with them.
        size: Of their runs.
    """

    name: str
    encoder: str | None = None
    changes: Settings
    size: Size = "short"


KNOWN: Final = (
    Known(name="imagenet", changes=_MEASURED),
    Known(name="hed", encoder="vgg13", changes={}, size="small"),
    Known(
        name="astra",
        encoder="resnet50",
        changes={**_MEASURED, "data.window_hu": [-1000.0, 1000.0]},
        size="small",
    ),
    Known(name=PUBLISHED, encoder=LITE0.encoder, changes=LITE0.changes),
)


def part(basis: Basis) -> Part:
    """From scratch, from a stage of reconstruction, and from the weights that are installed."""
    trunk, steps = from_scratch(basis.profile.small), basis.profile.steps("short")
    stage = trunk_arm(
        trunk,
        TASKS,
        f"{steps} steps of reconstruction first",
        changes={"run.pretrain_steps": steps},
    )
    there = [one for one in KNOWN if one.name in basis.weights]
    gone = [one.name for one in KNOWN if one.name not in basis.weights]
    sides = [(trunk_arm(trunk, TASKS), stage), *(_sides(basis, one) for one in there)]
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
        missing=f"weights that are not on this machine: {', '.join(gone)} "
        "(docs/how-to/start-from-weights.md)"
        if gone
        else "",
    )


def _sides(basis: Basis, known: Known) -> tuple[Arm, Arm]:
    """The encoder from scratch, and from the weights."""
    encoder = known.encoder or basis.profile.small
    started = Trunk(
        name=known.name if known.name == LITE0.name else f"{encoder} {known.name}",
        encoder=encoder,
        changes={"encoder.weights": known.name, **known.changes},
    )
    arm = trunk_arm(started, TASKS, size=known.size)
    if known.size == "small":
        return paper_arm(TASKS, encoder, "tetract"), arm
    return trunk_arm(from_scratch(encoder), TASKS), arm
