"""Slices become a volume only where they form one."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from io_makers import ORIGIN, change, make_affine, make_series, make_volume, set_tag
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, MediaStorageDirectoryStorage

from tetract.errors import GeometryError, ReadError, TetractError
from tetract.io import ReadOptions, count_slices, read_volume, write_png


def _place(path: Path, x: float, y: float, z: float) -> None:
    change(path, set_tag("ImagePositionPatient", [x, y, z]))


def _codes(folder: Path) -> set[str]:
    return {line.split(" ")[0] for line in read_volume(folder).provenance.warnings}


def test_a_series_is_read_whole_and_without_a_warning(tmp_path: Path) -> None:
    made = make_volume()
    make_series(tmp_path, made)
    found = read_volume(tmp_path)
    assert np.array_equal(found.values, made.values)
    assert np.allclose(found.geometry.affine, made.geometry.affine, atol=1e-9)
    assert found.provenance.warnings == ()
    assert found.provenance.slice_names[0] == "0001.dcm"


def test_neither_names_nor_instance_numbers_order_the_slices(tmp_path: Path) -> None:
    paths = make_series(tmp_path)
    for index, path in enumerate(paths):
        change(path, set_tag("InstanceNumber", len(paths) - index))
        path.rename(tmp_path / f"x{99 - index}.dcm")
    assert np.array_equal(read_volume(tmp_path).values, make_volume().values)


@pytest.mark.parametrize("missing", [1, 3])
def test_a_missing_slice_is_refused_with_both_distances(tmp_path: Path, missing: int) -> None:
    make_series(tmp_path)[missing].unlink()
    with pytest.raises(GeometryError, match=r"E_NONUNIFORM_SPACING.*2\.500 mm.*5\.000 mm between"):
        read_volume(tmp_path)


def test_a_missing_end_is_told(tmp_path: Path) -> None:
    for path in make_series(tmp_path)[:2]:
        path.unlink()
    assert _codes(tmp_path) == {"W_TRUNCATED_STACK"}


def test_a_tenth_of_a_degree_of_jitter_is_accepted(tmp_path: Path) -> None:
    x, y, z = ORIGIN
    for index, path in enumerate(make_series(tmp_path)):
        _place(path, x, y, z + 2.5 * index + 0.004 * (-1) ** index)
    assert read_volume(tmp_path).geometry.spacing_mm[0] == pytest.approx(2.5, abs=0.01)


def test_a_slow_drift_is_refused(tmp_path: Path) -> None:
    x, y, z = ORIGIN
    made = make_volume(shape=(60, 16, 20))
    for index, path in enumerate(make_series(tmp_path, made)):
        step = 2.5 * index + 0.024 * max(0, index - 30)  # each gap within 1 %
        _place(path, x, y, z + step)
    with pytest.raises(GeometryError, match="E_NONUNIFORM_SPACING"):
        read_volume(tmp_path)


@pytest.mark.parametrize("degrees", [0.5, 14.0, -20.0])
def test_gantry_tilt_is_refused_with_its_angle(tmp_path: Path, degrees: float) -> None:
    x, y, z = ORIGIN
    for index, path in enumerate(make_series(tmp_path)):
        _place(path, x, y + 2.5 * index * np.tan(np.deg2rad(degrees)), z + 2.5 * index)
    with pytest.raises(GeometryError, match=rf"E_GANTRY_TILT.*found {abs(degrees):.2f} deg"):
        read_volume(tmp_path)


def test_tilt_and_a_missing_slice_are_told_together(tmp_path: Path) -> None:
    x, y, z = ORIGIN
    paths = make_series(tmp_path)
    for index, path in enumerate(paths):
        _place(path, x, y + index, z + 2.5 * index)
    paths[2].unlink()
    with pytest.raises(GeometryError, match=r"E_GANTRY_TILT.*not constant.*5\.000 mm"):
        read_volume(tmp_path)


def test_a_slice_shifted_in_its_plane_is_refused(tmp_path: Path) -> None:
    x, y, z = ORIGIN
    _place(make_series(tmp_path)[2], x + 1, y, z + 5.0)
    with pytest.raises(GeometryError, match="E_SHIFTED_SLICE"):
        read_volume(tmp_path)


def test_an_exact_copy_of_a_slice_is_dropped(tmp_path: Path) -> None:
    shutil.copy(make_series(tmp_path)[3], tmp_path / "copy.dcm")
    assert _codes(tmp_path) == {"W_DUPLICATE_DROPPED"}
    assert np.array_equal(read_volume(tmp_path).values, make_volume().values)
    assert count_slices(tmp_path) == 6


def test_two_images_at_one_position_are_refused(tmp_path: Path) -> None:
    shutil.copy(make_series(tmp_path)[3], tmp_path / "other.dcm")
    change(tmp_path / "other.dcm", lambda d: set_tag("PixelData", d.PixelData[::-1])(d))
    with pytest.raises(GeometryError, match=r"E_DUPLICATE_POSITIONS.*2 at z=-92\.500"):
        read_volume(tmp_path)


@pytest.mark.parametrize(
    ("keyword", "value", "code"),
    [
        ("PixelSpacing", [1.0, 1.5], "E_MIXED_SPACING"),
        ("FrameOfReferenceUID", "1.2.3", "E_MIXED_FRAME"),
        ("ImageOrientationPatient", [0.8, 0.6, 0, -0.6, 0.8, 0], "E_MIXED_ORIENTATION"),
    ],
)
def test_slices_that_share_no_grid_are_refused(
    tmp_path: Path, keyword: str, value: object, code: str
) -> None:
    change(make_series(tmp_path)[4], set_tag(keyword, value))
    with pytest.raises(GeometryError, match=rf"{code}.*0005\.dcm"):
        read_volume(tmp_path)


def test_slices_of_different_sizes_are_refused(tmp_path: Path) -> None:
    change(
        make_series(tmp_path)[4],
        lambda d: (set_tag("Rows", 8)(d), set_tag("PixelData", d.PixelData[:320])(d)),
    )
    with pytest.raises(GeometryError, match=r"E_MIXED_MATRIX.*16 x 20.*8 x 20 in 0005\.dcm"):
        read_volume(tmp_path)


def test_several_series_are_listed_and_one_can_be_picked(tmp_path: Path) -> None:
    other = make_volume(shape=(4, 16, 20))
    make_series(tmp_path)
    for path in make_series(tmp_path / "b", other, seed="two"):
        path.rename(tmp_path / f"b{path.name}")
    with pytest.raises(ReadError, match="E_SEVERAL_SERIES") as caught:
        read_volume(tmp_path)
    short = next(part.split(" ")[0] for part in caught.value.found.split(", ") if "(4 s" in part)
    picked = read_volume(tmp_path, options=ReadOptions(series=short))
    assert np.array_equal(picked.values, other.values)
    with pytest.raises(ReadError, match="E_SERIES_UNKNOWN"):
        read_volume(tmp_path, options=ReadOptions(series="zzz"))


@pytest.mark.parametrize("declared", [True, False])
def test_a_localizer_is_dropped(tmp_path: Path, declared: bool) -> None:
    scout = make_series(tmp_path / "s")[0]
    make_series(tmp_path)
    change(scout, set_tag("ImageOrientationPatient", [0, 1, 0, 0, 0, -1]))
    if declared:
        change(scout, set_tag("ImageType", ["ORIGINAL", "PRIMARY", "LOCALIZER"]))
    scout.rename(tmp_path / "0000.dcm")
    assert _codes(tmp_path) == {"W_LOCALIZER_DROPPED"}
    assert np.array_equal(read_volume(tmp_path).values, make_volume().values)


def test_other_objects_and_files_are_skipped_with_a_warning(tmp_path: Path) -> None:
    paths = make_series(tmp_path)
    shutil.copy(paths[0], tmp_path / "rt.dcm")
    change(
        tmp_path / "rt.dcm", lambda d: (set_tag("Modality", "RTSTRUCT")(d), d.__delattr__("Rows"))
    )
    (tmp_path / "readme.txt").write_text("hello")
    write_png(tmp_path / "thumb.png", np.zeros((4, 4), dtype=np.uint8))
    found = read_volume(tmp_path)
    assert found.depth == 6
    assert len([w for w in found.provenance.warnings if w.startswith("W_SKIPPED")]) == 3


def test_a_dicomdir_is_skipped_and_its_references_are_not_followed(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    make_series(folder)
    make_series(folder / "SUB", seed="two")[0].rename(folder / "SUB" / "A0001")
    listing = Dataset()
    listing.file_meta = FileMetaDataset()
    listing.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    listing.SOPClassUID = MediaStorageDirectoryStorage
    listing.SOPInstanceUID = "1.2.3"
    record = Dataset()
    record.ReferencedFileID = ["SUB", "A0001"]
    listing.DirectoryRecordSequence = [record]
    listing.save_as(folder / "DICOMDIR", enforce_file_format=True)
    found = read_volume(folder)
    assert found.depth == 6
    assert found.provenance.warnings == ("W_SKIPPED in: 1 x object without an image: DICOMDIR",)


def test_a_damaged_slice_is_never_skipped(tmp_path: Path) -> None:
    path = make_series(tmp_path)[5]
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(TetractError):
        read_volume(tmp_path)


def test_empty_uids_group_by_frame_and_orientation(tmp_path: Path) -> None:
    for path in make_series(tmp_path):
        change(path, set_tag("SeriesInstanceUID", ""))
        change(path, set_tag("SOPClassUID", ""))
    assert _codes(tmp_path) == {"W_EMPTY_UID"}


@pytest.mark.parametrize(
    ("fill", "code"), [(None, "E_EMPTY_FOLDER"), (b"text", "E_NO_SERIES"), (b"", "E_NO_SERIES")]
)
def test_a_folder_without_a_series_is_refused(
    tmp_path: Path, fill: bytes | None, code: str
) -> None:
    if fill is not None:
        (tmp_path / "a.dcm").write_bytes(fill)
    with pytest.raises(ReadError) as caught:
        read_volume(tmp_path)
    assert caught.value.code == code


def test_slices_far_apart_for_their_thickness_are_told(tmp_path: Path) -> None:
    for path in make_series(tmp_path):
        change(path, set_tag("SliceThickness", 1.0))
    assert _codes(tmp_path) == {"W_SLICE_GAP"}


@pytest.mark.parametrize(("thickness", "step"), [(3.0, 3.0), (None, 1.0), (0.0, 1.0)])
def test_a_slice_on_its_own_has_its_thickness_as_step(
    tmp_path: Path, thickness: float | None, step: float
) -> None:
    path = make_series(tmp_path)[2]
    change(path, set_tag("SliceThickness", thickness))
    found = read_volume(path)
    assert found.geometry.spacing_mm == pytest.approx((step, 1.25, 1.5))
    assert bool(found.provenance.warnings) == (thickness != 3.0)
    assert np.array_equal(found.values[0], make_volume().values[2])


def test_a_left_handed_stack_is_read_along_its_normal(tmp_path: Path) -> None:
    directions = np.eye(3)[:, ::-1].copy()
    directions[:, 0] *= -1  # slices run footward
    made = make_volume(make_affine(directions))
    make_series(tmp_path, made)
    found = read_volume(tmp_path)
    assert np.array_equal(found.values, made.values[::-1])
    assert np.allclose(found.geometry.affine[:3, 3], made.geometry.to_lps(np.array([[5, 0, 0]])))
