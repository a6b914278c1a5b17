"""Settings of the detection head."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal, cast

from pydantic import BaseModel, ConfigDict, Field, model_validator

STRIDES = (1, 2, 4, 8, 16, 32)
POOLED_STRIDE = 64  # torchvision's extra level: every second pixel of the coarsest map
Share = Annotated[float, Field(gt=0.0, lt=1.0)]
Side = Annotated[float, Field(gt=0.0)]


class AnchorLevel(BaseModel):
    """Anchors of one pyramid level, the same at each of its cells.

    Attributes:
        stride: Distance between cells, px.
        sizes: Square roots of the anchors' areas, px.
        ratios: Heights over widths; every size comes with every ratio.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    stride: Literal[2, 4, 8, 16, 32, 64]
    sizes: tuple[Side, ...] = Field(min_length=1)
    ratios: tuple[Side, ...] = Field(default=(1.0,), min_length=1)


class DetectionConfig(BaseModel):
    """Mask R-CNN sized for slices with few, small lesions.

    torchvision's defaults look for objects of 32 to 512 px on 800 px photographs; a 6 mm nodule
    on a 256 px slice is 4 px wide. Sampling follows the same thought: 512 regions per slice are
    nearly all easy background when a slice shows one lesion.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    preset: Literal["tetract", "as_paper"] = Field(
        default="tetract",
        description="What the other settings of this part start from. as_paper: torchvision's Mask "
        "R-CNN as it comes, apart from its resizing of pictures to 800 px.",
    )
    pyramid: Literal["fpn", "decoder"] = Field(
        default="fpn",
        description="Maps that boxes are found on. fpn: a feature pyramid over the encoder; "
        "decoder: where the model segments, the steps of its mask decoder, which both then train; "
        "fpn where it does not.",
    )
    pyramid_norm: Literal["group", "none"] = Field(
        default="group", description="Normalisation in the pyramid."
    )
    head_norm: Literal["none", "group"] = Field(
        default="none",
        description="Normalisation after the convolutions of anchor, box and mask head.",
    )
    width: int = Field(default=64, ge=16, description="Channels of pyramid and mask head.")
    box_hidden: int = Field(default=256, ge=16, description="Width of the box head's two layers.")
    box_convs: int = Field(
        default=0,
        ge=0,
        le=8,
        description="Convolutions before the box head's layers, which are then one instead of two.",
    )
    mask_convs: int = Field(default=2, ge=1, le=8, description="Convolutions of the mask head.")
    anchors: Literal["scaled", "auto"] | tuple[AnchorLevel, ...] = Field(
        default="scaled",
        description="scaled: anchor_scales times the stride of each level from finest_stride on, "
        "whole even sides. auto: fitted to the training boxes before training (tetract plan). Or a "
        "list such as [{stride: 2, sizes: [4, 6], ratios: [1]}, {stride: 4, sizes: [8, 12], "
        "ratios: [1]}], in px, equally many per level.",
    )
    finest_stride: int = Field(
        default=4,
        description="Finest pyramid level, stride in px, where anchors are scaled: 2 or 4.",
    )
    anchor_scales: tuple[Side, ...] = Field(
        default=(2.0, 3.0),
        min_length=1,
        description="Anchor side as a multiple of its level's stride, where anchors are scaled.",
    )
    anchor_ratios: tuple[Side, ...] = Field(
        default=(0.7, 1.0, 1.4),
        min_length=1,
        description="Anchor height over width, where anchors are scaled.",
    )
    pooled_level: bool = Field(
        default=False,
        description="One more level of stride 64, where anchors are scaled, as torchvision has.",
    )
    matching: Literal["iou", "adaptive"] = Field(
        default="iou",
        description="Which anchors are lesions. iou: by fixed thresholds; adaptive: by a threshold "
        "per lesion (ATSS), which gives small lesions as many anchors as large ones.",
    )
    anchor_lesion_iou: Share = Field(
        default=0.5,
        description="Anchors that overlap a lesion by this are lesions, and the best of each "
        "lesion always is. Even fitted anchors overlap a small box by 0.6 at most, so the usual "
        "0.7 finds little.",
    )
    anchor_background_iou: Share = Field(
        default=0.3, description="Anchors that overlap every lesion by less are background."
    )
    anchors_per_row: int = Field(default=64, ge=2, description="Anchors sampled per slice.")
    anchor_lesion_share: Share = Field(
        default=0.33, description="Largest share of lesions among sampled anchors."
    )
    hard_negatives: int = Field(
        default=0,
        ge=0,
        description="Background anchors are drawn from the best scored ones, this many times as "
        "many as are wanted; 0: from all.",
    )
    objectness: Literal["bce", "focal"] = Field(
        default="bce",
        description="Loss of the anchors' scores. bce: on sampled anchors; focal: on all of them, "
        "easy ones counting little; the box loss then takes every lesion anchor too.",
    )
    focal_gamma: float = Field(default=2.0, ge=0.0, description="How little easy anchors count.")
    focal_alpha: Share = Field(default=0.25, description="Weight of lesions against background.")
    proposals: int = Field(default=100, ge=1, description="Proposals kept per slice.")
    proposals_in_training: int | None = Field(
        default=None, ge=1, description="The same in training, where it differs."
    )
    regions_per_row: int = Field(default=32, ge=2, description="Regions sampled per slice.")
    region_lesion_share: Share = Field(
        default=0.33, description="Largest share of lesions among sampled regions."
    )
    canonical_px: int = Field(
        default=64,
        ge=1,
        description="Regions of this side are read from the level of stride 16, of half the side "
        "from stride 8, and so on.",
    )
    context: Literal["none", "concat", "average"] = Field(
        default="none",
        description="Whether the box head also sees an enlarged region, and how both are joined.",
    )
    context_scale: float = Field(
        default=2.0, gt=1.0, le=8.0, description="How many times larger, where there is context."
    )
    smallest_score: float = Field(default=0.05, ge=0.0, lt=1.0, description="Score kept at least.")
    largest_overlap: float = Field(default=0.3, gt=0.0, le=1.0, description="IoU of final NMS.")
    detections: int = Field(default=20, ge=1, description="Boxes kept per slice.")

    @model_validator(mode="before")
    @classmethod
    def _start_from_preset(cls, data: object) -> object:
        """Settings that are not given follow the preset, so that a saved model names them all."""
        if isinstance(data, Mapping):
            given = cast("Mapping[str, object]", data)
            if given.get("preset") == "as_paper":
                return {**AS_PAPER, **given}
        return cast("object", data)

    @model_validator(mode="after")
    def _is_possible(self) -> DetectionConfig:
        if self.finest_stride not in STRIDES:
            message = f"finest_stride is one of {', '.join(map(str, STRIDES))}"
            raise ValueError(message)
        if self.anchor_background_iou > self.anchor_lesion_iou:
            message = "anchor_background_iou must not exceed anchor_lesion_iou"
            raise ValueError(message)
        if not isinstance(self.anchors, str):
            _check_levels(self.anchors)
        return self

    def levels(self) -> tuple[AnchorLevel, ...]:
        """Anchors per level, finest first.

        Raises:
            ValueError: Where ``anchors`` is ``auto`` and has not been planned yet.
        """
        if self.anchors == "auto":
            raise ValueError("anchors have not been planned yet")
        if not isinstance(self.anchors, str):
            return self.anchors
        last = POOLED_STRIDE if self.pooled_level else STRIDES[-1]
        strides = [s for s in (*STRIDES, POOLED_STRIDE) if self.finest_stride <= s <= last]
        return tuple(
            AnchorLevel.model_construct(
                stride=stride,
                sizes=tuple(scale * stride for scale in self.anchor_scales),
                ratios=self.anchor_ratios,
            )
            for stride in strides
        )


AS_PAPER: dict[str, object] = {
    "preset": "as_paper",
    "pyramid_norm": "none",
    "width": 256,
    "box_hidden": 1024,
    "mask_convs": 4,
    "anchors": "scaled",
    "finest_stride": 4,
    "anchor_scales": (8.0,),
    "anchor_ratios": (0.5, 1.0, 2.0),
    "pooled_level": True,
    "anchor_lesion_iou": 0.7,
    "anchors_per_row": 256,
    "anchor_lesion_share": 0.5,
    "proposals": 1000,
    "proposals_in_training": 2000,
    "regions_per_row": 512,
    "region_lesion_share": 0.25,
    "canonical_px": 224,
    "largest_overlap": 0.5,
    "detections": 100,
}
"""``torchvision.models.detection.maskrcnn_resnet50_fpn`` in our words: anchors of 32 to 512 px."""


def _check_levels(levels: tuple[AnchorLevel, ...]) -> None:
    strides = [level.stride for level in levels]
    if not strides or strides != sorted(set(strides)):
        message = "anchors need one level or more, each stride once, finest first"
        raise ValueError(message)
    if len({(len(level.sizes), len(level.ratios)) for level in levels}) != 1:
        # One small network scores the anchors of all levels.
        message = "anchors need as many sizes and ratios on each level as on the others"
        raise ValueError(message)
