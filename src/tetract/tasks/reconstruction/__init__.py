"""The reconstruction arm: head, loss, prediction, metrics."""

from tetract.tasks.reconstruction.head import (
    ReconstructionConfig,
    ReconstructionHead,
    ReconstructionOutput,
)
from tetract.tasks.reconstruction.loss import reconstruction_loss
from tetract.tasks.reconstruction.predict import predict_image

__all__ = [
    "ReconstructionConfig",
    "ReconstructionHead",
    "ReconstructionOutput",
    "predict_image",
    "reconstruction_loss",
]
