"""BatchNorm statistics measured on slices, then kept."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from tetract.errors import RecipeError
from tetract.model import Encoder, EncoderConfig, reestimate_norm

TINY = "tu-test_resnet"


def frozen() -> Encoder:
    torch.manual_seed(0)
    return Encoder(EncoderConfig(name=TINY, norm="frozen")).train()


def first_norm(encoder: Encoder) -> nn.BatchNorm2d:
    return next(m for m in encoder.modules() if isinstance(m, nn.BatchNorm2d))


def test_statistics_are_those_of_all_pixels_of_all_slices() -> None:
    encoder, seen = frozen(), []
    layer = first_norm(encoder)
    handle = layer.register_forward_pre_hook(lambda _layer, inputs: seen.append(inputs[0]))
    images = [torch.rand(3, 1, 64, 64) ** 2, 0.5 * torch.rand(2, 1, 64, 64)]
    assert reestimate_norm(encoder, images) == 5
    handle.remove()
    pixels = torch.cat([m.transpose(0, 1).flatten(1) for m in seen], dim=1)
    torch.testing.assert_close(layer.running_mean, pixels.mean(dim=1), rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(
        layer.running_var, pixels.var(dim=1, correction=0), rtol=1e-4, atol=1e-5
    )


def test_every_layer_is_measured_and_then_frozen_again() -> None:
    encoder = frozen()
    layers = [m for m in encoder.modules() if isinstance(m, nn.BatchNorm2d)]
    before = [layer.running_mean.clone() for layer in layers]
    reestimate_norm(encoder, [torch.rand(4, 1, 64, 64)])
    assert all(
        not torch.equal(layer.running_mean, b) for layer, b in zip(layers, before, strict=True)
    )
    assert encoder.training
    after = {n: b.clone() for n, b in encoder.named_buffers()}
    encoder(torch.rand(2, 1, 64, 64))
    assert all(torch.equal(b, after[n]) for n, b in encoder.named_buffers())


def test_an_encoder_without_batch_norm_is_refused() -> None:
    encoder = Encoder(EncoderConfig(name=TINY, norm="group"))
    with pytest.raises(RecipeError, match="E_NO_BATCH_NORM"):
        reestimate_norm(encoder, [torch.rand(1, 1, 64, 64)])
