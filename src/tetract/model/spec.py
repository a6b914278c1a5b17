"""Everything needed to build a network again: what a saved model carries beside its weights."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field, model_validator

from tetract.model.known_weights import KNOWN_WEIGHTS
from tetract.tasks.classification import ClassificationConfig
from tetract.tasks.detection import DetectionConfig
from tetract.tasks.reconstruction import ReconstructionConfig
from tetract.tasks.segmentation import SegmentationConfig
from tetract.types import LabelSpace, Task

SIDE_MULTIPLE = 32  # the deepest map of every encoder has stride 32


class EncoderConfig(BaseModel):
    """Settings of the trunk."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(
        default="resnet18",
        description="vgg13 or resnet50 (the paper's), resnet18, any name that "
        "segmentation-models-pytorch knows, or tu-NAME for any timm encoder.",
    )
    norm: str = Field(
        default="group",
        pattern="^(group|batch|frozen)$",
        description="group: GroupNorm; batch: BatchNorm as in the paper; frozen: BatchNorm whose "
        "statistics stay as loaded.",
    )
    weights: str | None = Field(
        default=None,
        description="What the trunk starts from: imagenet, hed (vgg13, vgg16), astra (resnet50, "
        "resnet152), lite0 (tu-tf_efficientnet_lite0), or a .safetensors or torch file of a state "
        "dict (docs/how-to/start-from-weights.md); null: from scratch.",
    )
    input_mean: float | None = Field(
        default=None,
        description="Subtracted from the [0, 1] image; null: what the weights were trained with, "
        "else 0.5.",
    )
    input_std: float | None = Field(
        default=None,
        gt=0.0,
        description="The difference is divided by this; null: what the weights were trained with, "
        "else 0.25.",
    )
    fine_stem: int = Field(
        default=0,
        ge=0,
        le=256,
        description="Channels of two 3x3 convolutions on the image itself, the finest map of "
        "encoders whose first one has stride 2; the masks' decoder then joins it as its last skip. "
        "0, and for encoders that have such a map: none.",
    )

    @property
    def input_scale(self) -> tuple[float, float]:
        """What is subtracted from the image, and what the difference is divided by."""
        known = None if self.weights is None else KNOWN_WEIGHTS.get(self.weights)
        mean, std = (0.5, 0.25) if known is None else (known.mean, known.std)
        return (
            mean if self.input_mean is None else self.input_mean,
            std if self.input_std is None else self.input_std,
        )


class NetworkSpec(BaseModel):
    """Trunk, heads, and what their channels mean.

    ``tasks`` are kept in the order of Figure 1 whatever order they were given in.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    tasks: tuple[Task, ...] = Field(min_length=1)
    encoder: EncoderConfig = EncoderConfig()
    classification: ClassificationConfig = ClassificationConfig()
    segmentation: SegmentationConfig = SegmentationConfig()
    reconstruction: ReconstructionConfig = ReconstructionConfig()
    detection: DetectionConfig = DetectionConfig()
    classes: tuple[str, ...] = ()
    mask_classes: tuple[str, ...] = ()
    box_classes: tuple[str, ...] = ()
    image_px: int = Field(default=256, ge=64, le=2048, multiple_of=SIDE_MULTIPLE)
    window_hu: tuple[float, float] = (-1350.0, 150.0)
    neighbours: int = Field(default=0, ge=0, le=3)
    neighbour_mm: float | None = Field(default=None, gt=0.0)

    @model_validator(mode="after")
    def _heads_have_classes(self) -> NetworkSpec:
        needed = {
            Task.CLASSIFICATION: ("classes", self.classes, 2),
            Task.SEGMENTATION: ("mask_classes", self.mask_classes, 1),
            Task.DETECTION: ("box_classes", self.box_classes, 1),
        }
        for task, (name, given, least) in needed.items():
            if task in self.tasks and len(given) < least:
                message = (
                    f"{task.value} needs at least {least} name(s) in {name}, found {len(given)}"
                )
                raise ValueError(message)
            if len(set(given)) != len(given):
                message = f"{name} holds a name twice"
                raise ValueError(message)
        if self.window_hu[0] >= self.window_hu[1]:
            message = "window_hu needs its lower bound first, in HU"
            raise ValueError(message)
        if self.class_reads_masks and self.segmentation.norm == "batch":
            # The class runs the masks' decoder on its own rows, which would enter the statistics.
            message = (
                "segmentation.norm batch needs classification.read_segmentation false: a class "
                "must not change how masks are normalised"
            )
            raise ValueError(message)
        return self

    @model_validator(mode="before")
    @classmethod
    def _order_tasks(cls, data: object) -> object:
        """Sort and deduplicate ``tasks``; unknown names are left for the field to refuse."""
        if isinstance(data, dict) and "tasks" in data:
            given = [str(t) for t in data["tasks"]]
            ordered = [t.value for t in Task if t.value in given]
            data = {**data, "tasks": ordered + [t for t in given if t not in ordered]}
        return data

    @property
    def image_channels(self) -> int:
        """A slice and its neighbours."""
        return 1 + 2 * self.neighbours

    @property
    def class_reads_masks(self) -> bool:
        """Whether the classifier also reads the map that segmentation decodes."""
        return self.classification.read_segmentation and {
            Task.CLASSIFICATION,
            Task.SEGMENTATION,
        } <= set(self.tasks)

    @property
    def boxes_read_masks(self) -> bool:
        """Whether boxes are found on the steps of the masks' decoder."""
        return self.detection.pyramid == "decoder" and {
            Task.SEGMENTATION,
            Task.DETECTION,
        } <= set(self.tasks)

    @property
    def label_space(self) -> LabelSpace:
        """Names behind the output channels."""
        return LabelSpace(
            classes=self.classes, mask_classes=self.mask_classes, box_classes=self.box_classes
        )
