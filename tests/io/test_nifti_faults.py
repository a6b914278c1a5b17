"""NIfTI is read strictly: what could make a number wrong is refused."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from io_makers import ct_numbers, save_nifti

from tetract.errors import TetractError
from tetract.io import ReadOptions, count_slices, read_volume

RAS = np.diag([-1.5, -1.25, 2.5, 1.0])


def _spoilt(value: float) -> np.ndarray:
    numbers = ct_numbers().astype(np.float32)
    numbers[1, 2, 3] = value
    return numbers


def _affine(row: int, column: int, value: float) -> np.ndarray:
    changed = RAS.copy()
    changed[row, column] = value
    return changed


def _field(name: str, value: object) -> Callable[[nib.Nifti1Image], object]:
    return lambda image: image.header.__setitem__(name, value)


def _flip_qform(image: nib.Nifti1Image) -> None:
    image.set_sform(RAS, code=1)
    image.set_qform(RAS * [[-1], [1], [1], [1]], code=1)


VALUE_FAULTS = {
    "NaN": (_spoilt(np.nan), RAS, "E_NONFINITE"),
    "infinity": (_spoilt(np.inf), RAS, "E_NONFINITE"),
    "2-D": (ct_numbers((8, 7)), RAS, "E_DIMS"),
    "4-D": (ct_numbers((8, 7, 5, 3)), RAS, "E_DIMS"),
    "complex": (ct_numbers().astype(np.complex64), RAS, "E_DTYPE"),
    "RGB": (np.zeros((8, 7, 5), dtype=[("R", "u1"), ("G", "u1"), ("B", "u1")]), RAS, "E_DTYPE"),
    "window": ((ct_numbers() % 256).astype(np.uint8), RAS, "E_NOT_HU"),
    "HU + 1024": ((ct_numbers() + 1024).astype(np.uint16), RAS, "E_NOT_HU"),
    "beyond HU": (ct_numbers().astype(np.int32) * 100, RAS, "E_HU_RANGE"),
    "zero column": (ct_numbers(), _affine(1, 1, 0.0), "E_SINGULAR_AFFINE"),
    "NaN affine": (ct_numbers(), _affine(0, 3, np.nan), "E_SINGULAR_AFFINE"),
    "parallel axes": (
        ct_numbers(),
        np.array([[1, 1, 0, 0], [1, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1.0]]),
        "E_SINGULAR_AFFINE",
    ),
    "shear": (ct_numbers(), _affine(1, 2, 1.0), "E_SHEAR"),
    "micrometre spacing": (ct_numbers(), np.diag([1e-6, 1e-6, 1e-6, 1]), "E_SPACING_RANGE"),
    "metre spacing": (ct_numbers(), np.diag([700.0, 700, 2000, 1]), "E_SPACING_RANGE"),
}
HEADER_FAULTS = {
    "sform and qform": (_flip_qform, "E_SFORM_QFORM"),
    "unknown unit": (_field("xyzt_units", 5), "E_SPACING_RANGE"),
    "infinite scale": (_field("scl_slope", np.inf), "E_BAD_RESCALE"),
}
RAW_FAULTS = {
    "negative dimension": (42, np.int16(-5), "E_DIMS"),
    "huge dimensions": (42, np.array([32767] * 3, np.int16), "E_TOO_LARGE"),
    "dimensions beyond the data": (42, np.array([200] * 3, np.int16), "E_TRUNCATED"),
    "no dimensions": (40, np.int16(0), "E_"),
    "datatype": (70, np.int16(9999), "E_DTYPE"),
    "offset": (108, np.float32(1e9), "E_BAD_HEADER"),
    "offset NaN": (108, np.float32(np.nan), "E_BAD_HEADER"),
    "half of a pair": (344, np.frombuffer(b"ni1\0", np.uint8), "E_BAD_HEADER"),
}


@pytest.mark.parametrize("suffix", ["nii", "nii.gz"])
@pytest.mark.parametrize("fault", VALUE_FAULTS)
def test_faulty_values_and_affines_are_refused(tmp_path: Path, fault: str, suffix: str) -> None:
    values, ras, code = VALUE_FAULTS[fault]
    image = nib.Nifti1Image(values, None)
    image.header.set_sform(ras, code=1)
    image.header["qform_code"] = 0
    image.to_filename(tmp_path / f"a.{suffix}")
    with pytest.raises(TetractError) as caught:
        read_volume(tmp_path / f"a.{suffix}")
    assert caught.value.code == code
    assert caught.value.where == f"a.{suffix}"


@pytest.mark.parametrize("fault", HEADER_FAULTS)
def test_faulty_headers_are_refused(tmp_path: Path, fault: str) -> None:
    edit, code = HEADER_FAULTS[fault]
    path = save_nifti(tmp_path / "a.nii", ct_numbers())
    image = nib.load(path)
    edit(image)
    content = image.header.binaryblock
    path.write_bytes(content + path.read_bytes()[348:])
    with pytest.raises(TetractError) as caught:
        read_volume(path)
    assert caught.value.code == code


@pytest.mark.parametrize("fault", RAW_FAULTS)
def test_hostile_header_bytes_are_refused(tmp_path: Path, fault: str) -> None:
    at, value, code = RAW_FAULTS[fault]
    path = save_nifti(tmp_path / "a.nii", ct_numbers())
    content = bytearray(path.read_bytes())
    patch = np.asarray(value).tobytes()
    content[at : at + len(patch)] = patch
    path.write_bytes(content)
    with pytest.raises(TetractError, match=code):
        read_volume(path)


def test_a_quaternion_that_is_no_rotation_is_refused(tmp_path: Path) -> None:
    path = save_nifti(tmp_path / "a.nii", ct_numbers())
    content = bytearray(path.read_bytes())
    content[252:256] = np.array([1, 0], np.int16).tobytes()  # qform only
    content[256:268] = np.array([0.9, 0.9, 0.9], np.float32).tobytes()
    path.write_bytes(content)
    with pytest.raises(TetractError, match="E_BAD_ORIENTATION"):
        read_volume(path)


@pytest.mark.parametrize("keep", [300, 352, 500, -1, -100])
def test_a_truncated_file_is_refused(tmp_path: Path, keep: int) -> None:
    path = save_nifti(tmp_path / "a.nii", ct_numbers())
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(TetractError):
        read_volume(path)


@pytest.mark.parametrize("keep", [0.3, 0.5, 0.99])
def test_a_truncated_gzip_is_refused(tmp_path: Path, keep: float) -> None:
    path = save_nifti(tmp_path / "a.nii.gz", ct_numbers((40, 40, 40)))
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * keep)])
    with pytest.raises(TetractError, match="E_TRUNCATED"):
        read_volume(path)


def test_a_wrong_checksum_is_refused(tmp_path: Path) -> None:
    path = save_nifti(tmp_path / "a.nii.gz", ct_numbers())
    content = bytearray(path.read_bytes())
    content[-6] ^= 1
    path.write_bytes(content)
    with pytest.raises(TetractError, match="E_BAD_CHECKSUM"):
        read_volume(path)


def test_a_bomb_is_refused_before_anything_is_allocated(tmp_path: Path) -> None:
    plain = bytearray(save_nifti(tmp_path / "a.nii", ct_numbers()).read_bytes())
    plain[42:48] = np.array([2000, 2000, 500], np.int16).tobytes()  # 4 GB
    (tmp_path / "b.nii.gz").write_bytes(gzip.compress(bytes(plain)))
    with pytest.raises(TetractError, match="E_TRUNCATED"):
        read_volume(tmp_path / "b.nii.gz")


def _codes(path: Path) -> set[str]:
    return {line.split(" ")[0] for line in read_volume(path).provenance.warnings}


def test_a_trailing_dimension_of_one_is_dropped(tmp_path: Path) -> None:
    path = save_nifti(tmp_path / "a.nii", ct_numbers()[..., None])
    assert _codes(path) == {"W_SQUEEZED"}


def test_metres_become_millimetres(tmp_path: Path) -> None:
    path = save_nifti(
        tmp_path / "a.nii",
        ct_numbers(),
        np.diag([-0.0015, -0.00125, 0.0025, 1]),
        lambda image: image.header.set_xyzt_units("meter"),
    )
    assert _codes(path) == {"W_UNITS_CONVERTED"}
    assert read_volume(path).geometry.spacing_mm == pytest.approx((2.5, 1.25, 1.5))


def test_without_codes_nothing_is_known_of_space(tmp_path: Path) -> None:
    def clear(image: nib.Nifti1Image) -> None:
        image.header["sform_code"] = image.header["qform_code"] = 0

    path = save_nifti(tmp_path / "a.nii", ct_numbers(), None, clear)
    content = bytearray(path.read_bytes())
    content[252:256] = bytes(4)
    path.write_bytes(content)
    assert _codes(path) == {"W_NO_ORIENTATION"}
    assert read_volume(path).geometry is None


def test_fractions_are_rounded_and_told(tmp_path: Path) -> None:
    path = save_nifti(tmp_path / "a.nii", ct_numbers().astype(np.float32) + 0.25)
    assert _codes(path) == {"W_ROUNDED"}
    assert np.array_equal(read_volume(path).values, ct_numbers().transpose(2, 1, 0))


def test_scaling_is_applied(tmp_path: Path) -> None:
    path = save_nifti(tmp_path / "a.nii", (ct_numbers() + 1024).astype(np.int16))
    content = bytearray(path.read_bytes())
    content[112:120] = np.array([1, -1024], np.float32).tobytes()
    path.write_bytes(content)
    assert np.array_equal(read_volume(path).values, ct_numbers().transpose(2, 1, 0))


def test_values_below_air_become_air_as_in_dicom(tmp_path: Path) -> None:
    numbers = ct_numbers()
    numbers[0] = -3024
    path = save_nifti(tmp_path / "a.nii", numbers)
    assert _codes(path) == {"W_BELOW_AIR"}
    assert int(read_volume(path).values.min()) == -1024


@pytest.mark.parametrize(("value", "code"), [(-1000, "W_CONSTANT"), (None, "W_NO_AIR")])
def test_a_volume_that_shows_no_chest_is_told(tmp_path: Path, value: int | None, code: str) -> None:
    numbers = np.full((8, 7, 5), value or 0, np.int16) - (value is None)
    numbers[0] += 10 * (value is None)
    assert code in _codes(save_nifti(tmp_path / "a.nii", numbers))


def test_hu_may_be_assumed_on_request(tmp_path: Path) -> None:
    path = save_nifti(tmp_path / "a.nii", (ct_numbers() + 1024).astype(np.uint16))
    found = read_volume(path, options=ReadOptions(assume_hu=True))
    assert found.provenance.derived
    assert any(line.startswith("W_ASSUMED_HU") for line in found.provenance.warnings)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("kind", [nib.Nifti1Image, nib.Nifti2Image])
def test_both_versions_and_byte_orders_are_read(tmp_path: Path, kind: type, order: str) -> None:
    header = (nib.Nifti1Header if kind is nib.Nifti1Image else nib.Nifti2Header)(endianness=order)
    header.set_data_dtype(np.int16)
    kind(ct_numbers(), RAS, header).to_filename(tmp_path / "a.nii")
    found = read_volume(tmp_path / "a.nii")
    assert found.values.dtype == np.dtype(np.int16)
    assert np.array_equal(found.values, ct_numbers().transpose(2, 1, 0))


def test_slices_are_counted_from_the_header_in_axial_order(tmp_path: Path) -> None:
    sagittal = np.array([[0, 0, 1.0, 0], [0, 1, 0, 0], [1, 0, 0, 0], [0, 0, 0, 1]])
    path = save_nifti(tmp_path / "a.nii", ct_numbers((8, 7, 5)), sagittal)
    assert count_slices(path) == read_volume(path).depth == 8
