"""Which single lesions of a slice were found, and what was painted beside them.

A lesion is an 8-connected part of the reference in one slice, of any size. It is *found* when its
IoU with everything painted that touches it is at least 0.1: all painted parts that share a pixel
with it, united, as in the lesion-wise scores of BraTS 2023 (arXiv 2306.00838), which does without
a least IoU; 0.1 is that of nnDetection (Baumgartner et al. 2021, arXiv 2106.00817), coarse because
a lesion must be pointed out, not outlined. A painted part that touches no found lesion is a *false
positive*. BraTS forgives it where it touches a missed one; then painting a whole lung would be no
mistake.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from jaxtyping import Bool, Float, Int64

from tetract.data.lesions import numbered_parts

LESION_IOU: Final = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Lesions:
    """The lesions of one slice, of all mask classes.

    Attributes:
        channel: (L,) mask class of each reference lesion.
        area_px: (L,) its pixels.
        iou: (L,) its IoU with the painted parts that touch it, united; 0 where none does.
        false_parts: (M,) painted parts that touch no found lesion, per mask class.
    """

    channel: Int64[np.ndarray, " L"]
    area_px: Int64[np.ndarray, " L"]
    iou: Float[np.ndarray, " L"]
    false_parts: Int64[np.ndarray, " M"]

    @property
    def found(self) -> Bool[np.ndarray, " L"]:
        """Which lesions were found."""
        return is_found(self.iou)


def is_found(iou: Float[np.ndarray, " L"]) -> Bool[np.ndarray, " L"]:
    """Which IoU are enough; the last bits do not decide at the limit itself."""
    return iou >= LESION_IOU - 1e-12


def match_lesions(
    said: Bool[np.ndarray, "H W"], true: Bool[np.ndarray, "H W"]
) -> tuple[Int64[np.ndarray, " L"], Float[np.ndarray, " L"], int]:
    """Find each lesion of one mask class in what was painted.

    Returns:
        Area of each reference lesion in pixels, its IoU, and the number of false positives.
    """
    lesions, parts = numbered_parts(true), numbered_parts(said)
    area = np.bincount(lesions.ravel())[1:].astype(np.int64)
    painted = np.bincount(parts.ravel())[1:].astype(np.int64)
    both = said & true
    # Each pair that shares pixels, and how many. A table of all pairs could not be held for
    # speckle upon speckle.
    pairs = (lesions[both].astype(np.int64) - 1) * (len(painted) + 1) + parts[both] - 1
    found, shared = np.unique(pairs, return_counts=True)
    lesion, part = np.divmod(found, len(painted) + 1)
    hit = np.bincount(lesion, shared, minlength=len(area))
    touching = np.bincount(lesion, painted[part], minlength=len(area))
    iou = hit / (area + touching - hit)
    right = np.unique(part[is_found(iou)[lesion]])
    return area, iou, len(painted) - len(right)


def diameters(area: Float[np.ndarray, " L"]) -> Float[np.ndarray, " L"]:
    """Diameter of the disc of each area: mm from mm2, pixels from pixels."""
    return 2 * np.sqrt(area / np.pi)
