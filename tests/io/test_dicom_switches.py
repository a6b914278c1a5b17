"""What may be mended on request: on a ramp the truth is known at every point."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from io_makers import ORIGIN, SPACING, change, make_affine, make_series, set_tag

from tetract.errors import TetractError
from tetract.io import ReadOptions, count_slices, read_volume
from tetract.types import Geometry, Provenance, Volume

RESAMPLE = ReadOptions(resample_gaps=True)
DESKEW = ReadOptions(deskew=True)
BOTH = ReadOptions(resample_gaps=True, deskew=True)
SHAPE = (9, 16, 20)


def _ramp(points: np.ndarray) -> np.ndarray:
    """HU that rise linearly in all three directions of the patient."""
    x, y, z = (points - ORIGIN).T
    return 16 * x / 1.5 + 40 * y / 1.25 + 80 * z / 2.5 - 900


def _make_ramp(folder: Path, shift_mm: tuple[float, float] = (0.0, 0.0)) -> tuple[Path, ...]:
    """Slices of the ramp, each ``shift_mm`` (x, y) aside from the one below."""
    depth, height, width = SHAPE
    values = np.empty(SHAPE, dtype=np.int16)
    rows, columns = np.meshgrid(np.arange(height), np.arange(width), indexing="ij")
    x, y, z = ORIGIN
    places = [(x + k * shift_mm[0], y + k * shift_mm[1], z + 2.5 * k) for k in range(depth)]
    for k, (left, front, low) in enumerate(places):
        points = np.stack([left + 1.5 * columns, front + 1.25 * rows, low + 0.0 * rows], axis=-1)
        values[k] = np.rint(_ramp(points.reshape(-1, 3))).reshape(height, width)
    paths = make_series(
        folder,
        Volume(
            values=values,
            hu_known=True,
            geometry=Geometry(affine=make_affine(), shape=SHAPE),
            provenance=Provenance(reader="dicom", name="ramp", slice_names=("x",) * depth),
        ),
    )
    for path, place in zip(paths, places, strict=True):
        change(path, set_tag("ImagePositionPatient", [float(f"{mm:.6f}") for mm in place]))
    return paths


def _expected(volume: Volume) -> np.ndarray:
    index = np.indices(volume.values.shape).reshape(3, -1).T
    return np.rint(_ramp(volume.geometry.to_lps(index))).reshape(volume.values.shape)


def _codes(volume: Volume) -> list[str]:
    return [line.split(" ")[0] for line in volume.provenance.warnings]


@pytest.mark.parametrize("missing", [(1,), (4, 5), (1, 3, 7)])
def test_gaps_are_filled_so_that_a_ramp_comes_back(
    tmp_path: Path, missing: tuple[int, ...]
) -> None:
    paths = _make_ramp(tmp_path)
    whole = read_volume(tmp_path)
    for index in missing:
        paths[index].unlink()
    filled = read_volume(tmp_path, options=RESAMPLE)
    assert np.array_equal(filled.values, whole.values)
    assert np.allclose(filled.geometry.affine, whole.geometry.affine, atol=1e-6)
    assert filled.provenance.derived
    assert "W_GAPS_RESAMPLED" in _codes(filled)
    assert count_slices(tmp_path, options=RESAMPLE) == len(paths)


def test_an_interpolated_slice_is_named_for_its_neighbours(tmp_path: Path) -> None:
    _make_ramp(tmp_path)[2].unlink()
    names = read_volume(tmp_path, options=RESAMPLE).provenance.slice_names
    assert names[1:4] == ("0002.dcm", "0002.dcm~0004.dcm", "0004.dcm")


def test_uneven_slices_end_where_they_ended(tmp_path: Path) -> None:
    """Gaps that are no multiple of each other: the first and the last slice stay where they are."""
    paths = _make_ramp(tmp_path)
    for index, z in enumerate([0, 2.5, 5, 9, 12, 14.5, 17, 22, 26]):
        change(paths[index], set_tag("ImagePositionPatient", [*ORIGIN[:2], ORIGIN[2] + z]))
    even = read_volume(tmp_path, options=RESAMPLE)
    assert even.values.shape == (11, 16, 20)
    assert np.allclose(even.geometry.spacing_mm, (2.6, 1.25, 1.5))
    first, last = even.geometry.to_lps(np.array([[0, 0, 0], [10, 0, 0]]))
    assert np.allclose([first[2], last[2]], [ORIGIN[2], ORIGIN[2] + 26])
    at = np.interp(2.6 * np.arange(11), [0, 2.5, 5, 9, 12, 14.5, 17, 22, 26], np.arange(9))
    # Along z the stored slices are a ramp of 80 HU per slice, whatever lies between them.
    assert np.array_equal(even.values[:, 0, 0], np.rint(-900 + 80 * at))


def test_a_regular_series_is_not_touched(tmp_path: Path) -> None:
    _make_ramp(tmp_path)
    plain, asked = read_volume(tmp_path), read_volume(tmp_path, options=BOTH)
    assert np.array_equal(asked.values, plain.values)
    assert not asked.provenance.derived
    assert asked.provenance.warnings == plain.provenance.warnings


def test_a_gap_wider_than_a_nodule_is_not_filled(tmp_path: Path) -> None:
    for path in _make_ramp(tmp_path)[2:6]:
        path.unlink()
    with pytest.raises(TetractError, match=r"E_NONUNIFORM_SPACING.*at most 10 mm.*12\.500 mm"):
        read_volume(tmp_path, options=RESAMPLE)


@pytest.mark.parametrize(
    "shift_mm",
    [(0.0, 0.625), (0.0, -0.625), (0.75, 0.0), (0.0, 1.25), (0.375, -0.3125)],
    ids=["half a row", "half a row up", "half a column", "a row", "rows and columns"],
)
def test_a_tilted_ramp_is_shifted_back_exactly(
    tmp_path: Path, shift_mm: tuple[float, float]
) -> None:
    _make_ramp(tmp_path, shift_mm)
    with pytest.raises(TetractError, match="E_GANTRY_TILT"):
        read_volume(tmp_path)
    upright = read_volume(tmp_path, options=DESKEW)
    step, down, across = upright.geometry.affine[:3, :3].T
    assert np.allclose([step @ down, step @ across, down @ across], 0)
    assert np.allclose(upright.geometry.spacing_mm, SPACING)
    inside = upright.values != -1024
    assert np.abs(upright.values - _expected(upright))[inside].max() <= 1
    assert inside.sum() >= SHAPE[0] * (SHAPE[1] - 1) * (SHAPE[2] - 1)
    assert upright.provenance.derived
    assert _codes(upright)[0] == "W_DESKEWED"


def test_whole_steps_lose_no_voxel(tmp_path: Path) -> None:
    _make_ramp(tmp_path, (1.5, -1.25))
    upright = read_volume(tmp_path, options=DESKEW)
    assert upright.values.shape == (9, 24, 28)
    inside = upright.values != -1024
    assert inside.sum() == np.prod(SHAPE)
    assert np.array_equal(upright.values[inside], _expected(upright)[inside])


def test_tilt_and_gaps_need_both_switches(tmp_path: Path) -> None:
    _make_ramp(tmp_path, (0.0, 1.25))[3].unlink()
    with pytest.raises(TetractError, match="E_NONUNIFORM_SPACING"):
        read_volume(tmp_path, options=DESKEW)
    with pytest.raises(TetractError, match="E_GANTRY_TILT"):
        read_volume(tmp_path, options=RESAMPLE)
    mended = read_volume(tmp_path, options=BOTH)
    inside = mended.values != -1024
    assert np.array_equal(mended.values[inside], _expected(mended)[inside])
    assert {"W_GAPS_RESAMPLED", "W_DESKEWED"} <= set(_codes(mended))


def test_no_gantry_tilts_beyond_45_degrees(tmp_path: Path) -> None:
    _make_ramp(tmp_path, (0.0, 3.0))
    with pytest.raises(TetractError, match=r"E_GANTRY_TILT.*within 45 deg"):
        read_volume(tmp_path, options=DESKEW)


def test_a_slice_shifted_in_its_plane_stays_refused(tmp_path: Path) -> None:
    x, y, z = ORIGIN
    change(_make_ramp(tmp_path)[3], set_tag("ImagePositionPatient", [x + 1, y, z + 7.5]))
    with pytest.raises(TetractError, match="E_SHIFTED_SLICE"):
        read_volume(tmp_path, options=BOTH)


def _two_acquisitions(folder: Path) -> None:
    for path in _make_ramp(folder):
        change(path, set_tag("AcquisitionNumber", 1))
        other = folder / f"b{path.name}"
        shutil.copy(path, other)
        change(other, lambda d: set_tag("PixelData", d.PixelData[::-1])(d))
        change(other, set_tag("AcquisitionNumber", 2))


def test_one_of_two_acquisitions_can_be_taken(tmp_path: Path) -> None:
    _two_acquisitions(tmp_path / "two")
    _make_ramp(tmp_path / "one")
    with pytest.raises(TetractError, match=r"--acquisition: 1 \(9 slices\), 2 \(9 slices\)"):
        read_volume(tmp_path / "two")
    taken = read_volume(tmp_path / "two", options=ReadOptions(acquisition=1))
    assert np.array_equal(taken.values, read_volume(tmp_path / "one").values)
    assert _codes(taken) == ["W_ACQUISITION"]
    assert not taken.provenance.derived


def test_an_acquisition_that_is_not_there_is_refused(tmp_path: Path) -> None:
    _two_acquisitions(tmp_path)
    with pytest.raises(TetractError, match=r"E_ACQUISITION_UNKNOWN.*1 \(9 slices\).*found 3"):
        read_volume(tmp_path, options=ReadOptions(acquisition=3))


@pytest.mark.parametrize(
    "options",
    [
        ReadOptions(as_grey=True),
        ReadOptions(nan_to_hu=-1024),
        ReadOptions(prefer="sform"),
    ],
)
def test_switches_of_volume_files_do_not_fit_dicom(tmp_path: Path, options: ReadOptions) -> None:
    path = _make_ramp(tmp_path)[0]
    for given in (tmp_path, path):
        with pytest.raises(TetractError, match="E_OPTION_UNFIT"):
            read_volume(given, options=options)


@pytest.mark.real
def test_a_real_tilted_series_with_a_gap_can_be_mended(shared: Path) -> None:
    folder = shared / "data/odd/series_real/tilt15_and_missing"
    mended = read_volume(folder, options=BOTH)
    step, down, across = mended.geometry.affine[:3, :3].T
    assert np.allclose([step @ down, step @ across], 0, atol=1e-6)
    assert mended.depth == 5
    assert mended.provenance.derived
