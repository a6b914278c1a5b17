"""Figure 2: segmentation and reconstruction, with and without weights of a classifier."""

from __future__ import annotations

from tetract.reproduce.arm import MODES, Arm, Chart, Mode, Pair, Part, Settings, paper_arm
from tetract.reproduce.basis import Basis

DICE = "val/segmentation/dice_lesions"
LOSS = "train/loss/segmentation"


def part(basis: Basis) -> Part:
    """SR from scratch and from C, the latter in three ways."""
    arms = tuple(arm for mode in MODES for arm in _arms(basis, mode))
    return Part(
        key="F2",
        title="Weights carried from a classifier",
        about="Do weights of a classification run help segmentation and reconstruction? The paper "
        "saw overfitting with them. Also tried: the encoder held for the first fifth of the steps, "
        "and a tenth of the rate for the encoder.",
        arms=arms,
        pairs=tuple(
            Pair(
                label=f"{mode}: {how} against scratch",
                baseline=(_name("scratch", mode),),
                arm=(_name(how, mode),),
            )
            for mode in MODES
            for how in _WAYS
        ),
        charts=tuple(
            Chart(
                title=f"{what}, {mode}",
                lines=tuple((how, _name(how, mode), column) for how in ("scratch", *_WAYS)),
            )
            for mode in MODES
            for what, column in (("Segmentation loss in training", LOSS), ("Validation Dice", DICE))
        ),
    )


_WAYS = ("from C", "from C, encoder held first", "from C, lower encoder rate")


def _arms(basis: Basis, mode: Mode) -> tuple[Arm, ...]:
    profile = basis.profile
    encoder, steps = profile.encoders[0], profile.sizes["small"].steps
    often: Settings = {"run.validate_every": max(1, steps // profile.curve_points)}
    start = paper_arm("C", encoder, mode)
    ways: dict[str, Settings] = {
        _WAYS[0]: {},
        _WAYS[1]: {"run.freeze_encoder_steps": max(1, steps // 5)},
        _WAYS[2]: {"optimiser.encoder_factor": 0.1},
    }
    scratch = Arm(
        name=_name("scratch", mode),
        tasks="SR",
        encoder=encoder,
        mode=mode,
        changes=often,
        size="small",
    )
    return (
        scratch,
        *(
            Arm(
                name=_name(how, mode),
                tasks="SR",
                encoder=encoder,
                mode=mode,
                changes={**often, **changes},
                start=start,
                size="small",
            )
            for how, changes in ways.items()
        ),
    )


def _name(how: str, mode: Mode) -> str:
    return f"SR {how}, {mode}"
