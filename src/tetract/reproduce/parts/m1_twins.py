"""Tables M1 and M2: one model with all tasks against one per task, and ours against the paper's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from tetract.reproduce.arm import Arm, Mode, Pair, Part, Settings
from tetract.reproduce.basis import Basis

ALL: Final = "CSRD"
PUBLISHED: Final = "lite0"
_ABOUT: Final = (
    "Twins are single-task models of the same recipe, all of whose rows are labelled for their "
    "task. Same passes in all: each of the four takes a quarter of the steps, so that together "
    "they see as many slices as the one model. Same passes each: every twin takes all the steps, "
    "so that together they see, and cost, four times as much."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Trunk:
    """An encoder and what it starts from."""

    encoder: str
    words: str = ""
    changes: Settings = field(default_factory=dict[str, object])


_LITE0: Final = _Trunk(
    encoder="tu-tf_efficientnet_lite0",
    words=f", weights {PUBLISHED}",
    changes={
        "encoder.weights": PUBLISHED,
        "encoder.norm": "frozen",
        "run.reestimate_norm": 128,
    },
)


def from_scratch(basis: Basis) -> Part:
    """Multi-task against its single-task twins, and against the paper's multi-task model."""
    trunk = _Trunk(encoder=basis.profile.small)
    joint, paper = _arm(trunk, ALL), _paper(basis)
    short, whole = _twins(basis, trunk)
    return Part(
        key="M1",
        title="One model against four",
        about="Does a task gain from the others, and does our recipe gain on the paper's form? "
        f"All with {trunk.encoder}, on slices and with steps as large as the profile affords. "
        f"{_ABOUT}",
        arms=(joint, *short, *whole, paper),
        pairs=(
            *_against_twins(joint, short, whole),
            _pair(f"{ALL}, tetract against as_paper", [paper], joint),
        ),
    )


def from_published(basis: Basis) -> Part:
    """The same with a trunk that has seen photographs; left out where its weights are absent."""
    scratch = _arm(_Trunk(encoder=basis.profile.small), ALL)
    joint, paper = _arm(_LITE0, ALL), _paper(basis)
    short, whole = _twins(basis, _LITE0)
    part = Part(
        key="M2",
        title="One model against four, from published weights",
        about="As M1, with an EfficientNet-Lite0 of ImageNet, its BatchNorm measured anew on "
        "training slices and then frozen. Also against M1's model from scratch and the paper's "
        f"form, which then differ in encoder and start as well. {_ABOUT}",
        arms=(joint, *short, *whole, scratch, paper),
        pairs=(
            *_against_twins(joint, short, whole),
            _pair(f"{ALL}, published weights against scratch", [scratch], joint),
            _pair(f"{ALL}, published weights against as_paper", [paper], joint),
        ),
    )
    if PUBLISHED in basis.weights:
        return part
    absent = (
        f"weights that are not on this machine: {PUBLISHED} (docs/how-to/start-from-weights.md)"
    )
    return replace(part, arms=(), pairs=(), missing=absent)


def _against_twins(joint: Arm, short: Sequence[Arm], whole: Sequence[Arm]) -> tuple[Pair, ...]:
    return (
        _pair(f"{ALL} against single tasks, same passes in all", short, joint),
        _pair(f"{ALL} against single tasks, same passes each", whole, joint),
    )


def _pair(label: str, baseline: Sequence[Arm], arm: Arm) -> Pair:
    return Pair(label=label, baseline=tuple(one.name for one in baseline), arm=(arm.name,))


def _twins(basis: Basis, trunk: _Trunk) -> tuple[list[Arm], list[Arm]]:
    """Each task alone with a quarter of the steps, and with all."""
    quarter = max(1, basis.profile.long_steps("tetract") // len(ALL))
    few: Settings = {"run.steps": quarter, "run.validate_every": quarter}
    return (
        [_arm(trunk, task, words=", a quarter", changes=few) for task in ALL],
        [_arm(trunk, task) for task in ALL],
    )


def _paper(basis: Basis) -> Arm:
    return _arm(_Trunk(encoder=basis.profile.small), ALL, "as_paper")


def _arm(
    trunk: _Trunk,
    tasks: str,
    mode: Mode = "tetract",
    *,
    words: str = "",
    changes: Settings | None = None,
) -> Arm:
    return Arm(
        name=f"{tasks} {trunk.encoder} {mode}{trunk.words}, long{words}",
        tasks=tasks,
        encoder=trunk.encoder,
        mode=mode,
        changes={**trunk.changes, **(changes or {})},
        headline=True,
        long=True,
    )
