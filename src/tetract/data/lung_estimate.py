"""Where the lungs probably are, for slices without a lung mask.

Good enough to place a copied lesion; never a label: nothing is taught or scored by it.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from jaxtyping import Bool, Float32
from scipy import ndimage

from tetract.data.lesions import numbered_parts

_AIR_BELOW_HU: Final = -400.0  # between aerated lung (-850) and soft tissue (40)
_LEAST_SHARE: Final = 0.01  # of the slice: smaller dark places are airways, bowel or noise


def estimate_lungs(
    image: Float32[np.ndarray, "H W"], window_hu: tuple[float, float] | None
) -> Bool[np.ndarray, "H W"]:
    """Large dark places that the body encloses.

    Args:
        image: A slice in [0, 1].
        window_hu: HU of 0 and 1, or None for pictures, whose threshold is then Otsu's (1979, doi
            10.1109/TSMC.1979.4310076).
    """
    if window_hu is None:
        threshold = _otsu(image)
    else:
        threshold = (_AIR_BELOW_HU - window_hu[0]) / (window_hu[1] - window_hu[0])
    parts = numbered_parts(image < threshold)
    areas = np.bincount(parts.ravel())
    kept = areas >= _LEAST_SHARE * image.size
    kept[0] = False
    kept[np.unique(np.concatenate([parts[0], parts[-1], parts[:, 0], parts[:, -1]]))] = False
    return np.asarray(ndimage.binary_fill_holes(kept[parts]), dtype=bool)


def _otsu(image: Float32[np.ndarray, "H W"]) -> float:
    """The grey value that parts dark from bright with the largest variance between the two."""
    counts, edges = np.histogram(image, bins=128, range=(0.0, 1.0))
    centres = (edges[:-1] + edges[1:]) / 2
    below, total = np.cumsum(counts), counts.sum()
    sums = np.cumsum(counts * centres)
    above = np.maximum(total - below, 1)
    means = sums / np.maximum(below, 1), (sums[-1] - sums) / above
    between = below * (total - below) * (means[0] - means[1]) ** 2
    return float(edges[1:][between.argmax()])
