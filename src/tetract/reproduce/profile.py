"""How large a reproduction is: pixels, steps, seeds, and which encoders."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from tetract.reproduce.arm import Mode, Settings, Size

COMBINATIONS: Final = ("C", "S", "R", "D", "CS", "CR", "SR", "DR", "CSR", "CSRD")
"""The task subsets that the paper trains."""

LOSSES: Final = (
    *("generalized_dice", "dice", "dice_bce", "focal", "tversky", "focal_tversky"),
    *("lovasz", "dice_boundary", "cc_dice_bce"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Extent:
    """How large the slices and how long the training of some runs are.

    Attributes:
        px: Side of the slices in pixels.
        steps: Optimiser steps.
        batch: Rows of a step.
    """

    px: int
    steps: int
    batch: int

    @property
    def settings(self) -> Settings:
        """As a recipe says it; the last weights only are validated."""
        return {
            "data.image_px": self.px,
            "run.steps": self.steps,
            "run.batch": self.batch,
            "run.validate_every": self.steps,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """One size.

    Attributes:
        name: ``smoke``, ``cpu`` or ``gpu``.
        about: What its numbers are worth, for the page.
        encoders: Trunks of T1, T2 and F4; the paper's are VGG-13 and ResNet-50.
        small: The trunk of everything else that starts from random weights.
        from_published: Whether our own tables start from published weights where they are on the
            machine: from random ones a short training learns too little to compare.
        seeds: Runs of an arm.
        headline_seeds: Runs of an arm that a claim rests on.
        losses: Segmentation losses of T3.
        loss_tasks: Task subsets of T3.
        label_shares: Shares of the labels that A6 tries beside all of them.
        curve_points: Validations along a run whose curve is drawn.
        draws: Bootstrap draws.
        settings: Of every run.
        modes: Of every run of a mode.
        sizes: Of every run of a size.
    """

    name: str
    about: str
    encoders: tuple[str, ...]
    small: str
    from_published: bool
    seeds: int
    headline_seeds: int
    losses: tuple[str, ...]
    loss_tasks: tuple[str, ...]
    label_shares: tuple[float, ...]
    curve_points: int
    draws: int
    settings: Settings
    modes: Mapping[Mode, Settings]
    sizes: Mapping[Size, Extent]


_QUICK: Final[Settings] = {"optimiser.rate": 0.002, "optimiser.encoder_factor": 0.5}
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

_SMOKE_SIZE: Final = Extent(px=64, steps=6, batch=4)
_GPU_SIZE: Final = Extent(px=256, steps=10_000, batch=8)

SMOKE: Final = Profile(
    name="smoke",
    about="Phantoms, and a training of seconds: it shows that every table and figure can be made, "
    "and nothing about the method.",
    encoders=("vgg13", "resnet50"),
    small="resnet18",
    from_published=False,
    seeds=1,
    headline_seeds=2,
    losses=LOSSES,
    loss_tasks=("S",),
    label_shares=(0.5,),
    curve_points=3,
    draws=200,
    settings={
        "data.positive_fraction": 0.7,
        "segmentation.widths": [32, 24, 16, 16, 8],
        "reconstruction.widths": [32, 24, 16, 16, 8],
    },
    modes={"tetract": {**_QUICK, "detection.width": 32}, "as_paper": _NARROW_PAPER},
    sizes={"small": _SMOKE_SIZE, "short": _SMOKE_SIZE, "long": _SMOKE_SIZE},
)
CPU: Final = Profile(
    name="cpu",
    about="Small pictures and short training, so that the whole page takes hours on two cores. "
    "Differences count, levels do not; the paper's large trunks (T1, T2, F2 to F4) get the least. "
    "The paper's form keeps its geometry, thresholds, losses and norms in fewer channels and "
    "regions, at rate 0.001.",
    encoders=("vgg13", "resnet50"),
    small="resnet18",
    from_published=True,
    seeds=1,
    headline_seeds=3,
    losses=LOSSES,
    loss_tasks=("S",),
    label_shares=(0.2,),
    curve_points=6,
    draws=1000,
    settings={
        "data.skip_unreadable": True,
        "segmentation.widths": [64, 48, 32, 24, 16],
        "reconstruction.widths": [64, 48, 32, 24, 16],
    },
    modes={
        "tetract": {**_QUICK, "detection.width": 48},
        "as_paper": _NARROW_PAPER,
    },
    sizes={
        "small": Extent(px=64, steps=60, batch=4),
        "short": Extent(px=96, steps=100, batch=8),
        "long": Extent(px=128, steps=240, batch=8),
    },
)
GPU: Final = Profile(
    name="gpu",
    about="Full size: 256 px, and the paper's form as it is.",
    encoders=("vgg13", "resnet50"),
    small="resnet50",
    from_published=False,
    seeds=3,
    headline_seeds=5,
    losses=LOSSES,
    loss_tasks=("S", "CS", "SR", "CSRD"),
    label_shares=(0.05, 0.1, 0.25, 0.5),
    curve_points=10,
    draws=1000,
    settings={
        "data.skip_unreadable": True,
        "run.workers": 4,
    },
    modes={"tetract": {}, "as_paper": {}},
    sizes={"small": _GPU_SIZE, "short": _GPU_SIZE, "long": _GPU_SIZE},
)

PROFILES: Final = {one.name: one for one in (SMOKE, CPU, GPU)}
