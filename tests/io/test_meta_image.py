"""MetaImage is read to the voxel and to the millimetre, or refused."""

from __future__ import annotations

import zlib
from pathlib import Path

import numpy as np
import pytest
from io_makers import ct_numbers

from tetract.errors import TetractError
from tetract.io import Kind, ReadOptions, count_slices, read_label_map, read_volume, sniff

NUMBERS = ct_numbers()  # (i, j, k) = (8, 7, 5)
KEYS = {
    "ObjectType": "Image",
    "NDims": "3",
    "BinaryData": "True",
    "BinaryDataByteOrderMSB": "False",
    "CompressedData": "False",
    "TransformMatrix": "1 0 0 0 1 0 0 0 1",
    "Offset": "-40 -50 -100",
    "CenterOfRotation": "0 0 0",
    "AnatomicalOrientation": "RAI",
    "ElementSpacing": "1.5 1.25 2.5",
    "DimSize": "8 7 5",
    "ElementType": "MET_SHORT",
}


def save_meta(
    path: Path,
    numbers: np.ndarray = NUMBERS,
    *,
    data: str = "a.raw",
    payload: bytes | None = None,
    **changes: str | None,
) -> Path:
    """A .mhd beside ``data``, or a .mha where ``data`` is LOCAL; a key of None is left out."""
    content = numbers.tobytes(order="F") if payload is None else payload
    keys = {**KEYS, **changes}
    lines = [f"{key} = {value}" for key, value in keys.items() if value is not None]
    head = "\n".join([*lines, f"ElementDataFile = {data}\n"]).encode()
    if data == "LOCAL":
        path.write_bytes(head + content)
    else:
        path.write_bytes(head)
        if "/" not in data:
            (path.parent / data).write_bytes(content)
    return path


def _codes(path: Path) -> list[str]:
    return [line.split(" ")[0] for line in read_volume(path).provenance.warnings]


def test_header_and_raw_file_give_hu_in_place(tmp_path: Path) -> None:
    volume = read_volume(save_meta(tmp_path / "a.mhd"))
    assert volume.values.dtype == np.int16
    assert np.array_equal(volume.hu, NUMBERS.transpose(2, 1, 0))
    assert volume.geometry.spacing_mm == (2.5, 1.25, 1.5)
    assert np.allclose(volume.geometry.to_lps(np.array([[4, 6, 7]])), [[-29.5, -42.5, -90.0]])
    assert volume.provenance.warnings == ()
    assert volume.provenance.reader == "metaimage"


@pytest.mark.parametrize("data", ["a.zraw", "LOCAL"])
def test_compressed_and_local_voxels_are_the_same(tmp_path: Path, data: str) -> None:
    packed = zlib.compress(NUMBERS.tobytes(order="F"))
    path = save_meta(tmp_path / "a.mha", data=data, payload=packed, CompressedData="True")
    assert np.array_equal(read_volume(path).hu, NUMBERS.transpose(2, 1, 0))
    assert sniff(path) is Kind.METAIMAGE
    assert count_slices(path) == 5


def test_local_raw_voxels_may_hold_any_byte(tmp_path: Path) -> None:
    path = save_meta(tmp_path / "a.mha", data="LOCAL")
    assert np.array_equal(read_volume(path).hu, NUMBERS.transpose(2, 1, 0))


def test_big_endian_is_told_by_the_header(tmp_path: Path) -> None:
    path = save_meta(
        tmp_path / "a.mhd",
        payload=NUMBERS.astype(">i2").tobytes(order="F"),
        BinaryDataByteOrderMSB="True",
    )
    assert np.array_equal(read_volume(path).hu, NUMBERS.transpose(2, 1, 0))


@pytest.mark.parametrize("skip", ["13", "-1"])
def test_bytes_before_the_voxels_are_skipped(tmp_path: Path, skip: str) -> None:
    content = b"x" * 13 + NUMBERS.tobytes(order="F")
    path = save_meta(tmp_path / "a.mhd", payload=content, HeaderSize=skip)
    assert np.array_equal(read_volume(path).hu, NUMBERS.transpose(2, 1, 0))


def test_a_row_of_the_matrix_is_the_direction_of_an_axis(tmp_path: Path) -> None:
    """i runs towards the head, j to the left, k to the back; a transposed matrix would not."""
    path = save_meta(
        tmp_path / "a.mhd",
        TransformMatrix="0 0 1 1 0 0 0 1 0",
        AnatomicalOrientation="IRA",
    )
    volume = read_volume(path)
    assert np.array_equal(volume.hu, NUMBERS.transpose(0, 2, 1))
    assert volume.geometry.spacing_mm == (1.5, 2.5, 1.25)
    assert volume.provenance.warnings == ()


