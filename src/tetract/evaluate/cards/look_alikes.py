"""Slices that look like one scan: same grain of detail at the same place.

Quick and blunt, for some hundred slices: no alignment, so a copy that was cropped or mirrored is
not found. ``tetract data audit`` compares everything, aligned.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from scipy.ndimage import gaussian_filter
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import connected_components

from tetract.types.batch import Sample

GRID_PX: Final = 64
# Measured (docs/reference/cards.md): strangers stay below 0.45 on real CT and below 0.74 on
# phantoms, neighbours in a scan lie at 0.92 (median).
ALIKE: Final = 0.8
_COARSE_PX: Final = 2.0


def details(samples: Sequence[Sample]) -> Float[np.ndarray, "N 4096"]:
    """Each slice at 64 px without what is coarser than 2 px, as a vector of unit length."""
    images = torch.from_numpy(np.stack([sample.centre[None] for sample in samples]))
    small = torch.nn.functional.interpolate(images, size=(GRID_PX, GRID_PX), mode="area")
    grey = small[:, 0].double().numpy()
    fine = grey - gaussian_filter(grey, (0.0, _COARSE_PX, _COARSE_PX))
    rows = fine.reshape(len(fine), -1)
    rows = rows - rows.mean(axis=1, keepdims=True)
    length = np.linalg.norm(rows, axis=1, keepdims=True)
    return rows / np.maximum(length, 1e-9)


def are_alike(
    some: Float[np.ndarray, "N D"], others: Float[np.ndarray, "M D"]
) -> Bool[np.ndarray, "N M"]:
    """Which of ``some`` look like which of ``others``."""
    return some @ others.T >= ALIKE


def scans(found: Float[np.ndarray, "N D"], groups: Sequence[str]) -> Int[np.ndarray, " N"]:
    """A number for each slice: equal where slices share a group or are joined by look-alikes."""
    numbers = {group: number for number, group in enumerate(dict.fromkeys(groups))}
    group = np.array([numbers[one] for one in groups])
    joined = are_alike(found, found) | (group[:, None] == group[None, :])
    return connected_components(csr_matrix(joined), directed=False)[1].astype(np.int64)
