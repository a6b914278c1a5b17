"""Masks on coarser steps of the decoder, and a finer map for it to join."""

from __future__ import annotations

import pytest
import torch

from makers import make_batch, make_network
from tetract.model import Encoder, EncoderConfig
from tetract.tasks.segmentation import SegmentationOutput, segmentation_loss
from tetract.types import Task

S = Task.SEGMENTATION
DEEP = {"widths": (32, 16, 16, 16, 8), "deep_supervision": 2}


def levels(*shapes: int, value: float) -> list[torch.Tensor]:
    return [torch.full((4, 2, side, side), value) for side in shapes]


def test_coarser_steps_are_half_and_a_quarter_of_the_image() -> None:
    network = make_network(S, segmentation=DEEP)
    output = network(make_batch().image).segmentation
    assert output.logits.shape == (4, 2, 64, 64)
    assert [tuple(m.shape) for m in output.coarser] == [(4, 2, 32, 32), (4, 2, 16, 16)]


def test_steps_weigh_one_a_half_and_a_quarter() -> None:
    """By hand: constant logits, one step right and two wrong."""
    head = make_network(S, segmentation=DEEP | {"loss": "dice"}).heads["segmentation"]
    batch = make_batch(masks={0: [0], 1: [0], 2: [0], 3: [0]})
    right = torch.where(batch.masks, 40.0, -40.0)
    (wrong,) = levels(64, value=-40.0)
    half, quarter = levels(32, 16, value=-40.0)
    good = SegmentationOutput(decoded=right, logits=right, coarser=(half, quarter))
    bad = SegmentationOutput(decoded=wrong, logits=wrong, coarser=(half, quarter))
    assert float(segmentation_loss(head, good, batch)["dice"]) == pytest.approx(
        0.75 / 1.75, abs=1e-4
    )
    assert float(segmentation_loss(head, bad, batch)["dice"]) == pytest.approx(1.0, abs=1e-4)


def test_a_lesion_of_one_pixel_is_asked_for_on_every_step() -> None:
    head = make_network(S, segmentation=DEEP | {"loss": "bce"}).heads["segmentation"]
    batch = make_batch(masks={0: [1]})
    batch.masks.zero_()
    batch.masks[0, 1, 37, 22] = True
    steps = levels(64, 32, 16, value=0.0)
    for logits in steps:
        logits.requires_grad_()
    output = SegmentationOutput(decoded=steps[0], logits=steps[0], coarser=tuple(steps[1:]))
    segmentation_loss(head, output, batch)["bce"].backward()
    for logits, place in zip(steps, [(37, 22), (18, 11), (9, 5)], strict=True):
        grad = logits.grad
        assert grad is not None
        assert (grad < 0).nonzero().tolist() == [[0, 1, *place]]


def test_a_class_that_was_not_annotated_teaches_no_step() -> None:
    network = make_network(S, segmentation=DEEP)
    losses = network.losses(make_batch(masks={0: [0]}), torch.Generator())
    losses.of(S).backward()
    head = network.heads["segmentation"]
    for layer in (head.project, *head.coarser):
        assert bool((layer.weight.grad[0] != 0).any())
        assert bool((layer.weight.grad[1] == 0).all())


def test_overlap_is_pooled_over_the_batch() -> None:
    """One row right to the pixel, one that paints an empty slice: one Dice of both, not two."""
    head = make_network(S, segmentation={"loss": "dice"}).heads["segmentation"]
    batch = make_batch(masks={0: [0], 1: [0]})
    batch.masks[1] = False
    logits = torch.where(batch.masks, 40.0, -40.0)
    logits[1, 0, :10, :10] = 40.0  # 100 pixels beside the 400 of row 0
    output = SegmentationOutput(decoded=logits, logits=logits)
    found = float(segmentation_loss(head, output, batch)["dice"])
    assert found == pytest.approx(1 - 2 * 400 / (400 + 500), abs=1e-4)


def test_a_fine_stem_gives_the_decoder_a_skip_at_full_size() -> None:
    encoder = Encoder(EncoderConfig(fine_stem=8))
    features = encoder(torch.rand(1, 1, 64, 64))
    assert features.strides[:2] == encoder.strides[:2] == (1, 2)
    assert features.maps[0].shape == (1, 8, 64, 64)
    assert features.channels == encoder.channels


def test_an_encoder_with_a_map_at_full_size_needs_no_stem() -> None:
    encoder = Encoder(EncoderConfig(name="vgg13", fine_stem=8))
    assert encoder.fine_stem is None
    assert encoder.strides[:2] == (1, 2)


def test_the_masks_teach_the_fine_stem() -> None:
    network = make_network(S, encoder={"fine_stem": 8})
    network.losses(make_batch(masks={0: [0]}), torch.Generator()).of(S).backward()
    grad = network.encoder.fine_stem[0][0].weight.grad
    assert bool((grad != 0).any())
