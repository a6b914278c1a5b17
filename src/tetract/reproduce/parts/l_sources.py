"""Tables L1, L2, ...: one source is never trained on, and tested on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from tetract.reproduce.arm import Pair, Part, Settings
from tetract.reproduce.basis import Basis, Left
from tetract.reproduce.parts.ablations import OTHER_HOSPITALS
from tetract.reproduce.trunk import other_norm, trunk_arm


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
    helped = tuple(
        replace(unseen, name=f"{unseen.name}, {words}", changes={**unseen.changes, **changes})
        for words, changes in _helps(basis).items()
    )
    both = sorted(left.shared.classes | left.shared.masks | left.shared.boxes)
    return Part(
        key=key,
        title=f"Never trained on {source}",
        about=f"How much is lost on a source that training never saw? Figures of {source} alone: "
        "first on its validation and test patients by a model that trained with its others, then "
        "on all of its slices by one that never saw it, as it is and with one thing more that may "
        "help: augmentation for other hospitals (A10), a first stage of reconstruction on the "
        "sources that are left, sources drawn alike instead of by the root of their size, and the "
        "other normalisation (A2). Those that never saw it are paired; the first is not, since "
        "its cases are others. "
        f"Labels both sides share: {', '.join(both)}.",
        arms=(known, unseen, *helped),
        pairs=tuple(
            Pair(label=one.name, baseline=(unseen.name,), arm=(one.name,)) for one in helped
        ),
        source=source,
    )


def _helps(basis: Basis) -> Mapping[str, Settings]:
    """What may close the gap, by name."""
    words, changes = other_norm(basis.trunk)
    return {
        "augmented for other hospitals": OTHER_HOSPITALS,
        "reconstruction first": {"run.pretrain_steps": basis.profile.sizes["short"].steps},
        "sources drawn alike": {"data.source_balance": "equal"},
        words: changes,
    }
