"""Tables L1, L2, ...: one source is never trained on, and tested on."""

from __future__ import annotations

from dataclasses import replace

from tetract.reproduce.arm import Part, Settings
from tetract.reproduce.basis import Basis, Left
from tetract.reproduce.parts.ablations import OTHER_HOSPITALS
from tetract.reproduce.trunk import trunk_arm


def parts(basis: Basis) -> tuple[Part, ...]:
    """One table per source that others share labels with."""
    return tuple(_part(basis, left, f"L{n}") for n, left in enumerate(basis.left, start=1))


def _part(basis: Basis, left: Left, key: str) -> Part:
    trunk, source = basis.trunk, left.source
    tasks = "".join(letter for letter in "CSRD" if letter in left.labels.tasks)
    known = trunk_arm(trunk, tasks)
    taught: Settings = {
        "classes": sorted(left.labels.classes) if "C" in tasks else [],
        "mask_classes": sorted(left.labels.masks),
        "box_classes": sorted(left.labels.boxes),
    }
    unseen = trunk_arm(trunk, tasks, f"never trained on {source}", changes=taught)
    unseen = replace(unseen, without=source)
    wider = replace(
        unseen,
        name=f"{unseen.name}, augmented for other hospitals",
        changes={**unseen.changes, **OTHER_HOSPITALS},
    )
    both = sorted(left.shared.classes | left.shared.masks | left.shared.boxes)
    return Part(
        key=key,
        title=f"Never trained on {source}",
        about=f"How much is lost on a source that training never saw? Figures of {source} alone: "
        "first on its validation and test patients by a model that trained with its others, then "
        "on all of its slices by one that never saw it, without and with augmentation for other "
        "hospitals (A10). The cases differ, so this is no paired test. "
        f"Labels both sides share: {', '.join(both)}.",
        arms=(known, unseen, wider),
        source=source,
    )
