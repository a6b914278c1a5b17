"""A shear below 0.1 deg is a rounding error that is set right and told; above, it is refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from io_makers import change, ct_numbers, make_series, make_volume, save_nifti, set_tag
from test_meta_image import save_meta
from test_nrrd import save_nrrd

from tetract.errors import GeometryError, LabelError
from tetract.io import (
    ReadOptions,
    check_same_grid,
    labels_on_grid,
    read_label_map,
    read_volume,
    write_nifti_labels,
)
from tetract.io.labels.label_map import LabelMap
from tetract.types import Geometry, Volume

SPACING = np.array([1.5, 1.25, 2.5])


def _ras(degrees: float) -> np.ndarray:
    """The third axis leans towards the second one."""
    lean = np.deg2rad(degrees)
    axes = np.array([[-1, 0, 0], [0, -1, np.sin(lean)], [0, 0, np.cos(lean)]])
    affine = np.eye(4)
    affine[:3, :3] = axes * SPACING
    affine[:3, 3] = [11, 22, 33]
    return affine


def _codes(volume: Volume) -> list[str]:
    return [line.split(" ")[0] for line in volume.provenance.warnings]


def _angle(geometry: Geometry) -> float:
    unit = geometry.affine[:3, :3] / np.linalg.norm(geometry.affine[:3, :3], axis=0)
    return float(np.abs(unit.T @ unit - np.eye(3)).max())


def _words(numbers: np.ndarray) -> str:
    return " ".join(f"{number:.12g}" for number in numbers)


def _as_nifti(folder: Path, ras: np.ndarray) -> Path:
    return save_nifti(folder / "a.nii", ct_numbers(), ras)


def _as_meta(folder: Path, ras: np.ndarray) -> Path:
    lps = np.diag([-1, -1, 1, 1]) @ ras
    axes = (lps[:3, :3] / SPACING).T
    places = {"TransformMatrix": _words(axes.ravel()), "Offset": _words(lps[:3, 3])}
    return save_meta(
        folder / "a.mha",
        data="LOCAL",
        **places,
        ElementSpacing=_words(SPACING),
        AnatomicalOrientation=None,
    )


def _as_nrrd(folder: Path, ras: np.ndarray) -> Path:
    steps = [f"({','.join(f'{mm:.12g}' for mm in ras[:3, axis])})" for axis in range(3)]
    place = ",".join(f"{mm:.12g}" for mm in ras[:3, 3])
    return save_nrrd(
        folder / "a.nrrd",
        space="right-anterior-superior",
        space_directions=" ".join(steps),
        space_origin=f"({place})",
    )


FORMATS = {"NIfTI": _as_nifti, "MetaImage": _as_meta, "NRRD": _as_nrrd}


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("degrees", [0.006, 0.03, 0.099])
def test_a_small_shear_is_set_right_and_told(tmp_path: Path, kind: str, degrees: float) -> None:
    make: Callable[[Path, np.ndarray], Path] = FORMATS[kind]
    volume = read_volume(make(tmp_path, _ras(degrees)))
    straight = read_volume(make(tmp_path, _ras(0.0)))
    assert _codes(volume) == ["W_SHEAR_REPAIRED"]
    assert f"axes {degrees:.3f} deg off" in volume.provenance.warnings[0]
    assert _angle(volume.geometry) < 1e-12
    assert volume.geometry.spacing_mm == pytest.approx(straight.geometry.spacing_mm)
    assert np.array_equal(volume.values, straight.values)
    # Both axes that lean give way by half: no direction cosine moves by 1e-3.
    cosines = (volume.geometry.affine - straight.geometry.affine)[:3, :3] / SPACING[::-1]
    assert 0 < float(np.abs(cosines).max()) < 1e-3


@pytest.mark.parametrize("kind", FORMATS)
def test_a_tenth_of_a_degree_is_the_limit(tmp_path: Path, kind: str) -> None:
    with pytest.raises(GeometryError, match=r"E_SHEAR .*within 0\.1 deg, found off by 0\.11 deg"):
        read_volume(FORMATS[kind](tmp_path, _ras(0.11)))


def test_the_rounding_of_a_header_is_left_alone(tmp_path: Path) -> None:
    volume = read_volume(_as_nifti(tmp_path, _ras(0.005)))
    assert _codes(volume) == []
    assert _angle(volume.geometry) == pytest.approx(np.sin(np.deg2rad(0.005)), rel=1e-3)


def test_the_first_voxel_of_the_file_stays(tmp_path: Path) -> None:
    volume = read_volume(_as_nifti(tmp_path, _ras(0.09)))
    corners = volume.geometry.corners_mm
    assert np.abs(corners - [-11, -22, 33]).sum(axis=1).min() < 1e-4


def test_a_qform_made_from_a_sheared_sform_agrees_with_it(tmp_path: Path) -> None:
    ras = _ras(0.09)
    ras[:3, :3] *= 8  # far enough apart that half the shear would not pass as rounding

    def both(image: nib.Nifti1Image) -> None:
        image.set_sform(ras, code=1)
        image.set_qform(ras, code=1)  # a qform cannot lean: nibabel sets it right

    found = read_volume(save_nifti(tmp_path / "a.nii", ct_numbers((40, 40, 30)), ras, both))
    chosen = read_volume(tmp_path / "a.nii", options=ReadOptions(prefer="qform"))
    assert np.allclose(found.geometry.corners_mm, chosen.geometry.corners_mm, atol=1e-2)
    assert not chosen.provenance.derived


def _leaning(folder: Path, degrees: float) -> Volume:
    """A series whose slices are each a little aside of the one below."""
    for index, path in enumerate(make_series(folder)):
        x, y, z = -40.0, -50.0, -100.0
        aside = 2.5 * index * np.tan(np.deg2rad(degrees))
        place = [x, float(f"{y + aside:.8f}"), z + 2.5 * index]
        change(path, set_tag("ImagePositionPatient", place))
    return read_volume(folder)


@pytest.mark.parametrize("moved_mm", [0.0, 0.01])
def test_a_mask_of_a_leaning_series_lies_where_the_series_lies(
    tmp_path: Path, moved_mm: float
) -> None:
    volume = _leaning(tmp_path / "ct", 0.09)
    assert _angle(volume.geometry) > 1e-3  # DICOM says where each slice lies: nothing is moved
    affine = volume.geometry.affine.copy()
    affine[0, 3] += moved_mm
    drawn = (make_volume().values > 0).astype(np.uint8)
    grid = Geometry(affine=affine, shape=volume.geometry.shape)
    write_nifti_labels(tmp_path / "mask.nii.gz", drawn, grid)
    labels = read_label_map(tmp_path / "mask.nii.gz")
    assert labels.warnings[0].startswith("W_SHEAR_REPAIRED")
    if moved_mm:
        with pytest.raises(LabelError, match=r"E_AFFINE_MISMATCH .*0\.010 mm apart"):
            labels_on_grid(volume, labels)
    else:
        assert np.array_equal(labels_on_grid(volume, labels).values, drawn)


def test_a_large_shear_of_a_mask_is_no_match(tmp_path: Path) -> None:
    volume = read_volume(_as_nifti(tmp_path, _ras(0.0)))
    leaning = volume.geometry.affine.copy()
    leaning[0, 1] = 0.5
    labels = LabelMap(
        values=np.zeros(volume.values.shape, np.uint8),
        geometry=Geometry(affine=leaning, shape=volume.values.shape),
        name="m",
    )
    with pytest.raises(LabelError, match="E_AFFINE_MISMATCH"):
        check_same_grid(volume, labels)
