"""Table A2: how maps are normalised."""

from __future__ import annotations

from typing import Final

from tetract.reproduce.arm import Pair, Part
from tetract.reproduce.basis import Basis
from tetract.reproduce.trunk import LITE0, from_scratch, other_norm, trunk_arm

TASKS: Final = "CSRD"


def part(basis: Basis) -> Part:
    """GroupNorm from scratch against live BatchNorm; live from published weights against frozen."""
    trunks = [from_scratch(basis.profile.small), *([LITE0] if basis.trunk is LITE0 else [])]
    sides = [
        (trunk_arm(trunk, TASKS), trunk_arm(trunk, TASKS, words, changes=changes))
        for trunk, (words, changes) in ((one, other_norm(one)) for one in trunks)
    ]
    return Part(
        key="A2",
        title="Normalisation",
        about="Default: GroupNorm from random weights; from published ones their BatchNorm, whose "
        "live statistics mix sources and hidden slices. Alternatives: live BatchNorm from random "
        "weights too; the published one's statistics measured anew on training slices and frozen.",
        arms=tuple(arm for side in sides for arm in side),
        pairs=tuple(
            Pair(label=other.name, baseline=(default.name,), arm=(other.name,))
            for default, other in sides
        ),
    )
