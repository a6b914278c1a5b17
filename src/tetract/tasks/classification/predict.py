"""Class probabilities from logits."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor

from tetract.tasks.classification.head import ClassificationHead, ClassificationOutput


def predict_classes(
    head: ClassificationHead,  # noqa: ARG001  the four rooms share one signature
    output: ClassificationOutput,
) -> Float[Tensor, "B K"]:
    """(B, K) probabilities; each row sums to 1. Not calibrated."""
    return output.logits.softmax(dim=1)
