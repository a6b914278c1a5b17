"""How far the answers about a slice or a study may be trusted."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Doubt(StrEnum):
    """Why a reader should look himself.

    UNDECIDED: not exactly one class is compatible with the stated coverage.
    DISAGREEMENT: box, mask and class disagree about a lesion more than on validation slices.
    UNLIKE_VALIDATION: hidden patches are inferred unlike those of validation slices.
    """

    UNDECIDED = "undecided"
    DISAGREEMENT = "disagreement"
    UNLIKE_VALIDATION = "unlike_validation"


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What a calibrated model says about its own answers.

    Attributes:
        evidence: Probability that a lesion is present, by each arm that can say so.
        agreement: 1 minus the range of ``evidence``, in [0, 1]; None where fewer than two speak.
        class_set: The classes that cannot be ruled out at the stated coverage; None where too
            few patients were there to state one, and for studies.
        doubts: In the order of ``Doubt``; empty: none of the doubts that could be raised.
        unchecked: Doubts that could not be raised, since nothing was promised about them.
    """

    evidence: dict[str, float]
    agreement: float | None
    class_set: tuple[str, ...] | None
    doubts: tuple[Doubt, ...]
    unchecked: tuple[Doubt, ...]

    @property
    def abstain(self) -> bool | None:
        """Whether the slice should be left to a reader; None where no doubt could be raised."""
        if not self.doubts and set(self.unchecked) == set(Doubt):
            return None
        return bool(self.doubts)
