"""From the masks of one slice to what their figures need: counts and small arrays, no images."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int64

from tetract.tasks.segmentation.contours import (
    TOLERANCE_MM,
    TOLERANCE_PX,
    Contours,
    compare_contours,
)
from tetract.tasks.segmentation.lesions import Lesions, match_lesions
from tetract.types.identity import Identity

THRESHOLD = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentationRow:
    """What is known of the masks of one slice.

    Attributes:
        true_positive: (M,) pixels in prediction and reference.
        false_positive: (M,) pixels in the prediction only.
        false_negative: (M,) pixels in the reference only.
        annotated: (M,) bool; counts of a False channel are not read.
        pixel_mm2: Area of a pixel in mm2, or None where the spacing is unknown.
        identity: Who the slice is.
        contours: How far the contours lie apart, or None where they were not measured.
        lesions: The single lesions, or None where they were not looked at.
    """

    true_positive: Int64[np.ndarray, " M"]
    false_positive: Int64[np.ndarray, " M"]
    false_negative: Int64[np.ndarray, " M"]
    annotated: Bool[np.ndarray, " M"]
    pixel_mm2: float | None
    identity: Identity
    contours: Contours | None = None
    lesions: Lesions | None = None


def count_pixels(
    probabilities: Float[np.ndarray, "M H W"], reference: Bool[np.ndarray, "M H W"]
) -> tuple[Int64[np.ndarray, " M"], Int64[np.ndarray, " M"], Int64[np.ndarray, " M"]]:
    """True positive, false positive and false negative pixels at probability 0.5.

    Returns:
        Three (M,) counts.
    """
    return _count(probabilities >= THRESHOLD, reference)


def measure_masks(
    probabilities: Float[np.ndarray, "M H W"],
    reference: Bool[np.ndarray, "M H W"],
    annotated: Bool[np.ndarray, " M"],
    identity: Identity,
    *,
    tolerance_mm: float = TOLERANCE_MM,
) -> SegmentationRow:
    """Measure the masks of one slice at probability 0.5.

    Padding is no part of the slice: what is painted there is not counted, and contours end at the
    edge of ``identity.frame_px``.

    Args:
        probabilities: The prediction, finite.
        reference: The annotation.
        annotated: Which channels were looked for; nothing is measured on the others.
        identity: Who the slice is, with its spacing.
        tolerance_mm: Of NSD, where the spacing is known; 2 pixels where it is not.
    """
    top, left, bottom, right = identity.frame_px or (0, 0, *reference.shape[1:])
    known = annotated[:, None, None]
    said = (probabilities[:, top:bottom, left:right] >= THRESHOLD) & known
    true = reference[:, top:bottom, left:right] & known
    hit, extra, missed = _count(said, true)
    spacing = identity.spacing_mm
    return SegmentationRow(
        true_positive=hit,
        false_positive=extra,
        false_negative=missed,
        annotated=annotated,
        pixel_mm2=None if spacing is None else spacing[0] * spacing[1],
        identity=identity,
        contours=_contours(said, true, spacing, tolerance_mm),
        lesions=_lesions(said, true),
    )


def _count(
    said: Bool[np.ndarray, "M H W"], true: Bool[np.ndarray, "M H W"]
) -> tuple[Int64[np.ndarray, " M"], Int64[np.ndarray, " M"], Int64[np.ndarray, " M"]]:
    def count(pixels: Bool[np.ndarray, "M H W"]) -> Int64[np.ndarray, " M"]:
        return pixels.sum(axis=(1, 2), dtype=np.int64)

    hit = count(said & true)
    return hit, count(said) - hit, count(true) - hit


def _contours(
    said: Bool[np.ndarray, "M H W"],
    true: Bool[np.ndarray, "M H W"],
    spacing_mm: tuple[float, float] | None,
    tolerance_mm: float,
) -> Contours:
    unknown = spacing_mm is None
    tolerance = TOLERANCE_PX if unknown else tolerance_mm
    compared = np.asarray(said.any(axis=(1, 2)) & true.any(axis=(1, 2)))
    far = np.zeros((2, len(true)))
    for channel in np.flatnonzero(compared):
        far[:, channel] = compare_contours(
            *_cropped(said[channel], true[channel]),
            spacing=(1.0, 1.0) if unknown else spacing_mm,
            tolerance=tolerance,
        )
    return Contours(
        unit="px" if unknown else "mm",
        tolerance=tolerance,
        compared=compared,
        hd95=far[0],
        nsd=far[1],
    )


def _lesions(said: Bool[np.ndarray, "M H W"], true: Bool[np.ndarray, "M H W"]) -> Lesions:
    channels: list[Int64[np.ndarray, " L"]] = []
    areas: list[Int64[np.ndarray, " L"]] = []
    ious: list[Float[np.ndarray, " L"]] = []
    false = np.zeros(len(true), dtype=np.int64)
    for channel in np.flatnonzero((said | true).any(axis=(1, 2))):
        area, iou, false[channel] = match_lesions(*_cropped(said[channel], true[channel]))
        channels.append(np.full(len(area), channel, dtype=np.int64))
        areas.append(area)
        ious.append(iou)
    return Lesions(
        channel=np.concatenate([np.zeros(0, dtype=np.int64), *channels]),
        area_px=np.concatenate([np.zeros(0, dtype=np.int64), *areas]),
        iou=np.concatenate([np.zeros(0), *ious]),
        false_parts=false,
    )


def _cropped(
    said: Bool[np.ndarray, "H W"], true: Bool[np.ndarray, "H W"]
) -> tuple[Bool[np.ndarray, "h w"], Bool[np.ndarray, "h w"]]:
    """Both, cut to the box around all their pixels: nothing that is measured lies outside it."""
    either = said | true
    ys, xs = np.flatnonzero(either.any(axis=1)), np.flatnonzero(either.any(axis=0))
    box = slice(ys[0], ys[-1] + 1), slice(xs[0], xs[-1] + 1)
    return said[box], true[box]
