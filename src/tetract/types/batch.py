"""What the model sees: samples, batches and feature maps."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Bool, Float, Float32, Int64
from torch import Tensor

from tetract.types.identity import Identity
from tetract.types.targets import Targets
from tetract.types.task import Task


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One slice, ready for augmentation.

    Attributes:
        image: (C, H, W) float32 in [0, 1]; the slice is the middle channel, its neighbours lie
            around it.
        targets: What is known about it, on the same grid.
        identity: Who it is.
    """

    image: Float32[np.ndarray, "C H W"]
    targets: Targets
    identity: Identity

    @property
    def centre(self) -> Float32[np.ndarray, "H W"]:
        """The slice without its neighbours."""
        return self.image[len(self.image) // 2]


@dataclass(frozen=True, slots=True, kw_only=True)
class BoxRow:
    """Boxes of one row as tensors; the fields of ``Boxes`` and ``BoxTarget``.

    Attributes:
        xyxy: (N, 4) float32 pixels, half-open.
        labels: (N,) int64 from 0; background is added inside the detector.
        masks: (N, H, W) bool, or None where only boxes are known.
        annotated: (K,) bool: which lesions were looked for.
    """

    xyxy: Float32[Tensor, "N 4"]
    labels: Int64[Tensor, " N"]
    masks: Bool[Tensor, "N H W"] | None
    annotated: Bool[Tensor, " K"]

    def to(self, device: torch.device) -> BoxRow:
        """The same boxes on ``device``."""
        return BoxRow(
            xyxy=self.xyxy.to(device),
            labels=self.labels.to(device),
            masks=None if self.masks is None else self.masks.to(device),
            annotated=self.annotated.to(device),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Rows that may carry different labels.

    Attributes:
        image: (B, C, H, W) float32 in [0, 1], as in ``Sample``.
        labelled: (B, 4) bool, which task each row teaches, columns in the order of ``Task``.
        label: (B, K) bool candidate classes; all False where unlabelled.
        masks: (B, M, H, W) bool.
        masks_annotated: (B, M) bool; a False channel holds no information.
        masks_unknown: (B, M, H, W) bool, pixels of annotated channels of which nothing is known, or
            None where all are known.
        boxes: One entry per row, None where unlabelled.
        plain: (B, C, H, W), ``image`` moved alike but with the grey values it was read with, or
            None where nobody asked for it.
        hidden: (B, 1, H, W) bool, pixels withheld from the encoder or shown damaged, or None when
            all are shown as they are.
        identity: One entry per row.
    """

    image: Float[Tensor, "B C H W"]
    labelled: Bool[Tensor, "B 4"]
    label: Bool[Tensor, "B K"]
    masks: Bool[Tensor, "B M H W"]
    masks_annotated: Bool[Tensor, "B M"]
    boxes: tuple[BoxRow | None, ...]
    identity: tuple[Identity, ...]
    hidden: Bool[Tensor, "B 1 H W"] | None = None
    masks_unknown: Bool[Tensor, "B M H W"] | None = None
    plain: Float[Tensor, "B C H W"] | None = None

    @property
    def centre(self) -> Float[Tensor, "B 1 H W"]:
        """The slices without their neighbours."""
        middle = self.image.shape[1] // 2
        return self.image[:, middle : middle + 1]

    def rows(self, task: Task) -> Int64[Tensor, " R"]:
        """Indices of the rows that teach ``task``."""
        return self.labelled[:, list(Task).index(task)].nonzero().flatten()

    def to(self, device: torch.device) -> Batch:
        """The same batch on ``device``."""
        return replace(
            self,
            image=self.image.to(device),
            labelled=self.labelled.to(device),
            label=self.label.to(device),
            masks=self.masks.to(device),
            masks_annotated=self.masks_annotated.to(device),
            boxes=tuple(None if row is None else row.to(device) for row in self.boxes),
            hidden=_to(self.hidden, device),
            masks_unknown=_to(self.masks_unknown, device),
            plain=_to(self.plain, device),
        )

    def select(self, rows: Int64[Tensor, " R"]) -> Batch:
        """The batch of only these rows."""
        picked: list[int] = rows.tolist()
        return replace(
            self,
            image=self.image[rows],
            labelled=self.labelled[rows],
            label=self.label[rows],
            masks=self.masks[rows],
            masks_annotated=self.masks_annotated[rows],
            boxes=tuple(self.boxes[i] for i in picked),
            identity=tuple(self.identity[i] for i in picked),
            hidden=_picked(self.hidden, rows),
            masks_unknown=_picked(self.masks_unknown, rows),
            plain=_picked(self.plain, rows),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Features:
    """The encoder's feature maps, finest first.

    Attributes:
        maps: Tuple of (B, C_i, H / s_i, W / s_i).
        strides: ``s_i`` for each map, increasing.
    """

    maps: tuple[Float[Tensor, "B _channels _height _width"], ...]
    strides: tuple[int, ...]

    @property
    def image_size(self) -> tuple[int, int]:
        """``(H, W)`` of the image the maps came from, in pixels."""
        height, width = self.maps[0].shape[-2:]
        return height * self.strides[0], width * self.strides[0]

    @property
    def channels(self) -> tuple[int, ...]:
        """``C_i`` of each map."""
        return tuple(m.shape[1] for m in self.maps)

    def with_finest(self, decoded: Float[Tensor, "B C H W"]) -> Features:
        """These maps behind one more, at the image's resolution."""
        return Features(maps=(decoded, *self.maps), strides=(1, *self.strides))

    def select(self, rows: Int64[Tensor, " R"]) -> Features:
        """The features of only these rows."""
        return Features(maps=tuple(m[rows] for m in self.maps), strides=self.strides)


def _to(pixels: Tensor | None, device: torch.device) -> Tensor | None:
    return None if pixels is None else pixels.to(device)


def _picked(pixels: Tensor | None, rows: Tensor) -> Tensor | None:
    return None if pixels is None else pixels[rows]
