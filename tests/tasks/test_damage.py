"""Claims about damaged slices: what is told to have changed has, and nothing else."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from makers import full_batch
from tetract.model.showing import show
from tetract.tasks.reconstruction import ReconstructionConfig
from tetract.tasks.reconstruction.damage import Damaged, add_noise, confuse
from tetract.types import Task


def slices() -> Tensor:
    return torch.rand(12, 1, 64, 48, generator=torch.Generator().manual_seed(1))


def damaged(mode: str, seed: int = 0) -> Damaged:
    generator = torch.Generator().manual_seed(seed)
    return add_noise(slices(), 0.1, generator) if mode == "noise" else confuse(slices(), generator)


@pytest.mark.parametrize("mode", ["noise", "genesis"])
def test_what_is_not_told_to_have_changed_is_as_it_was(mode: str) -> None:
    shown = damaged(mode)
    kept = ~shown.changed
    assert torch.equal(shown.image[kept], slices()[kept])


@pytest.mark.parametrize("mode", ["noise", "genesis"])
def test_every_row_has_something_to_mend_within_the_window(mode: str) -> None:
    for seed in range(8):
        shown = damaged(mode, seed)
        assert shown.changed.flatten(1).any(dim=1).all()
        assert ((shown.image != slices()) & shown.changed).flatten(1).any(dim=1).all()
        assert (shown.image.min() >= 0) & (shown.image.max() <= 1)


@pytest.mark.parametrize("mode", ["noise", "genesis"])
def test_the_same_generator_draws_the_same_damage_and_leaves_the_slices(mode: str) -> None:
    before = slices()
    one = confuse(before, torch.Generator().manual_seed(3))
    assert torch.equal(before, slices())
    assert torch.equal(one.image, damaged("genesis", 3).image)
    assert torch.equal(damaged(mode).image, damaged(mode).image)
    assert not torch.equal(damaged(mode).image, damaged(mode, 1).image)


def test_noise_has_the_spread_that_was_asked_for() -> None:
    grey = torch.full((4, 1, 64, 64), 0.5)
    noise = add_noise(grey, 0.05, torch.Generator().manual_seed(0)).image - 0.5
    assert noise.std().item() == pytest.approx(0.05, rel=0.05)


def test_other_grey_values_keep_their_order() -> None:
    # Rows whose whole extent is changed once and whose pixels are in place: greys alone.
    ramp = torch.linspace(0, 1, 64 * 64).reshape(1, 1, 64, 64)
    rising = 0
    for seed in range(60):
        shown = confuse(ramp, torch.Generator().manual_seed(seed)).image.flatten().numpy()
        rising += int((np.diff(shown) >= -1e-6).all() and not np.allclose(shown, ramp.flatten()))
    assert rising > 0


@pytest.mark.parametrize("mode", ["denoising", "genesis"])
def test_damaged_rows_teach_reconstruction_only_and_others_see_whole_slices(mode: str) -> None:
    config = ReconstructionConfig.model_validate({"mode": mode})
    shown = show(full_batch(), tuple(Task), config, torch.Generator().manual_seed(0))
    hidden, labelled = shown.batch.hidden, shown.batch.labelled
    assert hidden is not None
    damaged = hidden.flatten(1).any(dim=1)
    reconstruct = torch.tensor([task is Task.RECONSTRUCTION for task in Task])
    assert damaged.any()
    assert torch.equal(labelled[damaged], reconstruct.expand(int(damaged.sum()), -1))
    assert not labelled[~damaged][:, reconstruct].any()
    assert torch.equal(shown.image[~damaged], shown.batch.image[~damaged])
