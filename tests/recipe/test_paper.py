"""The paper's form: one word in a recipe, and every task subset that the paper names trains."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

from makers import full_batch, make_spec
from tetract.errors import RecipeError
from tetract.model import Network
from tetract.recipe import Recipe, load_recipe, save_recipe
from tetract.recipe.load import validate
from tetract.train import OptimiserConfig
from tetract.train.module import rate_factor
from tetract.types import Task

SUBSETS = ["C", "S", "R", "D", "CS", "CR", "SR", "DR", "CSR", "CSRD"]
RUNS = [(name, "vgg13") for name in SUBSETS] + [("SR", "resnet50"), ("CSRD", "resnet50")]


def paper(**changes: object) -> Recipe:
    return validate({"data": {"folder": "x"}, "preset": "as_paper", **changes}, where="test")


@pytest.mark.slow
@pytest.mark.parametrize(("letters", "encoder"), RUNS)
def test_every_task_subset_of_the_paper_takes_a_step(letters: str, encoder: str) -> None:
    tasks = tuple(task for task in Task if task.value[0].upper() in letters)
    # The stock detector with narrower layers, which cost more than all the rest.
    narrow = {"preset": "as_paper", "width": 32, "box_hidden": 32}
    recipe = paper(encoder={"name": encoder}, detection=narrow)
    parts = ("encoder", "classification", "segmentation", "reconstruction", "detection")
    network = Network(make_spec(*tasks, **{part: getattr(recipe, part) for part in parts}))
    losses = network.losses(full_batch(), torch.Generator().manual_seed(0))
    torch.stack([losses.of(task) for task in tasks]).sum().backward()
    assert tuple(losses.parts) == tasks
    for part in (network.encoder, *network.heads.values()):
        grads = [p.grad for p in part.parameters() if p.grad is not None]
        assert any(bool((grad != 0).any()) for grad in grads)
        assert all(bool(grad.isfinite().all()) for grad in grads)


def test_the_papers_networks_normalise_by_the_batch_and_keep_every_skip() -> None:
    recipe = paper()
    parts = ("encoder", "classification", "segmentation", "reconstruction", "detection")
    network = Network(make_spec(**{part: getattr(recipe, part) for part in parts}))
    arms = [network.encoder, network.heads["segmentation"], network.heads["reconstruction"]]
    for arm in arms:
        kinds = {type(m) for m in arm.modules()}
        assert nn.BatchNorm2d in kinds
        assert nn.GroupNorm not in kinds
    # 512 up-sampled channels and a skip of 512 become 512; at full size 64 and a skip of 64.
    blocks = network.heads["reconstruction"].get_submodule("decoder.blocks")
    shapes = [tuple(block.convolve[0][0].weight.shape[:2]) for block in blocks]
    assert shapes == [(512, 1024), (256, 1024), (128, 512), (64, 256), (32, 128)]


def test_a_setting_of_ones_own_stays(tmp_path: Path) -> None:
    recipe = paper(segmentation={"loss": "dice"}, run={"steps": 3})
    assert recipe.segmentation.loss == "dice"
    assert recipe.segmentation.norm == "batch"
    assert recipe.detection.anchor_scales == (8.0,)
    save_recipe(recipe, tmp_path / "recipe.yaml")
    assert load_recipe(tmp_path / "recipe.yaml") == recipe


def test_the_preset_can_be_given_on_the_command_line() -> None:
    recipe = load_recipe(Path("recipes/cpu.yaml"), ["preset=as_paper"])
    assert (recipe.encoder.name, recipe.encoder.norm) == ("resnet18", "group")
    assert recipe.optimiser == OptimiserConfig(
        method="adam",
        rate=0.002,
        encoder_factor=0.5,
        weight_decay=0.0,
        warmup=0.0,
        schedule="constant",
        clip_norm=None,
    )


def test_a_constant_rate_is_kept_after_the_warm_up() -> None:
    assert [rate_factor(s, 10, 0.2, falls=False) for s in (0, 1, 2, 9)] == [0.5, 1.0, 1.0, 1.0]


def test_a_class_that_would_change_the_masks_statistics_is_refused() -> None:
    recipe = paper(classification={"read_segmentation": True}, classes=("a", "b"))
    recipe = recipe.model_copy(update={"mask_classes": ("m",), "box_classes": ("b",)})
    with pytest.raises(ValueError, match=r"segmentation\.norm batch needs"):
        recipe.network_spec()
    with pytest.raises(RecipeError, match=r"E_BAD_VALUE .*preset"):
        paper(preset="as_papers")
