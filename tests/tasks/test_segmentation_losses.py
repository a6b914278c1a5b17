"""Every segmentation loss by hand, and on masks that are empty, full or not annotated."""

from __future__ import annotations

import math
from typing import get_args

import pytest
import torch

from makers import make_batch, make_network
from tetract.tasks.segmentation.boundary import boundary_loss
from tetract.tasks.segmentation.components import component_losses
from tetract.tasks.segmentation.head import SegmentationConfig, SegmentationOutput
from tetract.tasks.segmentation.loss import segmentation_loss
from tetract.tasks.segmentation.overlap import EPSILON, tversky_loss
from tetract.tasks.segmentation.pixelwise import focal_loss, lovasz_loss
from tetract.types import Task

NAMES = get_args(SegmentationConfig.model_fields["loss"].annotation)
ONE = torch.tensor([[True]])
CHANNEL = torch.tensor([True])


def grid(*values: float) -> torch.Tensor:
    side = math.isqrt(len(values))
    return torch.tensor(values).reshape(1, 1, side, side)


def test_tversky_by_hand() -> None:
    likely, truth = grid(1.0, 0.5, 0.25, 0.0), grid(1.0, 1.0, 0.0, 0.0)
    # hit 1.5, missed 0.5, false 0.25
    index = 1.5 / (1.5 + 0.7 * 0.5 + 0.3 * 0.25)
    plain = tversky_loss(likely, truth, annotated=CHANNEL, missed_weight=0.7)
    focal = tversky_loss(likely, truth, annotated=CHANNEL, missed_weight=0.7, exponent=0.75)
    assert float(plain) == pytest.approx(1 - index, abs=1e-4)
    assert float(focal) == pytest.approx((1 - index) ** 0.75, abs=1e-4)


def test_tversky_at_one_half_is_dice() -> None:
    likely, truth = grid(0.9, 0.2, 0.3, 0.1), grid(1.0, 0.0, 1.0, 0.0)
    found = tversky_loss(likely, truth, annotated=CHANNEL, missed_weight=0.5)
    assert float(found) == pytest.approx(1 - 2 * 1.2 / (1.5 + 2.0), abs=1e-4)


def test_focal_by_hand() -> None:
    logits, truth = grid(2.0, -1.0, 0.0, 3.0), grid(1.0, 0.0, 1.0, 0.0)
    total = 0.0
    for logit, wanted in zip(logits.flatten().tolist(), truth.flatten().tolist(), strict=True):
        p = 1 / (1 + math.exp(-logit))
        right = p if wanted else 1 - p
        total -= (0.75 if wanted else 0.25) * (1 - right) ** 2 * math.log(right)
    assert float(focal_loss(logits, truth, ONE)) == pytest.approx(total / 4, rel=1e-4)


def test_lovasz_is_the_jaccard_error_where_every_margin_is_one() -> None:
    # At hard predictions of logit +-1, errors are 0 or 2, and the hinge is twice 1 - IoU.
    logits, truth = grid(1.0, 1.0, -1.0, -1.0), grid(1.0, 0.0, 1.0, 0.0)
    assert float(lovasz_loss(logits, truth, ONE)) == pytest.approx(2 * (1 - 1 / 3), rel=1e-4)


def test_boundary_by_hand() -> None:
    truth = torch.zeros(1, 1, 3, 3)
    truth[0, 0, 1, 1] = 1
    likely = torch.zeros(1, 1, 3, 3)
    likely[0, 0, 1, 1], likely[0, 0, 0, 0] = 1.0, 0.5
    # Inside: 1 px from the outside, hence -1. The corner: sqrt 2 px away. The diagonal: sqrt 18.
    expected = (-1.0 + 0.5 * math.sqrt(2)) / math.sqrt(18) / 9
    assert float(boundary_loss(likely, truth, ONE)) == pytest.approx(expected, rel=1e-5)


def test_an_empty_mask_has_no_boundary() -> None:
    likely = torch.full((1, 1, 4, 4), 0.5, requires_grad=True)
    loss = boundary_loss(likely, torch.zeros(1, 1, 4, 4), ONE)
    loss.backward()
    assert float(loss.detach()) == 0.0
    assert likely.grad is not None
    assert not likely.grad.any()


def test_a_missed_small_lesion_costs_as_much_as_a_missed_large_one() -> None:
    truth = torch.zeros(1, 1, 16, 16)
    truth[0, 0, :, :6] = 1  # large
    truth[0, 0, 8, 14] = 1  # one pixel

    def dice_without(columns: slice) -> float:
        logits = torch.where(truth > 0, 20.0, -20.0)
        logits[..., columns] = -20.0
        return float(component_losses(logits, truth, ONE)["cc_dice"])

    assert dice_without(slice(0, 6)) == pytest.approx(0.5, abs=1e-3)
    assert dice_without(slice(14, 15)) == pytest.approx(0.5, abs=1e-3)


def test_component_dice_of_an_image_without_lesion_falls_with_false_pixels() -> None:
    empty = torch.zeros(1, 1, 4, 4)
    clean = component_losses(torch.full((1, 1, 4, 4), -30.0), empty, ONE)["cc_dice"]
    dirty = component_losses(torch.full((1, 1, 4, 4), 0.0), empty, ONE)["cc_dice"]
    assert float(clean) < 0.01
    assert float(dirty) == pytest.approx(1 - EPSILON / (8 + EPSILON), abs=1e-6)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("filled", ["empty", "full", "lesion"])
def test_every_loss_is_finite_and_moves_annotated_channels_only(name: str, filled: str) -> None:
    batch = make_batch(2, masks={0: [0], 1: [0]})
    truth = torch.zeros_like(batch.masks)
    if filled == "full":
        truth[:, 0] = True
    elif filled == "lesion":
        truth[0, 0, 4:9, 4:9] = True
    object.__setattr__(batch, "masks", truth)
    head = make_network(Task.SEGMENTATION).heads["segmentation"]
    head.loss = name
    logits = torch.zeros(truth.shape, requires_grad=True)
    output = SegmentationOutput(decoded=torch.zeros(2, 1, *truth.shape[2:]), logits=logits)
    parts = segmentation_loss(head, output, batch)
    sum(parts.values(), start=torch.zeros(())).backward()
    assert all(torch.isfinite(part) for part in parts.values())
    assert logits.grad is not None
    assert bool(torch.isfinite(logits.grad).all())
    assert bool(logits.grad[:, 0].any())
    assert not logits.grad[:, 1].any()
