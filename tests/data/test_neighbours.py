"""Slices beside a slice as channels of their own."""

from __future__ import annotations

import numpy as np
import pytest

from tetract.data.neighbours import Neighbours
from tetract.data.preprocess import prepare_slice
from tetract.types import Geometry, Provenance, Volume


def scan(depth: int, spacing: float | None = 2.5) -> Volume:
    """Slice k holds 100 k - 1000 HU."""
    values = np.stack([np.full((32, 32), 100 * k - 1000, dtype=np.int16) for k in range(depth)])
    geometry = None
    if spacing is not None:
        geometry = Geometry(affine=np.diag([spacing, 0.7, 0.7, 1.0]), shape=(depth, 32, 32))
    names = tuple(str(k) for k in range(depth))
    return Volume(
        values=values,
        hu_known=True,
        geometry=geometry,
        provenance=Provenance(reader="nifti", name="scan", slice_names=names),
    )


@pytest.mark.parametrize(
    ("around", "index", "expected"),
    [
        (Neighbours(), 4, [4]),
        (Neighbours(each_side=1), 4, [3, 4, 5]),
        (Neighbours(each_side=2), 4, [2, 3, 4, 5, 6]),
        (Neighbours(each_side=1), 0, [0, 0, 1]),
        (Neighbours(each_side=2), 9, [7, 8, 9, 9, 9]),
        (Neighbours(each_side=1, distance_mm=5.0), 4, [2, 4, 6]),
        (Neighbours(each_side=1, distance_mm=0.5), 4, [3, 4, 5]),
        (Neighbours(each_side=1, distance_mm=5.0), 1, [0, 1, 3]),
    ],
)
def test_neighbours_by_hand(around: Neighbours, index: int, expected: list[int]) -> None:
    assert around.slices(scan(10), index) == expected


def test_without_a_spacing_it_is_the_next_slice() -> None:
    assert Neighbours(each_side=1, distance_mm=5.0).slices(scan(10, None), 4) == [3, 4, 5]


def test_a_picture_is_its_own_neighbour() -> None:
    assert Neighbours(each_side=1).slices(scan(1, None), 0) == [0, 0, 0]


def test_channels_hold_the_slices_in_their_order() -> None:
    around = Neighbours(each_side=1)
    made = prepare_slice(scan(5), 2, image_px=32, window_hu=(-1000.0, 0.0), around=around)
    assert made.image.shape == (3, 32, 32)
    assert made.image[:, 16, 16].tolist() == pytest.approx([0.1, 0.2, 0.3], abs=1e-6)
    alone = prepare_slice(scan(5), 2, image_px=32, window_hu=(-1000.0, 0.0))
    assert np.array_equal(alone.image, made.centre[None])
