"""A model that sees neighbouring slices, from the table to the findings."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

import tetract
from joint_cases import small_network
from makers import make_batch
from recipe_cases import tiny_recipe, write_cohort
from tetract.errors import BundleError
from tetract.recipe import Extras, evaluate_run, load_recipe, train
from tetract.tasks.reconstruction import ReconstructionOutput, reconstruction_loss
from tetract.types import Task


def three(channel: int, value: float) -> torch.Tensor:
    image = torch.zeros(4, 3, 64, 64)
    image[:, channel] = value
    return image


def test_the_slice_itself_is_reconstructed_not_its_neighbours() -> None:
    head = small_network(Task.RECONSTRUCTION).heads["reconstruction"]
    said = ReconstructionOutput(image=torch.full((4, 1, 64, 64), 0.5))
    losses = []
    for channel in range(3):
        batch = make_batch()
        object.__setattr__(batch, "image", three(channel, 0.5))
        losses.append(float(reconstruction_loss(head, said, batch)["l1"]))
    assert losses == [0.5, 0.0, 0.5]


def test_the_middle_channel_is_not_the_only_one_that_is_seen() -> None:
    network = small_network(Task.SEGMENTATION, neighbours=1).eval()
    one, two = three(1, 0.5), three(1, 0.5)
    two[:, 0] = 0.9
    assert not torch.equal(
        network.predict(one).mask_probabilities, network.predict(two).mask_probabilities
    )


def test_hidden_patches_are_hidden_in_the_neighbours_too() -> None:
    network = small_network(Task.RECONSTRUCTION, neighbours=1)
    batch = make_batch()
    object.__setattr__(batch, "image", batch.image.expand(-1, 3, -1, -1))
    losses = network.losses(batch, torch.Generator().manual_seed(0))
    assert bool(losses.of(Task.RECONSTRUCTION).isfinite())


@pytest.mark.parametrize(("neighbours", "channels"), [(0, 3), (1, 1), (2, 3)])
def test_an_image_of_other_channels_is_refused(neighbours: int, channels: int) -> None:
    network = small_network(Task.SEGMENTATION, neighbours=neighbours).eval()
    with pytest.raises(BundleError, match=rf"E_OTHER_INPUT .*found {channels}"):
        network.predict(torch.zeros(1, channels, 64, 64))


@pytest.mark.slow
def test_a_run_with_neighbours_evaluates_and_predicts(tmp_path: Path) -> None:
    cohort = write_cohort(tmp_path / "cohort")
    recipe = tiny_recipe(
        cohort,
        tmp_path / "run",
        data={"folder": str(cohort), "image_px": 64, "neighbours": 1, "neighbour_mm": 5.0},
        run={"steps": 2, "validate_every": 2},
    )
    train(recipe, show_progress=False)
    saved = load_recipe(tmp_path / "run" / "recipe.yaml")
    extras = Extras(cards=True, maps=True)
    done = evaluate_run(saved, tmp_path / "run", split="test", draws=0, extras=extras)
    assert {card.name for card in done.cards} >= {"split", "shortcut"}
    assert {case.layers[-1].name for case in done.cases} >= {"objectness", "hidden_residual"}
    found = tetract.load(tmp_path / "run").predict(cohort / "unseen")
    assert any(line.startswith("W_NEIGHBOURS_REPEATED 2 of") for line in found.provenance.warnings)
    assert all(one.residual is not None for one in found.slices)
    other = saved.model_copy(update={"data": saved.data.model_copy(update={"neighbours": 2})})
    with pytest.raises(BundleError, match=r"E_OTHER_INPUT .*expected 1, 5\.0, found 2, 5\.0"):
        evaluate_run(other, tmp_path / "run", split="test", draws=0)
