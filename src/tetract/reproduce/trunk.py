"""The encoder that our own tables are made with, and what it starts from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from tetract.reproduce.arm import Arm, Mode, Settings, Size

PUBLISHED: Final = "lite0"
"""The published weights that are quick to train on two cores, as in ``encoder.weights``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trunk:
    """An encoder and its start.

    Attributes:
        name: For tables.
        encoder: As in ``encoder.name``.
        changes: What goes with its weights.
    """

    name: str
    encoder: str
    changes: Settings = field(default_factory=dict[str, object])


_LIVE: Final[Settings] = {"encoder.norm": "batch"}
# BatchNorm that keeps its statistics, measured anew on training slices.
FROZEN: Final[Settings] = {"encoder.norm": "frozen", "run.reestimate_norm": 128}
# Its BatchNorm stays live: frozen, its classes were hardly learnt (table A2).
LITE0: Final = Trunk(
    name=PUBLISHED,
    encoder="tu-tf_efficientnet_lite0",
    changes={"encoder.weights": PUBLISHED, **_LIVE},
)


def absent(weights: Sequence[str]) -> str:
    """Why arms are left out that start from these published weights; "" where there are none."""
    if not weights:
        return ""
    named = ", ".join(weights)
    return f"weights that are not on this machine: {named} (docs/how-to/start-from-weights.md)"


def from_scratch(encoder: str) -> Trunk:
    """An encoder with random weights."""
    return Trunk(name=encoder, encoder=encoder)


def other_norm(trunk: Trunk) -> tuple[str, Settings]:
    """What else its maps could be normalised by: a name and settings."""
    return ("frozen BatchNorm", FROZEN) if trunk is LITE0 else ("live BatchNorm", _LIVE)


def trunk_arm(
    trunk: Trunk,
    tasks: str,
    words: str = "",
    *,
    changes: Settings | None = None,
    mode: Mode = "tetract",
    size: Size = "short",
    headline: bool = False,
) -> Arm:
    """An arm with this trunk, named ``CSRD lite0, words``.

    Args:
        trunk: Encoder and start.
        tasks: Its heads.
        words: What else is special.
        changes: The settings of that.
        mode: Ours, or the paper's form.
        size: Slices and steps.
        headline: Whether it gets the larger number of seeds.
    """
    paper = " as_paper" * (mode == "as_paper")
    return Arm(
        name=f"{tasks} {trunk.name}{paper}{', ' * bool(words)}{words}",
        tasks=tasks,
        encoder=trunk.encoder,
        mode=mode,
        changes={**trunk.changes, **(changes or {})},
        headline=headline,
        size=size,
    )
