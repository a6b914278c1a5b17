from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from recipe_cases import SMALL
from tetract.infer.explain.maps import draw_maps, grad_cam, map_names
from tetract.infer.explain.sanity import check_sanity, randomised, rank_correlation
from tetract.model import Network
from tetract.model.spec import NetworkSpec
from tetract.tasks.reconstruction.complementary import draw_turns, infer_unseen


@pytest.fixture(scope="module")
def network() -> Network:
    spec = NetworkSpec.model_validate(
        {
            "tasks": ["classification", "segmentation", "reconstruction", "detection"],
            "classes": ["covid", "normal"],
            "mask_classes": ["infection"],
            "box_classes": ["infection"],
            "image_px": 64,
            "window_hu": [-1350, 150],
            **SMALL,
        }
    )
    return randomised(Network(spec), 7)


@pytest.fixture(scope="module")
def image() -> Tensor:
    return torch.rand(2, 1, 64, 64, generator=torch.Generator().manual_seed(0))


def edges(_: Network, image: Tensor) -> dict[str, Tensor]:
    """Never asks the network."""
    return {"edges": (image[:, 0] - image[:, 0].roll(1, dims=2)).abs()}


def test_an_edge_detector_fails_the_sanity_check(network: Network, image: Tensor) -> None:
    (found,) = check_sanity(edges, network, image, [None, None])
    assert found.correlation == pytest.approx(1.0)
    assert found.passed is False


def test_a_map_made_of_the_weights_passes(network: Network, image: Tensor) -> None:
    def weighed(net: Network, image: Tensor) -> dict[str, Tensor]:
        seed = int(next(net.parameters()).abs().sum() * 1e6)
        return {
            "noise": torch.rand(image[:, 0].shape, generator=torch.Generator().manual_seed(seed))
        }

    (found,) = check_sanity(weighed, network, image, [None, (0, 8, 64, 56)])
    assert found.correlation is not None
    assert found.correlation < 0.1
    assert found.passed is True


def test_a_map_that_is_the_same_everywhere_is_neither(network: Network, image: Tensor) -> None:
    (found,) = check_sanity(lambda _, i: {"flat": i[:, 0] * 0}, network, image, [None, None])
    assert (found.correlation, found.passed) == (None, None)
    assert found.reason


def test_rank_correlation_is_spearmans() -> None:
    assert rank_correlation(np.array([1.0, 2, 3, 4]), np.array([1.0, 4, 9, 16])) == pytest.approx(1)
    # By hand: 1 - 6 * (1 + 1 + 0 + 0) / (4 * 15) = 0.8.
    assert rank_correlation(np.array([1.0, 2, 3, 4]), np.array([2.0, 1, 3, 4])) == pytest.approx(
        0.8
    )


def test_every_map_lies_on_the_image_and_is_finite(network: Network, image: Tensor) -> None:
    maps = draw_maps(network, image)
    assert tuple(maps) == map_names(network)
    for values in maps.values():
        assert values.shape == (2, 64, 64)
        assert torch.isfinite(values).all()
        assert (values >= 0).all()
    assert (maps["objectness"] <= 1).all()


def test_drawing_maps_leaves_the_network_as_it_was(network: Network, image: Tensor) -> None:
    before = network.predict(image).class_probabilities
    draw_maps(network, image)
    after = network.predict(image).class_probabilities
    assert before is not None
    assert after is not None
    assert torch.equal(after, before)
    assert all(p.grad is None for p in network.parameters())


def test_a_class_map_sums_to_what_a_linear_head_reads() -> None:
    maps = torch.rand(1, 3, 4, 4).requires_grad_(True)
    weights = torch.tensor([0.5, 1.0, 2.0])
    logit = (maps.mean(dim=(2, 3)) * weights).sum()
    cam = grad_cam((maps,), logit, torch.zeros(1, 1, 16, 16))
    assert float(cam.sum()) == pytest.approx(float(logit.detach()), rel=1e-5)


@pytest.mark.parametrize("fraction", [0.5, 0.3, 0.75])
def test_the_turns_hide_every_pixel_and_equally_many(fraction: float) -> None:
    turns = draw_turns(
        (64, 64), patch_px=16, fraction=fraction, generator=torch.Generator().manual_seed(0)
    )
    assert len(turns) == math.ceil(16 / round(fraction * 16))
    assert turns.any(dim=0).all()
    assert len({int(turn.sum()) for turn in turns}) == 1


def test_no_pixel_is_inferred_while_it_is_shown(image: Tensor) -> None:
    turns = draw_turns(
        (64, 64), patch_px=16, fraction=0.3, generator=torch.Generator().manual_seed(0)
    )

    def copy_what_is_shown(shown: Tensor) -> Tensor:
        return torch.where(shown == 0.5, 0.9, shown)

    assert infer_unseen(copy_what_is_shown, image, turns) == pytest.approx(
        torch.full_like(image, 0.9)
    )