def test_a_flipped_luna_series_keeps_each_voxel_in_its_place(tmp_path: Path) -> None:
    path = save_meta(tmp_path / "a.mhd", TransformMatrix="-1 0 0 0 -1 0 0 0 1", Offset="9 8 7")
    volume = read_volume(path)
    assert np.array_equal(volume.hu, NUMBERS.transpose(2, 1, 0)[:, ::-1, ::-1])
    assert np.allclose(volume.geometry.to_lps(np.array([[0, 6, 7]])), [[9, 8, 7]])
    assert _codes(path) == ["W_ORIENTATION_LETTERS"]


@pytest.mark.parametrize("key", ["TransformMatrix", "Offset", "ElementSpacing"])
def test_without_a_full_grid_nothing_is_known_of_space(tmp_path: Path, key: str) -> None:
    path = save_meta(tmp_path / "a.mhd", **{key: None})
    assert _codes(path) == ["W_NO_ORIENTATION"]
    assert read_volume(path).geometry is None


FAULTS: dict[str, tuple[dict[str, str | None], str]] = {
    "colour": ({"ElementNumberOfChannels": "3"}, "E_COLOUR"),
    "vector type": ({"ElementType": "MET_SHORT_ARRAY"}, "E_DTYPE"),
    "no type": ({"ElementType": None}, "E_DTYPE"),
    "2-D": ({"NDims": "2", "DimSize": "8 7"}, "E_DIMS"),
    "4-D": ({"NDims": "4", "DimSize": "8 7 5 3"}, "E_DIMS"),
    "negative size": ({"DimSize": "8 -7 5"}, "E_DIMS"),
    "huge": ({"DimSize": "99999 99999 99999"}, "E_TOO_LARGE"),
    "size that is no number": ({"DimSize": "8 7 five"}, "E_BAD_HEADER"),
    "sizes that contradict": ({"NDims": "4"}, "E_BAD_HEADER"),
    "more than there is": ({"DimSize": "8 7 6"}, "E_TRUNCATED"),
    "less than there is": ({"DimSize": "8 7 4"}, "E_BAD_HEADER"),
    "voxels as text": ({"BinaryData": "False"}, "E_BAD_HEADER"),
    "a flag that is none": ({"CompressedData": "perhaps"}, "E_BAD_HEADER"),
    "zero spacing": ({"ElementSpacing": "1 0 1"}, "E_SINGULAR_AFFINE"),
    "negative spacing": ({"ElementSpacing": "1 -1 1"}, "E_SINGULAR_AFFINE"),
    "NaN spacing": ({"ElementSpacing": "1 nan 1"}, "E_BAD_HEADER"),
    "spacing of metres": ({"ElementSpacing": "0.001 0.001 0.002"}, "E_SPACING_RANGE"),
    "centimetres": ({"DistanceUnits": "cm"}, "E_SPACING_RANGE"),
    "shear": ({"TransformMatrix": "1 0 0 0.6 0.8 0 0 0 1"}, "E_SHEAR"),
    "parallel": ({"TransformMatrix": "1 0 0 1 0 0 0 0 1"}, "E_SINGULAR_AFFINE"),
    "no direction": ({"TransformMatrix": "0 0 0 0 1 0 0 0 1"}, "E_SINGULAR_AFFINE"),
    "stretched": ({"TransformMatrix": "2 0 0 0 1 0 0 0 1"}, "E_BAD_ORIENTATION"),
    "two origins": ({"Position": "0 0 0"}, "E_BAD_HEADER"),
    "another modality": ({"Modality": "MET_MOD_MR"}, "E_MODALITY"),
    "scaled": ({"ElementToIntensityFunctionSlope": "2"}, "E_BAD_RESCALE"),
    "not compressed": ({"CompressedData": "True"}, "E_BAD_CHECKSUM"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_faulty_header_is_refused(tmp_path: Path, fault: str) -> None:
    changes, code = FAULTS[fault]
    path = save_meta(tmp_path / "a.mhd", **changes)
    with pytest.raises(TetractError) as caught:
        read_volume(path)
    assert caught.value.code == code
    assert caught.value.where == "a.mhd"


@pytest.mark.parametrize(
    ("data", "code"),
    [
        ("/etc/hostname", "E_PATH_ESCAPE"),
        ("../a.raw", "E_PATH_ESCAPE"),
        ("sub/../../a.raw", "E_PATH_ESCAPE"),
        ("C:/a.raw", "E_PATH_ESCAPE"),
        ("gone/a.raw", "E_NOT_FOUND"),
        ("LIST", "E_BAD_HEADER"),
        ("a%03d.raw 1 5 1", "E_BAD_HEADER"),
        ("", "E_BAD_HEADER"),
    ],
)
def test_only_a_file_beside_the_header_is_opened(tmp_path: Path, data: str, code: str) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "a.raw").write_bytes(NUMBERS.tobytes(order="F"))
    path = tmp_path / "in" / "a.mhd"
    keys = "\n".join(f"{key} = {value}" for key, value in KEYS.items())
    path.write_text(f"{keys}\nElementDataFile = {data}\n")
    with pytest.raises(TetractError, match=code):
        read_volume(path)


def test_a_link_out_of_the_folder_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "b.raw").write_bytes(NUMBERS.tobytes(order="F"))
    path = save_meta(tmp_path / "in" / "a.mhd")
    (tmp_path / "in" / "a.raw").unlink()
    (tmp_path / "in" / "a.raw").symlink_to(tmp_path / "b.raw")
    with pytest.raises(TetractError, match="E_PATH_ESCAPE"):
        read_volume(path)


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    path = save_meta(tmp_path / "a.mhd")
    path.write_bytes(path.read_bytes().replace(b"RAI", b"R\xff\xfe"))
    with pytest.raises(TetractError, match="E_BAD_HEADER"):
        read_volume(path)


