"""Table M1: one model with all tasks against one per task, and our recipe against the paper's."""

from __future__ import annotations

from tetract.reproduce.arm import MODES, Arm, Mode, Pair, Part
from tetract.reproduce.basis import Basis

ALL = "CSRD"
_SHARE = len(ALL)


def part(basis: Basis) -> Part:
    """Multi-task against its single-task twins, in both modes."""
    encoder = basis.profile.small
    arms = {mode: _arms(basis, mode) for mode in MODES}
    names = {mode: [arm.name for arm in found] for mode, found in arms.items()}
    joint = {mode: (found[0],) for mode, found in names.items()}
    equal = {mode: tuple(found[1 : 1 + _SHARE]) for mode, found in names.items()}
    own = {mode: tuple(found[1 + _SHARE :]) for mode, found in names.items()}
    return Part(
        key="M1",
        title="One model against four",
        about="Does a task gain from the others, and does our recipe gain on the paper's form? "
        f"All with {encoder}, on slices and with steps as large as the profile affords. Twins are "
        "single-task models of the same recipe, all of whose rows are labelled for their task. "
        "Same passes in all: each of the four takes a quarter of the steps, so that together they "
        "see as many slices as the one model. Same passes each: every twin takes all the steps, "
        "so that together they see, and cost, four times as much.",
        arms=tuple(arm for mode in MODES for arm in arms[mode]),
        pairs=(
            *(
                Pair(
                    label=f"{mode}: {ALL} against single tasks, same passes {how}",
                    baseline=twins[mode],
                    arm=joint[mode],
                )
                for mode in MODES
                for how, twins in (("in all", equal), ("each", own))
            ),
            Pair(
                label=f"{ALL}: tetract against as_paper",
                baseline=joint["as_paper"],
                arm=joint["tetract"],
            ),
        ),
    )


def _arms(basis: Basis, mode: Mode) -> tuple[Arm, ...]:
    """The joint model, its twins with a quarter of the steps, and its twins with all of them."""
    profile = basis.profile
    encoder = profile.small
    quarter = max(1, profile.long_steps(mode) // _SHARE)
    few = {"run.steps": quarter, "run.validate_every": quarter}
    return tuple(
        Arm(
            name=f"{tasks} {encoder} {mode}, long{words}",
            tasks=tasks,
            encoder=encoder,
            mode=mode,
            changes=changes,
            headline=True,
            long=True,
        )
        for tasks, words, changes in (
            (ALL, "", {}),
            *((task, ", a quarter", few) for task in ALL),
            *((task, "", {}) for task in ALL),
        )
    )
