"""What is known about one slice: ``None`` is *not labelled*, empty is *looked at, none there*."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float32, Int64

from tetract.errors import LabelError
from tetract.types.task import Task


def check_area(x0: float, y0: float, x1: float, y1: float) -> str:
    """Refuse a half-open box without area; return its corners in words, for other messages.

    Raises:
        LabelError: ``E_BOX_EMPTY``.
    """
    found = f"x0={x0:g} y0={y0:g} x1={x1:g} y1={y1:g}"
    if not (x1 > x0 and y1 > y0):
        raise LabelError(
            "E_BOX_EMPTY",
            "box has no area",
            expected="x1 > x0 and y1 > y0 in px (half-open)",
            found=found,
            fix="Remove the box or correct its corners",
        )
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Boxes:
    """Axis-aligned boxes on one slice.

    Attributes:
        xyxy: (N, 4) float32 pixels ``x0 y0 x1 y1``, half-open: a box over columns 3, 4, 5 has
            ``x0 = 3`` and ``x1 = 6``.
        labels: (N,) int64, index into ``LabelSpace.box_classes``.
        masks: (N, H, W) bool, one instance mask per box, or None where only boxes are known.
        canvas: ``(H, W)`` of the slice in pixels.
    """

    xyxy: Float32[np.ndarray, "N 4"]
    labels: Int64[np.ndarray, " N"]
    masks: Bool[np.ndarray, "N H W"] | None
    canvas: tuple[int, int]

    def __post_init__(self) -> None:
        """Refuse boxes without area or outside the canvas.

        Raises:
            LabelError: ``E_BOX_EMPTY`` or ``E_BOX_OUTSIDE`` naming the first offender.
        """
        height, width = self.canvas
        for x0, y0, x1, y1 in self.xyxy.tolist():
            found = check_area(x0, y0, x1, y1)
            if x0 < 0 or y0 < 0 or x1 > width or y1 > height:
                raise LabelError(
                    "E_BOX_OUTSIDE",
                    "box leaves the image",
                    expected=f"0 <= x <= {width} and 0 <= y <= {height} px",
                    found=found,
                    fix="Check the box convention (xyxy, half-open) and the image size",
                )

    def __len__(self) -> int:
        """Number of boxes."""
        return int(self.xyxy.shape[0])


@dataclass(frozen=True, slots=True, kw_only=True)
class MaskTarget:
    """Masks of one slice.

    Attributes:
        pixels: (K, H, W) bool, channel k is ``LabelSpace.mask_classes[k]``.
        annotated: (K,) bool: which channels this row's annotators looked for. A channel that is
            False here holds no information, whatever its pixels say.
    """

    pixels: Bool[np.ndarray, "K H W"]
    annotated: Bool[np.ndarray, " K"]


@dataclass(frozen=True, slots=True, kw_only=True)
class BoxTarget:
    """Boxes of one slice.

    Attributes:
        boxes: The boxes; none of them is a looked-at negative.
        annotated: (K,) bool over ``LabelSpace.box_classes``: which lesions were looked for.
    """

    boxes: Boxes
    annotated: Bool[np.ndarray, " K"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Targets:
    """What is known about one slice, one optional field per task.

    Attributes:
        label: (K,) bool candidate classes: one True for a known class, several when a source
            only excludes some ("not COVID"), None when nothing is known.
        masks: Segmentation target, or None.
        boxes: Detection target, or None.
        reconstruct: Whether the slice may be learnt from without labels (it always may, unless
            the user withholds it).
    """

    label: Bool[np.ndarray, " K"] | None = None
    masks: MaskTarget | None = None
    boxes: BoxTarget | None = None
    reconstruct: bool = True

    def is_labelled(self, task: Task) -> bool:
        """Whether this slice teaches ``task``."""
        known = {
            Task.CLASSIFICATION: self.label is not None,
            Task.SEGMENTATION: self.masks is not None,
            Task.RECONSTRUCTION: self.reconstruct,
            Task.DETECTION: self.boxes is not None,
        }
        return known[task]
