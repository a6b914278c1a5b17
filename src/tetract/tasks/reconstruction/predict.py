"""The reconstructed slice."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor

from tetract.tasks.reconstruction.head import ReconstructionHead, ReconstructionOutput


def predict_image(
    head: ReconstructionHead,  # noqa: ARG001  the four rooms share one signature
    output: ReconstructionOutput,
) -> Float[Tensor, "B 1 H W"]:
    """(B, 1, H, W) in [0, 1] over the model's window."""
    return output.image
