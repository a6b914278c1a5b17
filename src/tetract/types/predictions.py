"""What the network says about a batch: decoded, still on the model's grid, as tensors."""

from __future__ import annotations

from dataclasses import dataclass

from jaxtyping import Float, Float32, Int64
from torch import Tensor


@dataclass(frozen=True, slots=True, kw_only=True)
class DetectedBoxes:
    """Detected lesions of one row, best score first.

    Attributes:
        xyxy: (N, 4) float32 pixels on the model's grid, half-open.
        scores: (N,) float32 in [0, 1].
        labels: (N,) int64 from 0, index into ``LabelSpace.box_classes``.
        masks: (N, H, W) float32 instance-mask probabilities, 0 outside the box.
    """

    xyxy: Float32[Tensor, "N 4"]
    scores: Float32[Tensor, " N"]
    labels: Int64[Tensor, " N"]
    masks: Float32[Tensor, "N H W"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Predictions:
    """One optional field per task; None where the network has no such head.

    Attributes:
        class_probabilities: (B, K), rows sum to 1.
        mask_probabilities: (B, M, H, W), each channel on its own in [0, 1].
        reconstruction: (B, 1, H, W) in [0, 1].
        boxes: One entry per row.
    """

    class_probabilities: Float[Tensor, "B K"] | None = None
    mask_probabilities: Float[Tensor, "B M H W"] | None = None
    reconstruction: Float[Tensor, "B 1 H W"] | None = None
    boxes: tuple[DetectedBoxes, ...] | None = None
