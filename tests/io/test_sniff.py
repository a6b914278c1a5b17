"""A file is what its bytes say."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from io_makers import ct_numbers, make_series, save_nifti

from tetract.errors import ReadError
from tetract.io import Kind, encode_png, read_volume, sniff, write_png
from tetract.io.sniff import sniff_image


def test_each_format_is_known_by_its_content(tmp_path: Path) -> None:
    dicom = make_series(tmp_path / "ct")[0]
    plain = save_nifti(tmp_path / "a.nii", ct_numbers())
    packed = save_nifti(tmp_path / "a.nii.gz", ct_numbers())
    write_png(tmp_path / "a.png", ct_numbers()[0].astype("uint8"))
    found = [sniff(p) for p in (dicom, plain, packed, tmp_path / "a.png")]
    assert found == [Kind.DICOM, Kind.NIFTI, Kind.NIFTI_GZ, Kind.PNG]


def test_the_name_does_not_decide(tmp_path: Path) -> None:
    path = tmp_path / "scan.dcm"
    path.write_bytes(encode_png(ct_numbers()[0].astype("uint8")))
    volume = read_volume(path)
    assert volume.provenance.reader == "png"
    assert volume.provenance.warnings[0].startswith("W_EXTENSION")


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "E_EMPTY_FILE"),
        (b"a shopping list", "E_NOT_AN_IMAGE"),
        (gzip.compress(b"a shopping list", mtime=0), "E_NOT_AN_IMAGE"),
        (b"\x1f\x8b damaged gzip", "E_NOT_AN_IMAGE"),
    ],
)
def test_what_is_no_image_is_refused(tmp_path: Path, content: bytes, code: str) -> None:
    path = tmp_path / "x.png"
    path.write_bytes(content)
    with pytest.raises(ReadError) as caught:
        sniff_image(path)
    assert caught.value.code == code


def test_dicom_without_preamble_is_not_accepted(tmp_path: Path) -> None:
    whole = make_series(tmp_path)[0]
    bare = tmp_path / "bare.dcm"
    bare.write_bytes(whole.read_bytes()[132:])
    with pytest.raises(ReadError, match="E_NOT_AN_IMAGE"):
        read_volume(bare)


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(ReadError, match=r"E_NOT_FOUND gone\.png"):
        read_volume(tmp_path / "gone.png")
