"""A model on disk comes back whole, or not at all."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from makers import make_batch, make_network
from tetract.errors import BundleError
from tetract.model import load_bundle, load_weights_from, save_bundle
from tetract.types import Task


def saved(folder: Path, *tasks: Task) -> Path:
    save_bundle(folder, make_network(*tasks), version="test")
    return folder


def test_a_saved_model_predicts_the_same_after_loading(tmp_path: Path) -> None:
    network = make_network().eval()
    save_bundle(tmp_path, network, version="test")
    image = make_batch(2).image
    before, after = network.predict(image), load_bundle(tmp_path).network.predict(image)
    assert torch.equal(before.class_probabilities, after.class_probabilities)
    assert torch.equal(before.mask_probabilities, after.mask_probabilities)
    assert torch.equal(before.boxes[0].xyxy, after.boxes[0].xyxy)


def test_a_run_folder_means_its_best_model(tmp_path: Path) -> None:
    saved(tmp_path / "last", Task.CLASSIFICATION)
    saved(tmp_path / "best", Task.SEGMENTATION)
    assert load_bundle(tmp_path).network.tasks == (Task.SEGMENTATION,)


def test_damaged_weights_are_refused(tmp_path: Path) -> None:
    weights = saved(tmp_path, Task.CLASSIFICATION) / "model.safetensors"
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(bytes(content))
    with pytest.raises(BundleError, match="E_MODEL_DIGEST"):
        load_bundle(tmp_path)


def test_weights_of_another_model_are_refused(tmp_path: Path) -> None:
    one = saved(tmp_path / "one", Task.CLASSIFICATION)
    two = saved(tmp_path / "two", Task.SEGMENTATION)
    (one / "model.safetensors").write_bytes((two / "model.safetensors").read_bytes())
    with pytest.raises(BundleError, match="E_MODEL_DIGEST"):
        load_bundle(one)


def test_a_description_of_another_task_set_is_refused(tmp_path: Path) -> None:
    file = saved(tmp_path, Task.CLASSIFICATION) / "model.json"
    document = json.loads(file.read_text())
    document["spec"]["tasks"] = ["segmentation"]
    file.write_text(json.dumps(document))
    with pytest.raises(BundleError, match=r"E_BAD_MODEL.*missing"):
        load_bundle(tmp_path)


def test_an_unreadable_description_is_one_line(tmp_path: Path) -> None:
    (saved(tmp_path, Task.CLASSIFICATION) / "model.json").write_text("{")
    with pytest.raises(BundleError, match="E_BAD_MODEL") as caught:
        load_bundle(tmp_path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("make", [False, True])
def test_a_folder_without_a_model_is_refused(tmp_path: Path, make: bool) -> None:
    folder = tmp_path / "nothing"
    if make:
        folder.mkdir()
    with pytest.raises(BundleError, match="E_NO_MODEL nothing"):
        load_bundle(folder)


def test_carried_weights_are_reported_part_by_part(tmp_path: Path) -> None:
    saved(tmp_path, Task.CLASSIFICATION)
    network = make_network(Task.SEGMENTATION, Task.CLASSIFICATION, seed=1, classes=("a", "b"))
    reports = {r.part: r for r in load_weights_from(network, tmp_path)}
    assert reports["encoder"].loaded > 0
    assert reports["encoder"].missing == ()
    assert reports["segmentation"].loaded == 0
    assert any("(3,) -> (2,)" in line for line in reports["classification"].mismatched)


def test_carried_weights_change_the_encoder(tmp_path: Path) -> None:
    saved(tmp_path, Task.CLASSIFICATION)
    network = make_network(Task.SEGMENTATION, seed=1)
    load_weights_from(network, tmp_path)
    old = load_bundle(tmp_path).network.encoder.state_dict()
    assert all(torch.equal(t, old[n]) for n, t in network.encoder.state_dict().items())


def test_a_first_convolution_of_other_channels_is_reported(tmp_path: Path) -> None:
    saved(tmp_path, Task.CLASSIFICATION)
    network = make_network(Task.CLASSIFICATION, seed=1, neighbours=1)
    before = network.encoder.trunk.conv1.weight.clone()
    reports = {r.part: r for r in load_weights_from(network, tmp_path)}
    assert reports["encoder"].mismatched == (
        "encoder.trunk.conv1.weight (64, 1, 7, 7) -> (64, 3, 7, 7)",
    )
    assert torch.equal(network.encoder.trunk.conv1.weight, before)


def test_a_run_that_shares_nothing_is_refused(tmp_path: Path) -> None:
    saved(tmp_path, Task.CLASSIFICATION)
    other = make_network(Task.SEGMENTATION, encoder={"name": "tu-efficientnet_lite0"})
    with pytest.raises(BundleError, match="E_NOTHING_LOADED"):
        load_weights_from(other, tmp_path)
