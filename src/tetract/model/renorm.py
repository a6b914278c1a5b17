"""BatchNorm statistics measured on the data at hand (Wu & Johnson 2021, arXiv 2105.07576)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import cast

import torch
from jaxtyping import Float
from torch import Tensor, nn

from tetract.errors import RecipeError
from tetract.model.encoder import Encoder


class _Sums:
    """Sums over the pixels that one BatchNorm layer has seen."""

    def __init__(self) -> None:
        self.pixels = 0
        self.first = torch.zeros(())
        self.second = torch.zeros(())

    def add(self, values: Float[Tensor, "B C H W"]) -> None:
        """Count one batch."""
        double = values.detach().double()
        self.pixels += values.shape[0] * values.shape[2] * values.shape[3]
        self.first = self.first.to(double) + double.sum(dim=(0, 2, 3))
        self.second = self.second.to(double) + double.square().sum(dim=(0, 2, 3))

    def write(self, layer: nn.BatchNorm2d) -> None:
        """Make them the layer's statistics."""
        mean = self.first / self.pixels
        cast("Tensor", layer.running_mean).copy_(mean)
        cast("Tensor", layer.running_var).copy_(self.second / self.pixels - mean.square())


@torch.no_grad()
def reestimate_norm(encoder: Encoder, images: Iterable[Float[Tensor, "_B C H W"]]) -> int:
    """Set every BatchNorm's statistics to those of ``images``, which need no label.

    While it measures, each layer normalises by its batch as in training; what it keeps is the mean
    and the variance over all pixels of all batches. The encoder is left in the mode it was in.

    Args:
        encoder: With BatchNorm layers, weights loaded.
        images: Batches of slices in [0, 1], unaugmented, large enough to stand for the data.

    Returns:
        How many slices were seen.

    Raises:
        RecipeError: ``E_NO_BATCH_NORM`` where there is nothing to measure for.
    """
    layers = [m for m in encoder.modules() if isinstance(m, nn.BatchNorm2d)]
    if not layers:
        raise RecipeError(
            "E_NO_BATCH_NORM",
            "this encoder has no BatchNorm whose statistics could be measured",
            where="run.reestimate_norm",
            fix="Set it to 0, or give encoder.norm=frozen",
        )
    was_training = encoder.training
    encoder.eval()
    sums = [_Sums() for _ in layers]
    kept = [(layer.momentum, layer.training) for layer in layers]
    handles = [
        layer.register_forward_pre_hook(partial(_note, one.add))
        for layer, one in zip(layers, sums, strict=True)
    ]
    seen = 0
    try:
        for layer in layers:
            layer.train()
            layer.momentum = 0.0  # the hooks keep the sums; a running mean would forget
        for image in images:
            encoder(image)
            seen += len(image)
    finally:
        for handle in handles:
            handle.remove()
        for layer, (momentum, training) in zip(layers, kept, strict=True):
            layer.momentum = momentum
            layer.train(training)
        encoder.train(was_training)
    for layer, one in zip(layers, sums, strict=True):
        one.write(layer)
    return seen


def _note(add: Callable[[Tensor], None], _layer: nn.Module, inputs: tuple[Tensor, ...]) -> None:
    add(inputs[0])
