"""Where a recipe's settings start from: ours, or the paper's form of every part."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

WIDTHS = (512, 256, 128, 64, 32)

OURS: dict[str, dict[str, object]] = {
    "encoder": {"fine_stem": 16},
    "segmentation": {"deep_supervision": 2},
    "detection": {"anchors": "auto", "pyramid": "decoder"},
    "joint": {"method": "normalised"},
    "run": {"average": 0.99},
}
"""What serves small lesions and few labels, each with a row in docs/explanation/recipe-choices.md.

Settings whose plain value is the network's own default stand there; these differ from it, since a
network without data has no boxes to plan anchors from, and a head alone nothing to balance.
"""

AS_PAPER: dict[str, dict[str, object]] = {
    "encoder": {"name": "vgg13", "norm": "batch"},
    "classification": {"read_segmentation": False},
    "segmentation": {"widths": WIDTHS, "norm": "batch", "loss": "generalized_dice"},
    "reconstruction": {"mode": "plain", "widths": WIDTHS, "norm": "batch"},
    "detection": {"preset": "as_paper"},
    "joint": {"method": "fixed"},
    "optimiser": {
        "method": "adam",
        "rate": 1e-4,
        "encoder_factor": 1.0,
        "weight_decay": 0.0,
        "warmup": 0.0,
        "schedule": "constant",
        "clip_norm": None,
    },
}
"""The paper's networks and losses as we read them; what it leaves open is said in the docs."""


PRESETS: Mapping[str, Mapping[str, Mapping[str, object]]] = {"tetract": OURS, "as_paper": AS_PAPER}


def start_from(preset: Mapping[str, Mapping[str, object]], tree: object) -> object:
    """``tree`` with the settings of ``preset`` that it does not give itself.

    A part that is given as anything but a mapping is complete already.
    """
    if not isinstance(tree, Mapping):
        return tree
    given = dict(cast("Mapping[str, object]", tree))
    for part, settings in preset.items():
        own = given.get(part, {})
        if isinstance(own, Mapping):
            given[part] = {**settings, **cast("Mapping[str, object]", own)}
    return given
