"""The detection arm: head, loss, prediction, metrics."""

from tetract.tasks.detection.config import DetectionConfig
from tetract.tasks.detection.head import DetectionHead, DetectionOutput
from tetract.tasks.detection.loss import detection_loss
from tetract.tasks.detection.predict import predict_boxes

__all__ = ["DetectionConfig", "DetectionHead", "DetectionOutput", "detection_loss", "predict_boxes"]
