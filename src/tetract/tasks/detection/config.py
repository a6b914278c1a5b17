"""Settings of the detection head."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class DetectionConfig(BaseModel):
    """Mask R-CNN sized for slices with few, small lesions.

    torchvision's defaults look for objects of 32 to 512 px on 800 px photographs; a 6 mm nodule
    on a 256 px slice is 4 px wide. Sampling follows the same thought: 512 regions per slice are
    nearly all easy background when a slice shows one lesion.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    width: int = Field(default=64, ge=16, description="Channels of pyramid and mask head.")
    box_hidden: int = Field(default=256, ge=16, description="Width of the box head's two layers.")
    finest_stride: int = Field(default=4, description="Finest pyramid level, stride in px: 2 or 4.")
    anchor_scales: tuple[float, ...] = Field(
        default=(2.0, 3.0), description="Anchor side as a multiple of its level's stride."
    )
    anchor_ratios: tuple[float, ...] = Field(
        default=(0.7, 1.0, 1.4), description="Anchor height over width."
    )
    anchors_per_row: int = Field(default=64, ge=2, description="Anchors sampled per slice.")
    regions_per_row: int = Field(default=32, ge=2, description="Regions sampled per slice.")
    proposals: int = Field(default=100, ge=1, description="Proposals kept per slice.")
    smallest_score: float = Field(default=0.05, ge=0.0, lt=1.0, description="Score kept at least.")
    largest_overlap: float = Field(default=0.3, gt=0.0, le=1.0, description="IoU of final NMS.")
    detections: int = Field(default=20, ge=1, description="Boxes kept per slice.")
