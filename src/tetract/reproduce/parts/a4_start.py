"""Table A4: what the encoder starts from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from tetract.reproduce.arm import Arm, Pair, Part, Settings, arm_of
from tetract.reproduce.basis import Basis

TASKS: Final = "CSRD"
# Weights that come with BatchNorm keep it, its statistics measured anew on training slices.
_MEASURED: Final[Settings] = {"encoder.norm": "frozen", "run.reestimate_norm": 200}


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """Published weights.

    Attributes:
        name: As in ``encoder.weights``.
        encoder: That they are tried in; None: the profile's small one.
        changes: What goes with them.
    """

    name: str
    encoder: str | None = None
    changes: Settings


KNOWN: Final = (
    Known(name="imagenet", changes=_MEASURED),
    Known(name="hed", encoder="vgg13", changes={}),
    Known(
        name="astra",
        encoder="resnet50",
        changes={**_MEASURED, "data.window_hu": [-1000.0, 1000.0]},
    ),
    Known(name="lite0", encoder="tu-tf_efficientnet_lite0", changes=_MEASURED),
)


def part(basis: Basis) -> Part:
    """From scratch, from a stage of reconstruction, and from the weights that are installed."""
    small, steps = basis.profile.small, basis.profile.steps
    stage = Arm(
        name=f"{TASKS} {small}, {steps} steps of reconstruction first",
        tasks=TASKS,
        encoder=small,
        changes={"run.pretrain_steps": steps},
    )
    there = [one for one in KNOWN if one.name in basis.weights]
    gone = [one.name for one in KNOWN if one.name not in basis.weights]
    sides = [
        (_scratch(small), stage),
        *((_scratch(one.encoder or small), _arm(one, small)) for one in there),
    ]
    arms = {arm.name: arm for side in sides for arm in side}
    return Part(
        key="A4",
        title="What the encoder starts from",
        about="Default: random weights. Alternatives, each against the same encoder from scratch: "
        "a first stage that reconstructs every training slice, which doubles the slices seen; "
        "published weights, with the norm, input scale and window that they were trained with, so "
        "that those differ too (HED's have no norm, and meet ours). The same rates for all.",
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


def _scratch(encoder: str) -> Arm:
    return arm_of(TASKS, encoder, "tetract")


def _arm(known: Known, small: str) -> Arm:
    encoder = known.encoder or small
    return Arm(
        name=f"{TASKS} {encoder}, weights {known.name}",
        tasks=TASKS,
        encoder=encoder,
        changes={"encoder.weights": known.name, **known.changes},
    )
