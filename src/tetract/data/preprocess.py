"""A slice as the model sees it: one square channel in [0, 1], its masks and boxes beside it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float32, Shaped

from tetract.data.label_algebra import Resolved
from tetract.data.letterbox import Letterbox
from tetract.data.neighbours import NO_NEIGHBOURS, Neighbours
from tetract.errors import ReadError
from tetract.types import Boxes, BoxTarget, MaskTarget, Targets, Volume

_PICTURE_MAXIMUM = {"uint8": 255.0, "uint16": 65535.0}


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparedSlice:
    """One slice on the model's grid.

    Attributes:
        image: (C, S, S) float32 in [0, 1]: the slice, between its neighbours where some were asked
            for.
        letterbox: How it was fitted, and the way back.
        spacing_mm: Height and width in mm of a pixel of ``image``, or None if unknown.
        note: How grey values became [0, 1], in words.
    """

    image: Float32[np.ndarray, "C S S"]
    letterbox: Letterbox
    spacing_mm: tuple[float, float] | None
    note: str

    @property
    def centre(self) -> Float32[np.ndarray, "S S"]:
        """The slice without its neighbours."""
        return self.image[len(self.image) // 2]


def prepare_slice(
    volume: Volume,
    index: int,
    *,
    image_px: int,
    window_hu: tuple[float, float],
    around: Neighbours = NO_NEIGHBOURS,
) -> PreparedSlice:
    """Slice ``index`` of a volume on the model's grid.

    Args:
        volume: What was read.
        index: Slice, from 0.
        image_px: Side of the square image in pixels.
        window_hu: Lower and upper HU that become 0 and 1; values beyond are clipped.
        around: Which slices beside it are channels too.

    Raises:
        ReadError: ``E_GREY_TYPE`` when grey values without HU are not 8- or 16-bit unsigned.
    """
    values = volume.values[around.slices(volume, index)]  # a copy of few slices
    letterbox = Letterbox(original=(values.shape[1], values.shape[2]), size_px=image_px)
    normalised, note = normalise(
        values, hu_known=volume.hu_known, window_hu=window_hu, name=volume.provenance.name
    )
    spacing = None
    if volume.geometry is not None:
        spacing = letterbox.spacing_to_model(volume.geometry.spacing_mm[1:])
    image = np.stack([letterbox.image_to_model(one) for one in normalised])
    return PreparedSlice(image=image, letterbox=letterbox, spacing_mm=spacing, note=note)


def normalise(
    values: Shaped[np.ndarray, "*shape"],
    *,
    hu_known: bool,
    window_hu: tuple[float, float],
    name: str = "",
) -> tuple[Float32[np.ndarray, "*shape"], str]:
    """Grey values as float32 in [0, 1], and a note saying how.

    HU go through the window. A picture's own window is lost, so its bit depth is all that can
    be divided by: 255 or 65535, whatever its values happen to be.

    Raises:
        ReadError: ``E_GREY_TYPE`` when a picture is not 8- or 16-bit unsigned.
    """
    if hu_known:
        low, high = window_hu
        scaled = (values.astype(np.float32) - low) / (high - low)
        note = f"HU {low:g} to {high:g} mapped to 0 to 1"
        return np.clip(scaled, 0.0, 1.0, dtype=np.float32), note
    maximum = _PICTURE_MAXIMUM.get(values.dtype.name)
    if maximum is None:
        raise ReadError(
            "E_GREY_TYPE",
            "grey values without HU must be 8- or 16-bit unsigned",
            where=name,
            found=values.dtype.name,
            fix="Save the picture as 8- or 16-bit PNG, or give the DICOM or NIfTI it came from",
        )
    note = f"picture of unknown window: {values.dtype.name} divided by {maximum:g}"
    return (values / np.float32(maximum)).astype(np.float32), note


def fit_targets(resolved: Resolved, letterbox: Letterbox, *, min_lesion_px: int) -> Targets:
    """Targets on the model's grid, from the original grid.

    Args:
        resolved: What is known, on the grid of the slice as it was read.
        letterbox: How the slice was fitted.
        min_lesion_px: Derived boxes whose lesion covers fewer model pixels are left out, in
            training and testing alike; the lesion keeps its pixels in the class mask. Measured
            boxes always stay.

    Returns:
        The same knowledge on the (S, S) grid; boxes are scaled exactly, not rounded to pixels.
    """
    masks, boxes = resolved.targets.masks, resolved.targets.boxes
    if masks is not None:
        pixels = letterbox.masks_to_model(masks.pixels)
        masks = MaskTarget(pixels=pixels, annotated=masks.annotated)
    if boxes is not None:
        fitted = _fit_boxes(boxes.boxes, resolved.derived, letterbox, min_lesion_px)
        boxes = BoxTarget(boxes=fitted, annotated=boxes.annotated)
    return replace(resolved.targets, masks=masks, boxes=boxes)


def _fit_boxes(
    boxes: Boxes, derived: Bool[np.ndarray, " N"], letterbox: Letterbox, min_lesion_px: int
) -> Boxes:
    kept = np.ones(len(boxes), dtype=bool)
    lesions = None
    if boxes.masks is not None:
        lesions = letterbox.lesions_to_model(boxes.masks)
        kept = ~derived | (lesions.sum(axis=(1, 2)) >= min_lesion_px)
        lesions = lesions[kept]
    return Boxes(
        xyxy=letterbox.boxes_to_model(boxes.xyxy)[kept],
        labels=boxes.labels[kept],
        masks=lesions,
        canvas=(letterbox.size_px, letterbox.size_px),
    )
