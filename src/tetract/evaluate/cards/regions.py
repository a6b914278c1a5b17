"""Parts of a slice to be blanked: lungs, everything but the border, lesions, healthy places."""

from __future__ import annotations

from typing import Final

import numpy as np
from jaxtyping import Bool, Float
from scipy.ndimage import binary_dilation, binary_fill_holes
from scipy.signal import fftconvolve

from tetract.evaluate.score import ANATOMY
from tetract.types import LabelSpace
from tetract.types.batch import Sample
from tetract.types.identity import Identity

Region = Bool[np.ndarray, "H W"]
BORDER: Final = 0.1  # of the frame's side
CENTRE: Final = 0.7  # of the frame's side: what stands in for the lungs where nobody knows them
_LUNG_GROWN: Final = 0.02  # of the image side: the pleura goes too
_LESION_GROWN: Final = 0.01
_INSIDE: Final = 0.98  # of a healthy place that must lie in the lung


def frame(sample: Sample) -> Region:
    """What is slice and not padding."""
    height, width = sample.image.shape[1:]
    top, left, bottom, right = sample.identity.frame_px or (0, 0, height, width)
    inside = np.zeros((height, width), dtype=bool)
    inside[top:bottom, left:right] = True
    return inside


def middle(sample: Sample, share: float) -> Region:
    """The rectangle of ``share`` of the frame's height and width around its centre."""
    height, width = sample.image.shape[1:]
    top, left, bottom, right = sample.identity.frame_px or (0, 0, height, width)
    down, across = ((1 - share) / 2 * side for side in (bottom - top, right - left))
    inside = np.zeros((height, width), dtype=bool)
    inside[
        round(top + down) : round(bottom - down), round(left + across) : round(right - across)
    ] = 1
    return inside


def labelled_lung(sample: Sample, space: LabelSpace) -> Region | None:
    """The lung as its annotators drew it; None where they did not."""
    masks = sample.targets.masks
    if masks is None:
        return None
    known = [k for k in anatomy_channels(space) if masks.annotated[k]]
    return np.asarray(masks.pixels[known].any(axis=0)) if known else None


def anatomy_channels(space: LabelSpace) -> list[int]:
    """Which mask channels are lungs."""
    return [k for k, name in enumerate(space.mask_classes) if name in ANATOMY]


def without_gaps(lung: Region) -> Region:
    """The lung with its vessels and its lesions' holes, and the pleura."""
    return np.asarray(binary_fill_holes(_grown(lung, _LUNG_GROWN)), dtype=bool)


def lesion(sample: Sample, space: LabelSpace) -> Region | None:
    """Every lesion of the slice, by mask where there are masks, else by box, a little grown.

    None where none is known.
    """
    found = np.zeros(sample.image.shape[1:], dtype=bool)
    masks, boxes = sample.targets.masks, sample.targets.boxes
    if masks is not None:
        organs = anatomy_channels(space)
        lesions = [k for k in range(len(masks.annotated)) if masks.annotated[k] and k not in organs]
        found |= masks.pixels[lesions].any(axis=0)
    if boxes is not None:
        for x0, y0, x1, y1 in boxes.boxes.xyxy.round().astype(int).tolist():
            if not found[y0:y1, x0:x1].any():
                found[y0:y1, x0:x1] = True
    return _grown(found, _LESION_GROWN) if found.any() else None


def healthy_place(hurt: Region, allowed: Region, who: Identity) -> Region | None:
    """The same shape elsewhere: in ``allowed``, off the lesion; drawn by lot, None if nowhere.

    Args:
        hurt: The lesion, whose shape is moved.
        allowed: The lung where it is known, else the middle of the body.
        who: The slice, on which the lot depends.
    """
    rows, columns = np.flatnonzero(hurt.any(axis=1)), np.flatnonzero(hurt.any(axis=0))
    shape = hurt[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    inside = _covered(allowed, shape)
    free = _covered(hurt, shape) < 0.5  # the sums are of whole pixels, up to rounding
    places = np.argwhere(free & (inside >= _INSIDE * shape.sum()))
    if not len(places):
        return None
    lot = np.random.default_rng([who.row, who.slice_index])
    top, left = places[lot.integers(len(places))]
    moved = np.zeros_like(hurt)
    moved[top : top + shape.shape[0], left : left + shape.shape[1]] = shape
    return moved


def _covered(region: Region, shape: Bool[np.ndarray, "h w"]) -> Float[np.ndarray, "Y X"]:
    """Pixels of ``region`` under ``shape``, for every place of its upper left corner."""
    flipped = shape[::-1, ::-1].astype(np.float64)
    return fftconvolve(region.astype(np.float64), flipped, mode="valid")


def _grown(region: Region, share: float) -> Region:
    steps = max(1, round(share * region.shape[1]))
    return binary_dilation(region, iterations=steps).astype(bool)
