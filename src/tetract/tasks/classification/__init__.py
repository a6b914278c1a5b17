"""The classification arm: head, loss, prediction, metrics."""

from tetract.tasks.classification.head import (
    ClassificationConfig,
    ClassificationHead,
    ClassificationOutput,
)
from tetract.tasks.classification.loss import classification_loss
from tetract.tasks.classification.predict import predict_classes

__all__ = [
    "ClassificationConfig",
    "ClassificationHead",
    "ClassificationOutput",
    "classification_loss",
    "predict_classes",
]
