"""The nouns of a plan: a way of training, and a table or figure made from several."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from tetract.types import Task

Mode = Literal["tetract", "as_paper"]
MODES: tuple[Mode, ...] = ("tetract", "as_paper")
Size = Literal["small", "short", "long"]
"""How much a run may cost: of the paper's large trunks, of most of ours, and of those that claims
rest on. A profile says what each means, and may make them the same."""
Settings = Mapping[str, object]
"""Settings of a recipe by dotted key, such as ``segmentation.loss``."""

_LETTERS = {
    "C": Task.CLASSIFICATION,
    "S": Task.SEGMENTATION,
    "R": Task.RECONSTRUCTION,
    "D": Task.DETECTION,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Arm:
    """One way of training; its runs differ by their seed only.

    Attributes:
        name: For tables; the same name means the same settings throughout a plan.
        tasks: Heads, as the paper's letters: C, S, R, D in this order.
        encoder: Name of the trunk.
        mode: Whether settings start from our recipe or from the paper's form.
        changes: What differs from the profile's settings of this mode.
        start: The arm whose weights it starts from, seed by seed.
        without: The source that is kept out of training and tested on, all of it.
        headline: Whether it gets the profile's larger number of seeds.
        size: How large its slices and how long its training are.
    """

    name: str
    tasks: str
    encoder: str
    mode: Mode = "tetract"
    changes: Settings = field(default_factory=dict[str, object])
    start: Arm | None = None
    without: str | None = None
    headline: bool = False
    size: Size = "short"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """Two sides that are compared patient by patient.

    Attributes:
        label: What is compared, for the first column.
        baseline: Names of its arms; several arms with one task each are single-task models.
        arm: Names of the arms held against it.
    """

    label: str
    baseline: tuple[str, ...]
    arm: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """Lines over the training step, seeds averaged.

    Attributes:
        title: What is seen.
        lines: Legend, name of the arm, and the logged quantity of each line.
    """

    title: str
    lines: tuple[tuple[str, str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One table or figure.

    Attributes:
        key: ``T1``, ``F2``, ``A3``.
        title: Its caption.
        about: What it asks, and what to know to read it.
        arms: What must be trained for it.
        table: Whether the figures of its arms are shown.
        pairs: What is compared.
        charts: What is drawn.
        source: The source whose figures are shown instead of those of all; None: of all.
        missing: What this machine lacks for further rows, or "".
    """

    key: str
    title: str
    about: str
    arms: tuple[Arm, ...]
    table: bool = True
    pairs: tuple[Pair, ...] = ()
    charts: tuple[Chart, ...] = ()
    source: str | None = None
    missing: str = ""

    @property
    def prefix(self) -> str:
        """Start of the names of the figures that are shown."""
        return "" if self.source is None else f"{self.source}/"


def tasks_of(letters: str) -> tuple[Task, ...]:
    """``CS`` as tasks."""
    return tuple(_LETTERS[letter] for letter in letters)


def paper_arm(tasks: str, encoder: str, mode: Mode) -> Arm:
    """An arm of the paper's tables, which several of them share."""
    return Arm(
        name=plain_name(tasks, encoder, mode),
        tasks=tasks,
        encoder=encoder,
        mode=mode,
        size="small",
    )


def plain_name(tasks: str, encoder: str, mode: Mode) -> str:
    """``CS vgg13 as_paper``."""
    return f"{tasks} {encoder} {mode}"
