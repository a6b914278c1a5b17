"""The segmentation arm: head, loss, prediction, metrics."""

from tetract.tasks.segmentation.head import SegmentationConfig, SegmentationHead, SegmentationOutput
from tetract.tasks.segmentation.loss import segmentation_loss
from tetract.tasks.segmentation.predict import predict_masks

__all__ = [
    "SegmentationConfig",
    "SegmentationHead",
    "SegmentationOutput",
    "predict_masks",
    "segmentation_loss",
]
