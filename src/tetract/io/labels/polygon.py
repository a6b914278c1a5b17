"""Which pixels lie inside a closed outline."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float64


def fill_polygon(
    points_px: Float64[np.ndarray, "N 2"], canvas: tuple[int, int]
) -> Bool[np.ndarray, "H W"]:
    """Pixels whose centre lies inside a closed polygon, by the even-odd rule.

    A pixel's centre has whole coordinates. Of centres exactly on the outline, those on a left or
    upper edge are inside and those on a right or lower edge are not, so that polygons with a
    common edge share no pixel. A channel of no width, as it joins a hole to the outer outline
    (keyhole technique, DICOM PS3.3 C.8.8.6.3), leaves no trace.

    Args:
        points_px: (N, 2) ``(column, row)``, the last point joining the first; the canvas may cut
            them off.
        canvas: ``(H, W)`` in pixels.
    """
    height, width = canvas
    inside = np.zeros(canvas, dtype=bool)
    begin, end = points_px, np.roll(points_px, -1, axis=0)
    lowest, highest = np.floor(points_px[:, 1].min()), np.ceil(points_px[:, 1].max())
    centres = np.arange(width)
    for row in range(max(0, int(lowest)), min(height, int(highest) + 1)):
        # Half-open edges: a vertex on the row is counted once.
        crossing = (begin[:, 1] <= row) != (end[:, 1] <= row)
        (x0, y0), (x1, y1) = begin[crossing].T, end[crossing].T
        cuts = np.sort(x0 + (row - y0) * (x1 - x0) / (y1 - y0))
        inside[row] = np.searchsorted(cuts, centres, side="right") % 2 == 1
    return inside
