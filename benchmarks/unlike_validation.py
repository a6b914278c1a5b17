"""`python -m benchmarks.unlike_validation RUN`: does the flag rise on slices that were spoilt?

RUN is a calibrated run. Every so many-th batch of its test split is spoilt in each way in turn, and
the share of slices flagged as unlike the validation slices is counted. Results:
docs/results/trust.md.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from tetract.data.batches import batches_in_order
from tetract.evaluate.collect import collect
from tetract.evaluate.result import Hiding, Setting
from tetract.evaluate.trust.file import load_calibration
from tetract.evaluate.trust.judge import distance, judge_slices
from tetract.model.bundle import find_bundle
from tetract.recipe import load_recipe
from tetract.recipe.evaluation import open_run
from tetract.types.judgement import Doubt


def noise(level: float) -> Callable[[Tensor], Tensor]:
    """Normal noise of so many window units, the same at every call."""

    def spoil(image: Tensor) -> Tensor:
        drawn = torch.randn(image.shape, generator=torch.Generator().manual_seed(0))
        return (image + level * drawn).clamp(0, 1)

    return spoil


def blur(image: Tensor) -> Tensor:
    """Mean of 5 x 5 pixels."""
    return functional.avg_pool2d(functional.pad(image, (2, 2, 2, 2), mode="replicate"), 5, 1)


def stripes(image: Tensor) -> Tensor:
    """Streaks of 0.1 window units, 8 px apart."""
    wave = torch.sin(torch.arange(image.shape[3]) * (2 * np.pi / 8))
    return (image + 0.1 * wave).clamp(0, 1)


SPOILT: Mapping[str, Callable[[Tensor], Tensor]] = {
    "as it is": lambda image: image,
    "noise, 0.05 of the window": noise(0.05),
    "noise, 0.1 of the window": noise(0.1),
    "blur, 5 x 5 px": blur,
    "stripes, 0.1 of the window": stripes,
    "grey levels inverted": lambda image: 1 - image,
    "contrast halved": lambda image: 0.25 + image / 2,
    "turned by 90 degrees": lambda image: image.rot90(1, dims=(2, 3)),
    "upside down": lambda image: image.flip(2),
    "empty": torch.zeros_like,
}


def main() -> None:
    """Print one row per way of spoiling."""
    ask = argparse.ArgumentParser(description=__doc__)
    ask.add_argument("run", type=Path)
    ask.add_argument("--every", type=int, default=6, help="take one batch in so many")
    asked = ask.parse_args()
    torch.set_num_threads(1)
    opened = open_run(load_recipe(asked.run / "recipe.yaml", []), asked.run, "test")
    bundle = opened.bundle
    known = load_calibration(find_bundle(asked.run), bundle.description.weights_sha256)
    assert known is not None, "run tetract calibrate first"
    assert known.residual.value is not None, known.residual.reason
    config = opened.recipe.reconstruction
    setting = Setting(
        hiding=Hiding(patch_px=config.patch_px, fraction=config.hidden_fraction, seed=0)
    )
    batches = list(batches_in_order(opened.dataset, 8))[:: asked.every]
    print("| test slices | slices | flagged | median distance |\n|---|---|---|---|")
    for name, spoil in SPOILT.items():
        spoilt = (replace(batch, image=spoil(batch.image)) for batch in batches)
        signals = collect(bundle.network, spoilt, setting).signals
        judged = judge_slices(signals, known, bundle.network.label_space.classes)
        flagged = np.mean([Doubt.UNLIKE_VALIDATION in one.doubts for one in judged])
        far = np.median([distance(one, known) for one in signals])
        print(f"| {name} | {len(signals)} | {flagged:.0%} | {far:.1f} |", flush=True)


if __name__ == "__main__":
    main()
