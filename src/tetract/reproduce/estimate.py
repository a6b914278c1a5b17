"""How long a plan takes, roughly."""

from __future__ import annotations

import statistics
from collections.abc import Iterable
from typing import Final

from tetract.reproduce.outcome import load_outcome
from tetract.reproduce.plan import Plan, Run

# Seconds of one training step of four rows on one core of a 2-core AMD EPYC (AVX2, float32): what
# does not depend on the picture's size, and what grows with its area (at 64 px), of the encoder and
# of each head. ResNet-18, EfficientNet-Lite0 and the heads from six steps at 96 and 128 px; VGG-13
# from a few on a busy machine, ResNet-50 from its operations. Finished runs correct their level.
_ENCODERS: Final = {
    "resnet18": (0.12, 0.08),
    "tu-tf_efficientnet_lite0": (0.05, 0.05),
    "vgg13": (0.10, 0.22),
    "resnet50": (0.25, 0.15),
}
_UNKNOWN: Final = (0.25, 0.20)
_HEADS: Final = {"C": (0.01, 0.0), "S": (0.13, 0.05), "R": (0.05, 0.02), "D": (0.03, 0.06)}
_START: Final = 4.0  # opening the data, building the network, writing
_SCORED: Final = 0.03  # seconds per scored slice beside the forward pass


def guess(run: Run, plan: Plan) -> float:
    """Seconds on one core of the machine that the constants were measured on."""
    recipe = run.recipe
    parts = [_ENCODERS.get(recipe.encoder.name, _UNKNOWN), *(_HEADS[x] for x in run.letters)]
    seen = ((recipe.data.crop_px or recipe.data.image_px) / 64) ** 2
    whole = (recipe.data.image_px / 64) ** 2
    rows = recipe.run.batch * recipe.run.accumulate / 4
    growing = sum(part[1] for part in parts)
    step = sum(part[0] for part in parts) + growing * seen * rows
    _, val, test = plan.basis.slices
    every = recipe.run.validate_every
    validations = -(-recipe.run.steps // every) if every else 0
    scored = (validations + 1) * val + test
    steps = recipe.run.steps + recipe.run.pretrain_steps
    return _START + steps * step + scored * (_SCORED + growing * whole / 4 / 3)


def measured_factor(plan: Plan) -> float:
    """How much slower than guessed the finished runs were; 1 where there are none."""
    ratios = [
        outcome.seconds / guess(run, plan)
        for run in plan.runs.values()
        if (outcome := load_outcome(run.recipe.run.folder)) is not None
    ]
    return statistics.median(ratios) if ratios else 1.0


def total_seconds(runs: Iterable[Run], plan: Plan, *, jobs: int, threads: int) -> float:
    """Wall-clock seconds for ``runs``, as far as one can say.

    Threads help a small network little: the square root of their number is allowed for.
    """
    alone = sum(guess(run, plan) for run in runs) * measured_factor(plan)
    return alone / jobs / threads**0.5
