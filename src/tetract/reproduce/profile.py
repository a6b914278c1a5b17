"""How large a reproduction is: pixels, steps, seeds, and which encoders."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from tetract.reproduce.arm import Mode, Settings

COMBINATIONS: Final = ("C", "S", "R", "D", "CS", "CR", "SR", "DR", "CSR", "CSRD")
"""The task subsets that the paper trains."""

LOSSES: Final = (
    *("generalized_dice", "dice", "dice_bce", "focal", "tversky", "focal_tversky"),
    *("lovasz", "dice_boundary", "cc_dice_bce"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """One size.

    Attributes:
        name: ``smoke``, ``cpu`` or ``gpu``.
        about: What its numbers are worth, for the page.
        encoders: Trunks of T1, T2 and F4; the paper's are VGG-13 and ResNet-50.
        small: The trunk of everything else.
        seeds: Runs of an arm.
        headline_seeds: Runs of an arm that a claim rests on.
        losses: Segmentation losses of T3.
        loss_tasks: Task subsets of T3.
        curve_points: Validations along a run whose curve is drawn.
        draws: Bootstrap draws.
        settings: Of every run.
        modes: Of every run of a mode.
        long: What differs in the long runs of a mode, those that claims about the method rest on.
    """

    name: str
    about: str
    encoders: tuple[str, ...]
    small: str
    seeds: int
    headline_seeds: int
    losses: tuple[str, ...]
    loss_tasks: tuple[str, ...]
    curve_points: int
    draws: int
    settings: Settings
    modes: Mapping[Mode, Settings]
    long: Mapping[Mode, Settings]

    @property
    def steps(self) -> int:
        """Optimiser steps of a run."""
        steps = self.settings["run.steps"]
        return steps if isinstance(steps, int) else 0

    def long_steps(self, mode: Mode) -> int:
        """Optimiser steps of a long run."""
        steps = self.long[mode].get("run.steps", self.steps)
        return steps if isinstance(steps, int) else self.steps

    @property
    def side(self) -> int:
        """Side of the slices in pixels."""
        side = self.settings["data.image_px"]
        return side if isinstance(side, int) else 0


_OURS: Final[Settings] = {"optimiser.rate": 0.002, "optimiser.encoder_factor": 0.5}
# The paper's geometry, thresholds and sampling ratios, in fewer channels and regions: its widths
# alone would take hours on two cores. Its rate of 1e-4 teaches nothing in a few hundred steps, and
# the comparison would be one of rates.
_NARROW_PAPER: Final[Settings] = {
    "detection.width": 64,
    "detection.box_hidden": 128,
    "detection.regions_per_row": 64,
    "detection.proposals": 200,
    "detection.proposals_in_training": 200,
    "optimiser.rate": 0.001,
}

# Whole slices at 128 px: windows of larger ones cost as much and did worse.
_LONG: Final[Settings] = {
    "data.image_px": 128,
    "run.steps": 500,
    "run.batch": 8,
    "run.validate_every": 500,
}
# What fits small lesions and few slices; each has a row among the ablations.
_LONG_OURS: Final[Settings] = {
    **_LONG,
    "encoder.fine_stem": 16,
    "segmentation.deep_supervision": 2,
    "reconstruction.rows_per_step": 0.5,
    "detection.pyramid": "decoder",
    "detection.anchors": "auto",
    "joint.method": "normalised",
    "run.average": 0.99,
}

SMOKE: Final = Profile(
    name="smoke",
    about="Phantoms, and a training of seconds: it shows that every table and figure can be made, "
    "and nothing about the method.",
    encoders=("vgg13", "resnet50"),
    small="resnet18",
    seeds=1,
    headline_seeds=2,
    losses=LOSSES,
    loss_tasks=("S",),
    curve_points=3,
    draws=200,
    settings={
        "data.image_px": 64,
        "data.positive_fraction": 0.7,
        "run.steps": 6,
        "run.batch": 4,
        "run.validate_every": 6,
        "segmentation.widths": [32, 24, 16, 16, 8],
        "reconstruction.widths": [32, 24, 16, 16, 8],
    },
    modes={"tetract": {**_OURS, "detection.width": 32}, "as_paper": _NARROW_PAPER},
    long={"tetract": {}, "as_paper": {}},
)
CPU: Final = Profile(
    name="cpu",
    about="Small pictures and short training, so that the whole page takes hours on two cores. "
    "Differences count, levels do not. The paper's form keeps its geometry, thresholds, losses and "
    "norms in fewer channels and regions, at rate 0.001.",
    encoders=("vgg13", "resnet50"),
    small="resnet18",
    seeds=1,
    headline_seeds=3,
    losses=LOSSES,
    loss_tasks=("S", "CS", "SR", "CSRD"),
    curve_points=6,
    draws=1000,
    settings={
        "data.image_px": 96,
        "data.skip_unreadable": True,
        "run.steps": 120,
        "run.batch": 4,
        "run.validate_every": 120,
        "segmentation.widths": [64, 48, 32, 24, 16],
        "reconstruction.widths": [64, 48, 32, 24, 16],
    },
    modes={
        "tetract": {**_OURS, "detection.width": 48, "detection.finest_stride": 2},
        "as_paper": _NARROW_PAPER,
    },
    long={"tetract": _LONG_OURS, "as_paper": _LONG},
)
GPU: Final = Profile(
    name="gpu",
    about="Full size: 256 px, and the paper's form as it is.",
    encoders=("vgg13", "resnet50"),
    small="resnet50",
    seeds=3,
    headline_seeds=5,
    losses=LOSSES,
    loss_tasks=("S", "CS", "SR", "CSRD"),
    curve_points=10,
    draws=1000,
    settings={
        "data.image_px": 256,
        "data.skip_unreadable": True,
        "run.steps": 10_000,
        "run.batch": 8,
        "run.validate_every": 10_000,
        "run.workers": 4,
    },
    modes={"tetract": {"detection.finest_stride": 2}, "as_paper": {}},
    long={"tetract": {}, "as_paper": {}},
)

PROFILES: Final = {one.name: one for one in (SMOKE, CPU, GPU)}
