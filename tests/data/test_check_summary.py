"""Claims about histograms and counts of images."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from check_maker import a_volume

from tetract.data.check.summary import BAR_WIDTH, Histogram, ImageTally, bar
from tetract.types import Provenance, Volume


def test_bins_are_half_open_and_the_last_is_open_upwards() -> None:
    histogram = Histogram(edges=(0.0, 1.0, 2.0), unit="mm")
    for value in (-3.0, 0.0, 0.999, 1.0, 1.9999999, 2.0, 1e9):
        histogram.add(value)
    assert histogram.counts == [3, 1, 3]  # 1.9999999 from a header is 2


def test_bars_leave_out_empty_ends_but_no_gap() -> None:
    histogram = Histogram(edges=(0.0, 1.0, 2.0, 3.0, 4.0), unit="px", counts=[0, 1, 0, 3, 0])
    lines = histogram.bars()
    assert [line.split()[0] for line in lines] == ["1", "2", "3"]
    assert lines[2].endswith("75.0%  3")
    assert "-  0" in lines[1]
    assert Histogram(edges=(0.0,), unit="px").bars() == []


def test_a_little_is_not_drawn_as_nothing() -> None:
    assert bar(0, 1000).strip() == ""
    assert bar(1, 1000).strip() != ""
    assert len(bar(1000, 1000).strip()) == BAR_WIDTH


def test_hu_are_counted_by_voxel_and_grey_values_by_file() -> None:
    tally = ImageTally()
    assert tally.add(a_volume(side=64)) == (-1000, 40)
    grey = Volume(
        values=np.arange(64, dtype=np.uint8).reshape(1, 8, 8),
        hu_known=False,
        geometry=None,
        provenance=Provenance(reader="png", name="a", slice_names=("a",)),
    )
    assert tally.add(grey) is None
    plain = tally.as_json()
    assert sum(plain["hu"]["counts"]) == 5 * 16 * 16  # every 4th row and column of 5 slices
    assert plain["no_hu"] == {"uint8": {"files": 1, "lowest": 0, "highest": 63}}
    assert plain["files_without_spacing"] == 1


def test_the_thinnest_direction_does_not_hide_the_larger_pixel_side() -> None:
    volume = a_volume()
    assert volume.geometry is not None
    affine = volume.geometry.affine.copy()
    affine[:, 2] *= 2.0  # columns 1.4 mm apart
    tally = ImageTally()
    tally.add(replace(volume, geometry=replace(volume.geometry, affine=affine)))
    assert tally.in_plane.counts[tally.in_plane.edges.index(1.0)] == 1


def test_warnings_are_counted_by_code() -> None:
    tally = ImageTally()
    for name in ("a", "b"):
        tally.warn(f"W_PADDING {name}: 3 voxels")
    assert tally.as_json()["warnings"] == {
        "W_PADDING": {"count": 2, "first": "W_PADDING a: 3 voxels"}
    }
    assert tally.as_text() == ["no image could be read"]
