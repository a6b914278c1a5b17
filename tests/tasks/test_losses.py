"""Losses against hand calculations, and on the edges."""

from __future__ import annotations

import math

import pytest
import torch

from makers import make_batch, make_network
from tetract.tasks.classification import ClassificationOutput, classification_loss
from tetract.tasks.classification.head import AttentionPool
from tetract.tasks.reconstruction import ReconstructionOutput, reconstruction_loss
from tetract.tasks.reconstruction.hide import draw_hidden, hide
from tetract.tasks.segmentation.overlap import dice_loss, generalized_dice_loss
from tetract.types import Task


def classify(logits: list[list[float]], label: dict[int, list[int]], **config: object) -> float:
    batch = make_batch(len(logits), label=label)
    head = make_network(Task.CLASSIFICATION, classification=config).heads["classification"]
    output = ClassificationOutput(logits=torch.tensor(logits))
    return float(classification_loss(head, output, batch)["cross_entropy"])


def test_one_candidate_is_cross_entropy() -> None:
    logits = [[1.0, 2.0, 0.5]]
    by_hand = -math.log(math.exp(2.0) / (math.exp(1.0) + math.exp(2.0) + math.exp(0.5)))
    assert classify(logits, {0: [1]}) == pytest.approx(by_hand, rel=1e-5)


def test_candidates_share_their_probability() -> None:
    probability = (math.exp(1.0) + math.exp(0.5)) / (math.exp(1.0) + math.exp(2.0) + math.exp(0.5))
    assert classify([[1.0, 2.0, 0.5]], {0: [0, 2]}) == pytest.approx(
        -math.log(probability), rel=1e-5
    )


def test_smoothing_is_that_of_torch_where_the_class_is_certain() -> None:
    logits = [[1.0, 2.0, 0.5], [0.0, -1.0, 3.0]]
    theirs = torch.nn.functional.cross_entropy(
        torch.tensor(logits), torch.tensor([1, 0]), label_smoothing=0.2
    )
    assert classify(logits, {0: [1], 1: [0]}, label_smoothing=0.2) == pytest.approx(
        float(theirs), rel=1e-5
    )


def test_smoothing_asks_for_the_candidates_and_a_little_for_every_class() -> None:
    logits, label = [[1.0, 2.0, 0.5]], {0: [0, 2]}
    even = -sum(torch.tensor(logits).log_softmax(dim=1)[0].tolist()) / 3
    by_hand = 0.9 * classify(logits, label) + 0.1 * even
    assert classify(logits, label, label_smoothing=0.1) == pytest.approx(by_hand, rel=1e-5)


def test_attention_starts_as_the_average_and_learns_to_look() -> None:
    pool = AttentionPool(2)
    features = torch.zeros(1, 2, 4, 4)
    features[0, :, 1, 2] = 1.0
    assert torch.allclose(pool(features), features.mean(dim=(2, 3)))
    pool(features).sum().backward()
    grad = pool.score.weight.grad
    assert grad is not None
    assert bool((grad > 0).all())
    with torch.no_grad():
        pool.score.weight.fill_(20.0)
    assert torch.allclose(pool(features), torch.ones(1, 2))


def test_dice_by_hand() -> None:
    likely = torch.tensor([1.0, 0.5, 0.0, 0.0]).reshape(1, 1, 2, 2)
    truth = torch.tensor([1.0, 1.0, 0.0, 0.0]).reshape(1, 1, 2, 2)
    loss = dice_loss(likely, truth, annotated=torch.tensor([True]))
    assert float(loss) == pytest.approx(1 - 2 * 1.5 / 3.5, abs=1e-4)


def test_dice_on_empty_masks_is_finite_and_pushes_down() -> None:
    likely = torch.full((2, 1, 4, 4), 0.3, requires_grad=True)
    loss = dice_loss(likely, torch.zeros(2, 1, 4, 4), annotated=torch.tensor([True]))
    loss.backward()
    assert torch.isfinite(loss)
    assert likely.grad is not None
    assert bool((likely.grad > 0).all())


def test_generalized_dice_by_hand() -> None:
    likely = torch.zeros(1, 2, 1, 4)
    truth = torch.zeros(1, 2, 1, 4)
    truth[0, 0, 0, :1] = 1  # area 1, weight 1
    truth[0, 1, 0, :2] = 1  # area 2, weight 1/4
    likely[0, 0, 0, 0] = 1
    likely[0, 1, 0, 3] = 1
    weights = torch.tensor([1.0, 0.25]) / 1.25
    expected = 1 - 2 * (weights[0] * 1) / (weights[0] * 2 + weights[1] * 3)
    assert float(generalized_dice_loss(likely, truth)) == pytest.approx(float(expected), abs=1e-4)


@pytest.mark.parametrize("present", [(), (0,), (0, 1)])
def test_generalized_dice_is_finite_with_absent_classes(present: tuple[int, ...]) -> None:
    truth = torch.zeros(1, 2, 8, 8)
    truth[0, list(present), :3, :3] = 1
    likely = torch.full((1, 2, 8, 8), 0.2, requires_grad=True)
    loss = generalized_dice_loss(likely, truth)
    loss.backward()
    assert torch.isfinite(loss)
    assert likely.grad is not None
    assert bool(torch.isfinite(likely.grad).all())


def test_reconstruction_counts_hidden_pixels_only() -> None:
    batch = make_batch(1)
    hidden = torch.zeros(1, 1, 64, 64, dtype=torch.bool)
    hidden[..., :32] = True
    wrong = torch.where(hidden, batch.image + 0.25, batch.image - 0.5)
    object.__setattr__(batch, "hidden", hidden)
    head = make_network(Task.RECONSTRUCTION).heads["reconstruction"]
    parts = reconstruction_loss(head, ReconstructionOutput(image=wrong), batch)
    assert float(parts["l1"]) == pytest.approx(0.25, abs=1e-5)


@pytest.mark.parametrize(("height", "width"), [(64, 64), (70, 50)])
def test_the_asked_share_of_patches_is_hidden(height: int, width: int) -> None:
    hidden = draw_hidden(
        (3, height, width),
        patch_px=16,
        fraction=0.5,
        generator=torch.Generator().manual_seed(0),
    )
    assert hidden.shape == (3, 1, height, width)
    assert 0.3 < float(hidden.float().mean()) < 0.7


def test_hiding_changes_hidden_pixels_only() -> None:
    image = torch.rand(2, 1, 32, 32)
    hidden = draw_hidden(
        (2, 32, 32), patch_px=8, fraction=0.25, generator=torch.Generator().manual_seed(1)
    )
    shown = hide(image, hidden)
    assert torch.equal(shown[~hidden], image[~hidden])
    assert bool((shown[hidden] == 0.5).all())
