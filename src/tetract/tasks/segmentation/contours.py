"""How far two contours lie apart in one slice: HD95 and NSD.

The contour of a mask is its pixels with one of their four neighbours outside it. Beyond the edge
of the slice is outside, so a mask that touches the edge has a contour there too.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
from jaxtyping import Bool, Float, Int64
from scipy.ndimage import distance_transform_edt
from scipy.spatial import KDTree

Unit = Literal["mm", "px"]

TOLERANCE_MM: Final = 2.0
TOLERANCE_PX: Final = 2.0
PERCENTILE: Final = 95.0
# Searching a tree is faster for outlines, a distance map for speckle all over the slice.
_MOST_IN_TREE: Final = 6_000
# A distance that equals the tolerance is within it, whatever the last bits say.
_SLACK: Final = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class Contours:
    """How far the contours of one slice lie apart, per mask class.

    Attributes:
        unit: Of ``tolerance`` and ``hd95``: mm where the slice's spacing is known, else pixels.
        tolerance: Within which a contour pixel counts as right.
        compared: (M,) where prediction and reference both hold pixels.
        hd95: (M,) 95th percentile Hausdorff distance; not read where nothing was compared.
        nsd: (M,) share of the contour pixels of both that lie within the tolerance of the other;
            0 where nothing is painted, not read where the reference is empty.
    """

    unit: Unit
    tolerance: float
    compared: Bool[np.ndarray, " M"]
    hd95: Float[np.ndarray, " M"]
    nsd: Float[np.ndarray, " M"]


def compare_contours(
    said: Bool[np.ndarray, "H W"],
    true: Bool[np.ndarray, "H W"],
    *,
    spacing: tuple[float, float],
    tolerance: float,
) -> tuple[float, float]:
    """HD95 and NSD of two masks, neither of them empty.

    HD95 is the larger of the two 95th percentiles, one per direction (Taha and Hanbury 2015, doi
    10.1186/s12880-015-0068-x). NSD (Nikolov et al. 2018, arXiv 1809.04430) counts contour pixels,
    as Seidlitz et al. 2022 (arXiv 2111.05408), not lengths of contour.

    Args:
        said: The prediction.
        true: The reference.
        spacing: Height and width of a pixel.
        tolerance: In the unit of ``spacing``.

    Returns:
        HD95 in the unit of ``spacing``, and NSD in [0, 1].
    """
    painted, reference = contour_pixels(said), contour_pixels(true)
    there = _distances(painted, reference, spacing)
    back = _distances(reference, painted, spacing)
    hd95 = max(float(np.percentile(one, PERCENTILE)) for one in (there, back))
    reach = tolerance * (1 + _SLACK)
    within = int((there <= reach).sum()) + int((back <= reach).sum())
    return hd95, within / (len(there) + len(back))


def contour_pixels(mask: Bool[np.ndarray, "H W"]) -> Bool[np.ndarray, "H W"]:
    """Pixels of the mask with one of their four neighbours outside it."""
    framed = np.pad(mask, 1)
    inner = framed[2:, 1:-1] & framed[:-2, 1:-1] & framed[1:-1, 2:] & framed[1:-1, :-2]
    return mask & ~inner


def _distances(
    start: Bool[np.ndarray, "H W"],
    goal: Bool[np.ndarray, "H W"],
    spacing: tuple[float, float],
) -> Float[np.ndarray, " K"]:
    """From each pixel of ``start`` to the nearest of ``goal``."""
    begin, end = _pixels(start), _pixels(goal)
    if len(begin) + len(end) > _MOST_IN_TREE:
        apart = np.asarray(distance_transform_edt(~goal, sampling=spacing), dtype=np.float64)
        return apart[start]
    tree: Any = KDTree(end * spacing)
    nearest, _ = tree.query(begin * spacing)
    return np.asarray(nearest, dtype=np.float64)


def _pixels(mask: Bool[np.ndarray, "H W"]) -> Int64[np.ndarray, "K 2"]:
    return np.argwhere(mask).astype(np.int64)
