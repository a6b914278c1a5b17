"""Through DICOM and NIfTI and back, every voxel keeps its value and its place."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from io_makers import make_affine, make_series, make_volume

from tetract.io import (
    canonical,
    read_label_map,
    read_volume,
    write_nifti_labels,
    write_nifti_volume,
)
from tetract.io.orientation import lps_from_ras
from tetract.io.same_grid import check_same_grid, corners_apart_mm, labels_on_grid
from tetract.types import Geometry, Volume


def _turn(degrees: tuple[float, float, float]) -> np.ndarray:
    x, y, z = np.deg2rad(degrees)
    rx = np.array([[1, 0, 0], [0, np.cos(x), -np.sin(x)], [0, np.sin(x), np.cos(x)]])
    ry = np.array([[np.cos(y), 0, np.sin(y)], [0, 1, 0], [-np.sin(y), 0, np.cos(y)]])
    rz = np.array([[np.cos(z), -np.sin(z), 0], [np.sin(z), np.cos(z), 0], [0, 0, 1]])
    return rx @ ry @ rz


def _directions(row: tuple[float, ...], column: tuple[float, ...]) -> np.ndarray:
    """Columns slice, row index, column index, from the two halves of an IOP."""
    return np.stack([np.cross(row, column), column, row], axis=1)


ORIENTATIONS = {
    "supine head first": _directions((1, 0, 0), (0, 1, 0)),
    "prone": _directions((-1, 0, 0), (0, -1, 0)),
    "columns mirrored": _directions((-1, 0, 0), (0, 1, 0)),
    "rows mirrored": _directions((1, 0, 0), (0, -1, 0)),
    "coronal": _directions((1, 0, 0), (0, 0, -1)),
    "sagittal": _directions((0, 1, 0), (0, 0, -1)),
    "oblique": _turn((11, -7, 23)) @ _directions((1, 0, 0), (0, 1, 0)),
    "decubitus oblique": _turn((3, 5, 84)) @ _directions((1, 0, 0), (0, 1, 0)),
}
SPACINGS = [(2.5, 1.25, 1.5), (0.625, 0.748046875, 0.748046875), (5.0, 0.9765625, 0.4)]


@pytest.mark.parametrize("spacing", SPACINGS)
@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_dicom_to_nifti_keeps_every_voxel_in_its_place(
    tmp_path: Path, orientation: str, spacing: tuple[float, float, float]
) -> None:
    made = make_volume(make_affine(ORIENTATIONS[orientation], spacing))
    make_series(tmp_path / "ct", made)
    from_dicom = read_volume(tmp_path / "ct")
    write_nifti_volume(tmp_path / "a.nii.gz", from_dicom.values, from_dicom.geometry)
    from_nifti = read_volume(tmp_path / "a.nii.gz")

    assert np.array_equal(from_dicom.values, made.values)
    assert corners_apart_mm(from_dicom.geometry, made.geometry) < 1e-3
    turned, grid = canonical(made.values, made.geometry)
    assert np.array_equal(from_nifti.values, turned)
    assert corners_apart_mm(from_nifti.geometry, grid) < 1e-3


@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_a_mask_written_on_a_dicom_grid_comes_back_on_it(tmp_path: Path, orientation: str) -> None:
    volume = make_volume(make_affine(ORIENTATIONS[orientation]))
    mask = (volume.values > 900).astype(np.uint8)
    write_nifti_labels(tmp_path / "m.nii.gz", mask, volume.geometry)
    found = labels_on_grid(volume, read_label_map(tmp_path / "m.nii.gz"))
    assert np.array_equal(found.values, mask)
    check_same_grid(volume, found)


def test_an_axial_volume_is_canonical_already() -> None:
    made = make_volume()
    values, grid = canonical(made.values, made.geometry)
    assert np.array_equal(values, made.values)
    assert np.array_equal(grid.affine, made.geometry.affine)


@given(
    axes=st.permutations(range(3)),
    signs=st.tuples(*[st.sampled_from([-1, 1])] * 3),
    angles=st.tuples(*[st.floats(-20, 20)] * 3),
)
@settings(max_examples=60, deadline=None)
def test_canonical_order_moves_no_voxel(
    axes: list[int], signs: tuple[int, int, int], angles: tuple[float, float, float]
) -> None:
    made = make_volume(make_affine(_turn(angles) @ np.eye(3)[:, axes] * signs), shape=(3, 4, 5))
    values, grid = canonical(made.values, made.geometry)
    before = _by_place(made.values, made.geometry)
    assert _by_place(values, grid) == before
    main = np.argmax(np.abs(grid.affine[:3, :3]), axis=0)
    assert sorted(main.tolist()) == [0, 1, 2]


def _by_place(values: np.ndarray, grid: Geometry) -> dict[tuple[float, ...], int]:
    index = np.indices(values.shape).reshape(3, -1).T
    places = np.round(grid.to_lps(index), 6) + 0.0
    return {tuple(p): int(v) for p, v in zip(places.tolist(), values.ravel(), strict=True)}


def test_the_affine_conversion_is_its_own_inverse() -> None:
    ras = make_affine(_turn((10, 20, 30)))
    assert np.allclose(lps_from_ras(lps_from_ras(ras)), ras)


def test_head_back_and_left_lie_where_lps_says(tmp_path: Path) -> None:
    """A voxel 1 mm left, 2 mm back and 3 mm up of the origin, told in both conventions."""
    values = np.full((4, 4, 4), -1000, dtype=np.int16)
    values[3, 2, 1] = 500  # (slice, row, column): up 3, back 2, left 1
    grid = Geometry(affine=np.eye(4)[:, [2, 1, 0, 3]], shape=(4, 4, 4))
    write_nifti_volume(tmp_path / "a.nii", values, grid)
    found = read_volume(tmp_path / "a.nii")
    place = found.geometry.to_lps(np.argwhere(found.values == 500))
    assert np.allclose(place, [[1, 2, 3]])


def test_geometry_is_needed_to_compare(tmp_path: Path) -> None:
    volume = make_volume()
    bare = Volume(values=volume.values, hu_known=True, geometry=None, provenance=volume.provenance)
    write_nifti_labels(tmp_path / "m.nii", np.ones(volume.values.shape, np.uint8), None)
    labels = read_label_map(tmp_path / "m.nii")
    assert labels.geometry is None
    check_same_grid(bare, labels)