@pytest.mark.parametrize("end", [b"", b"\n" * 70_000, b"ObjectType = Image\nElementDataFile = a\n"])
def test_a_header_without_its_end_or_with_a_key_twice_is_refused(
    tmp_path: Path, end: bytes
) -> None:
    (tmp_path / "a.mhd").write_bytes(b"ObjectType = Image\nNDims = 3\n" + end)
    with pytest.raises(TetractError, match="E_BAD_HEADER"):
        read_volume(tmp_path / "a.mhd")


@pytest.mark.parametrize("keep", [10, -1, -5])
def test_a_cut_stream_is_refused(tmp_path: Path, keep: int) -> None:
    packed = zlib.compress(NUMBERS.tobytes(order="F"))[:keep]
    path = save_meta(tmp_path / "a.mhd", payload=packed, CompressedData="True")
    with pytest.raises(TetractError, match="E_TRUNCATED"):
        read_volume(path)


def test_a_stream_that_inflates_beyond_its_promise_is_refused(tmp_path: Path) -> None:
    packed = zlib.compress(bytes(50_000_000))
    path = save_meta(tmp_path / "a.mhd", payload=packed, CompressedData="True")
    with pytest.raises(TetractError, match="E_BAD_HEADER"):
        read_volume(path)


def test_values_follow_the_rules_of_nifti(tmp_path: Path) -> None:
    spoilt = NUMBERS.astype(np.float32)
    spoilt[1, 2, 3] = np.nan
    path = save_meta(tmp_path / "a.mhd", spoilt, ElementType="MET_FLOAT")
    with pytest.raises(TetractError, match="E_NONFINITE"):
        read_volume(path)
    offset = save_meta(tmp_path / "b.mhd", (NUMBERS + 1024).astype(np.int16), data="b.raw")
    with pytest.raises(TetractError, match="E_NOT_HU"):
        read_volume(offset)


def test_grey_levels_are_taken_as_such_on_request(tmp_path: Path) -> None:
    grey = (NUMBERS % 256).astype(np.uint8)
    path = save_meta(tmp_path / "a.mhd", grey, ElementType="MET_UCHAR")
    volume = read_volume(path, options=ReadOptions(as_grey=True))
    assert not volume.hu_known
    assert volume.values.dtype == np.uint8
    assert np.array_equal(volume.values, grey.transpose(2, 1, 0))
    assert not volume.provenance.derived


def test_a_mask_keeps_its_integers(tmp_path: Path) -> None:
    mask = (NUMBERS % 3).astype(np.uint8)
    path = save_meta(tmp_path / "a.mhd", mask, ElementType="MET_UCHAR")
    labels = read_label_map(path)
    assert np.array_equal(labels.values, mask.transpose(2, 1, 0))
    assert labels.geometry.spacing_mm == (2.5, 1.25, 1.5)


@pytest.mark.real
@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("referring_to_system_file.mhd", "E_PATH_ESCAPE"),
        ("invalid_utf8.mhd", "E_BAD_HEADER"),
        ("image128x256RGB.mhd", "E_COLOUR"),
        ("image10x11x12x13.mha", "E_DIMS"),
        ("image4x4x4x4x4.mha", "E_DIMS"),
    ],
)
def test_the_corpus_is_refused_for_its_own_reason(shared: Path, name: str, code: str) -> None:
    with pytest.raises(TetractError) as caught:
        read_volume(shared / "data/odd/other_real" / name)
    assert caught.value.code == code
