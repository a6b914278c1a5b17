"""BatchNorm in a recipe: measured on the training slices, or warned of."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from joint_cases import small_network
from recipe_cases import tiny_recipe
from tetract.data.dataset import SliceDataset
from tetract.errors import RecipeError
from tetract.recipe.norm import live_norm_warnings, measure_norm
from tetract.recipe.schema import Recipe
from tetract.types import Targets
from tetract.types.batch import Identity, Sample


class Slices(SliceDataset):
    """Slices of random pixels, that remembers which were read."""

    def __init__(self, *sources: str) -> None:
        self._named = sources
        self.read: list[int] = []

    def __len__(self) -> int:
        return len(self._named)

    @property
    def sources(self) -> tuple[str, ...]:
        return self._named

    def sample(self, index: int) -> Any:
        self.read.append(index)
        rng = np.random.default_rng(index)
        return make_sample(rng.random((1, 64, 64), dtype=np.float32))


def make_sample(image: np.ndarray) -> Sample:
    who = Identity(row=0, patient="", source="s", slice_index=0, spacing_mm=None)
    targets = Targets(label=None, masks=None, boxes=None, reconstruct=True)
    return Sample(image=image, targets=targets, identity=who)


def recipe(norm: str, slices_: int = 0) -> Recipe:
    run = {"reestimate_norm": slices_}
    return tiny_recipe(Path("x"), Path("y"), encoder={"norm": norm}, run=run)


def test_live_batch_norm_over_two_sources_is_warned_of() -> None:
    assert live_norm_warnings(recipe("batch"), Slices("a", "b", "a"))[0].startswith(
        "W_NORM_MIXES_SOURCES"
    )
    assert live_norm_warnings(recipe("batch"), Slices("a", "a")) == ()
    assert live_norm_warnings(recipe("group"), Slices("a", "b")) == ()


def test_as_many_slices_are_read_as_asked_for_and_the_same_ones_each_time() -> None:
    seen, means = [], []
    for _ in range(2):
        network, data = small_network(norm="frozen"), Slices(*["a"] * 40)
        measure_norm(recipe("frozen", 20), network, data)
        seen.append(sorted(data.read))
        means.append(network.state_dict()["encoder.trunk.model.conv1.1.running_mean"])
    assert seen[0] == seen[1]
    assert len(set(seen[0])) == 20
    assert torch.equal(*means)


def test_statistics_that_would_not_stay_are_not_measured() -> None:
    with pytest.raises(RecipeError, match=r"E_BAD_VALUE .*encoder\.norm frozen"):
        measure_norm(recipe("batch", 8), small_network(norm="batch"), Slices("a"))
