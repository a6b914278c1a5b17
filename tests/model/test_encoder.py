"""One contract for every trunk."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from tetract.errors import RecipeError
from tetract.model import Encoder, EncoderConfig

NAMES = ["vgg13", "resnet18", "resnet50", "tu-efficientnet_lite0"]


@pytest.mark.parametrize("name", NAMES)
def test_a_trunk_yields_what_it_says(name: str) -> None:
    encoder = Encoder(EncoderConfig(name=name)).eval()
    features = encoder(torch.zeros(1, 1, 64, 96))
    assert features.channels == encoder.channels
    assert features.strides == encoder.strides
    assert features.image_size == (64, 96)
    for m, stride in zip(features.maps, features.strides, strict=True):
        assert m.shape[-2:] == (64 // stride, 96 // stride)


@pytest.mark.parametrize("name", NAMES)
def test_group_norm_leaves_no_batch_norm(name: str) -> None:
    encoder = Encoder(EncoderConfig(name=name, norm="group"))
    assert not any(isinstance(m, nn.BatchNorm2d) for m in encoder.modules())
    assert any(isinstance(m, nn.GroupNorm) for m in encoder.modules())


def test_frozen_batch_norm_keeps_its_statistics_in_training() -> None:
    encoder = Encoder(EncoderConfig(name="resnet18", norm="frozen")).train()
    before = {n: b.clone() for n, b in encoder.named_buffers()}
    encoder(torch.rand(2, 1, 64, 64))
    assert all(torch.equal(b, before[n]) for n, b in encoder.named_buffers())


@pytest.mark.parametrize(
    ("name", "near"),
    [("resnet5O", "resnet50"), ("vgg_13", "vgg13"), ("tu-efficientnet_lite00", "tu-efficientnet_")],
)
def test_a_misspelt_encoder_is_answered_with_near_ones(name: str, near: str) -> None:
    with pytest.raises(RecipeError, match=rf"E_UNKNOWN_ENCODER.*Did you mean .*{near}"):
        Encoder(EncoderConfig(name=name))


def test_an_encoder_without_five_maps_is_refused() -> None:
    with pytest.raises(RecipeError, match="E_ENCODER_UNFIT"):
        Encoder(EncoderConfig(name="tu-vit_tiny_patch16_224"))
