"""BatchNorm and the data: measured on them, or warned of."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from tetract.data.dataset import SliceDataset
from tetract.errors import RecipeError
from tetract.model import Network, reestimate_norm
from tetract.recipe.schema import Recipe

BATCH = 16  # statistics of a few slices are those of a few patients


def live_norm_warnings(recipe: Recipe, train: SliceDataset) -> tuple[str, ...]:
    """``W_NORM_MIXES_SOURCES`` where rows of several sources share BatchNorm's statistics."""
    sources = sorted(set(train.sources))
    if recipe.encoder.norm != "batch" or len(sources) < 2:
        return ()
    return (
        f"W_NORM_MIXES_SOURCES BatchNorm of the encoder averages over {len(sources)} sources in "
        "training and reads that average afterwards, so scanners disturb one another. "
        "encoder.norm=group does not",
    )


def measure_norm(recipe: Recipe, network: Network, train: SliceDataset) -> None:
    """Set frozen BatchNorm statistics to those of training slices, where the recipe asks for it.

    Raises:
        RecipeError: ``E_BAD_VALUE`` where the statistics would not stay, ``E_NO_BATCH_NORM``.
    """
    wanted = recipe.run.reestimate_norm
    if not wanted:
        return
    if recipe.encoder.norm != "frozen":
        raise RecipeError(
            "E_BAD_VALUE",
            "statistics are measured before the first step to stay as they are",
            where="run.reestimate_norm",
            expected="encoder.norm frozen",
            found=recipe.encoder.norm,
            fix="Set encoder.norm=frozen, or run.reestimate_norm=0",
        )
    rng = np.random.default_rng([recipe.run.seed, len(train)])
    rows = rng.permutation(len(train))[:wanted]
    reestimate_norm(network.encoder, _images(train, sorted(rows.tolist())))


def _images(train: SliceDataset, rows: list[int]) -> Iterator[Tensor]:
    """Unaugmented slices, spread so that every batch holds slices from all over the table."""
    count = max(1, round(len(rows) / BATCH))
    for first in range(count):
        picked = rows[first::count]
        yield torch.from_numpy(np.stack([train.sample(row).image for row in picked]))
