"""Table A2: how maps are normalised."""

from __future__ import annotations

from typing import Final

from tetract.reproduce.arm import Pair, Part, Settings
from tetract.reproduce.basis import Basis
from tetract.reproduce.trunk import FROZEN, LITE0, Trunk, from_scratch, trunk_arm

TASKS: Final = "CSRD"
_LIVE: Final[Settings] = {"encoder.norm": "batch"}


def part(basis: Basis) -> Part:
    """GroupNorm from scratch against live BatchNorm; live from published weights against frozen."""
    scratch = from_scratch(basis.profile.small)
    others: list[tuple[Trunk, str, Settings]] = [(scratch, "live BatchNorm", _LIVE)]
    if basis.trunk is LITE0:
        others.append((LITE0, "frozen BatchNorm", FROZEN))
    sides = [
        (trunk_arm(trunk, TASKS), trunk_arm(trunk, TASKS, words, changes=changes))
        for trunk, words, changes in others
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
