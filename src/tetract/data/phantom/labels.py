"""Which of a phantom's labels are told: a training set as incomplete as real ones are.

Labels are dealt like cards, from one deck per kind of slice, so that what is told depends neither
on what a slice shows nor on its scanner. Validation and test slices are fully labelled.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from tetract.data.phantom.patient import Finding, PhantomConfig, PhantomPatient

LUNG: Final = "lung"
MASK_CLASSES: Final = (LUNG, "nodule", "ground_glass")


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What the table says about one slice; the rest is unknown.

    Attributes:
        label: Whether its class is told.
        masks: The mask classes that are told, present or empty.
        boxes: Whether its boxes are told, present or empty.
    """

    label: bool = False
    masks: tuple[str, ...] = ()
    boxes: bool = False


EVERYTHING: Final = Told(label=True, masks=MASK_CLASSES, boxes=True)

# Twenty cards: a fifth of the slices has no label at all; every label is told of some slices only.
DECK: Final = (
    *(4 * [Told()]),
    *(2 * [Told(label=True)]),
    *(2 * [Told(boxes=True)]),
    Told(masks=MASK_CLASSES),
    *(Told(masks=(name,)) for name in MASK_CLASSES),
    *(2 * [Told(label=True, boxes=True)]),
    *(2 * [Told(label=True, masks=MASK_CLASSES)]),
    *(4 * [EVERYTHING]),
)


def deal_labels(
    config: PhantomConfig, patients: Sequence[PhantomPatient]
) -> tuple[tuple[Told, ...], ...]:
    """What is told of each slice of each patient.

    Args:
        config: Gives the seed.
        patients: The cohort, in order.

    Returns:
        One tuple per patient with one entry per slice.
    """
    rng = np.random.default_rng(np.random.SeedSequence([config.seed, 2_000_003]))
    decks: dict[Finding, list[Told]] = {finding: [] for finding in Finding}
    dealt: list[tuple[Told, ...]] = []
    for patient in patients:
        if patient.role.split != "train":
            dealt.append((EVERYTHING,) * patient.volume.depth)
            continue
        told: list[Told] = []
        for finding in patient.classes:
            if not decks[finding]:
                decks[finding] = [DECK[i] for i in rng.permutation(len(DECK))]
            told.append(decks[finding].pop())
        dealt.append(tuple(told))
    return tuple(dealt)
