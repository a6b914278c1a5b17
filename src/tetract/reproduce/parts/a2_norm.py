"""Table A2: how maps are normalised."""

from __future__ import annotations

from typing import Final

from tetract.reproduce.arm import Pair, Part, Settings
from tetract.reproduce.basis import Basis
from tetract.reproduce.trunk import LITE0, from_scratch, trunk_arm

TASKS: Final = "CSRD"
_LIVE: Final[Settings] = {"encoder.norm": "batch", "run.reestimate_norm": 0}


def part(basis: Basis) -> Part:
    """GroupNorm from scratch, frozen BatchNorm from published weights, each against a live one."""
    trunks = [from_scratch(basis.profile.small)]
    if basis.trunk is LITE0:
        trunks.append(LITE0)
    sides = [
        (trunk_arm(one, TASKS), trunk_arm(one, TASKS, "live BatchNorm", changes=_LIVE))
        for one in trunks
    ]
    return Part(
        key="A2",
        title="Normalisation",
        about="Default: GroupNorm from random weights; from published ones their BatchNorm, "
        "measured anew on training slices and frozen. Alternative: BatchNorm with live statistics "
        "in the encoder, which mixes sources and tasks.",
        arms=tuple(arm for side in sides for arm in side),
        pairs=tuple(
            Pair(label=live.name, baseline=(default.name,), arm=(live.name,))
            for default, live in sides
        ),
    )
