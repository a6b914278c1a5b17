"""DICOM without preamble is read knowingly or not at all; noise is never read."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pydicom
import pytest
from enhanced_makers import make_enhanced
from io_makers import change, make_series, make_volume, save_nifti, set_tag
from pydicom.dataset import Dataset
from pydicom.uid import (
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    MRImageStorage,
    RTStructureSetStorage,
)

from tetract.errors import TetractError
from tetract.io import ReadOptions, count_slices, read_study, read_volume, write_png
from tetract.io.dicom.bare import is_bare_image
from tetract.types import Volume

FORCE = ReadOptions(force=True)
MADE = make_volume(shape=(3, 40, 48))
SYNTAXES = [ExplicitVRLittleEndian, ImplicitVRLittleEndian, ExplicitVRBigEndian]


def _encode(path: Path, syntax: str) -> None:
    header = pydicom.dcmread(path)
    if syntax == ExplicitVRBigEndian:
        header.PixelData = np.frombuffer(header.PixelData, "<u2").astype(">u2").tobytes()
    fresh = Dataset()  # the one that was read keeps to the byte order it was read in
    fresh.update(header)
    fresh.file_meta = header.file_meta
    fresh.file_meta.TransferSyntaxUID = syntax
    fresh.save_as(path, enforce_file_format=True)


def _strip(path: Path, *, meta: bool) -> None:
    """Take the preamble away, and the file meta information unless ``meta`` keeps it."""
    content = path.read_bytes()
    assert content[128:132] == b"DICM"
    length = int.from_bytes(content[140:144], "little")
    path.write_bytes(content[132:] if meta else content[144 + length :])


def _bare_series(folder: Path, *, meta: bool = False, syntax: str = SYNTAXES[0]) -> Path:
    for path in make_series(folder, MADE):
        _encode(path, syntax)
        _strip(path, meta=meta)
    return folder


def _codes(volume: Volume) -> list[str]:
    return [line.split(" ")[0] for line in volume.provenance.warnings]


@pytest.mark.parametrize("meta", [True, False])
@pytest.mark.parametrize("syntax", SYNTAXES)
def test_a_bare_series_is_read_when_asked_for_and_says_so(
    tmp_path: Path, syntax: str, meta: bool
) -> None:
    folder = _bare_series(tmp_path / "ct", meta=meta, syntax=syntax)
    with pytest.raises(TetractError, match="E_NO_SERIES"):
        read_volume(folder)
    volume = read_volume(folder, options=FORCE)
    assert np.array_equal(volume.hu, MADE.values)
    assert np.allclose(volume.geometry.affine, MADE.geometry.affine)
    assert volume.provenance.derived
    assert _codes(volume) == ["W_FORCED"]
    assert count_slices(folder, options=FORCE) == 3


@pytest.mark.parametrize("meta", [True, False])
def test_a_bare_slice_is_refused_with_a_hint_or_read(tmp_path: Path, meta: bool) -> None:
    path = sorted(_bare_series(tmp_path, meta=meta).iterdir())[1]
    with pytest.raises(TetractError, match=r"E_NOT_AN_IMAGE .*allow it with --force"):
        read_volume(path)
    volume = read_volume(path, options=FORCE)
    assert np.array_equal(volume.hu[0], MADE.values[1])
    assert "W_FORCED" in _codes(volume)


def test_compressed_pixels_need_their_meta_information(tmp_path: Path) -> None:
    path = make_series(tmp_path, MADE)[0]
    change(path, lambda d: d.compress(JPEG2000Lossless))
    content = path.read_bytes()
    _strip(path, meta=True)
    assert np.array_equal(read_volume(path, options=FORCE).hu[0], MADE.values[0])
    path.write_bytes(content)
    _strip(path, meta=False)
    with pytest.raises(TetractError, match=r"E_BAD_ATTRIBUTE .*Transfer Syntax.*compressed"):
        read_volume(path, options=FORCE)


def test_a_file_that_does_not_say_how_it_is_encoded_needs_force(tmp_path: Path) -> None:
    path = make_series(tmp_path, MADE)[0]
    content = path.read_bytes()
    at = content.index(b"\x02\x00\x10\x00UI")
    size = 8 + int.from_bytes(content[at + 6 : at + 8], "little")
    length = int.from_bytes(content[140:144], "little") - size
    without = content[:at] + content[at + size :]
    path.write_bytes(without[:140] + length.to_bytes(4, "little") + without[144:])
    with pytest.raises(TetractError, match=r"E_BAD_ATTRIBUTE .*Transfer Syntax"):
        read_volume(path)
    volume = read_volume(path, options=FORCE)
    assert np.array_equal(volume.hu[0], MADE.values[0])
    assert volume.provenance.derived


def test_frames_of_a_bare_enhanced_ct_are_marked(tmp_path: Path) -> None:
    even = make_volume(shape=(3, 40, 48))
    path = make_enhanced(tmp_path / "a", even)
    _strip(path, meta=False)
    volume = read_volume(path, options=FORCE)
    assert volume.depth == 3
    assert volume.provenance.derived


def test_force_changes_nothing_of_a_sound_series(tmp_path: Path) -> None:
    make_series(tmp_path, MADE)
    plain, forced = read_volume(tmp_path), read_volume(tmp_path, options=FORCE)
    assert np.array_equal(plain.values, forced.values)
    assert plain.provenance == forced.provenance


def test_one_bare_slice_among_sound_ones_joins_them_only_by_force(tmp_path: Path) -> None:
    paths = make_series(tmp_path, MADE)
    _strip(paths[2], meta=False)
    assert read_volume(tmp_path).depth == 2
    volume = read_volume(tmp_path, options=FORCE)
    assert np.array_equal(volume.hu, MADE.values)
    assert volume.provenance.warnings[0].startswith(f"W_FORCED {tmp_path.name}: 1 slices")


@pytest.mark.parametrize(
    "noise",
    [
        b"",
        b"hello, this is text",
        b"\x08\x00" + bytes(400),
        b"\x08\x00\x16\x00UI\x1a\x00" + b"1.2.840.10008.1.2.3.4.5.6.7",
        b"\x02\x00\x00\x00" + np.random.default_rng(0).bytes(4000),
        np.random.default_rng(1).bytes(4000),
        b"\x08\x00" + b"\xff" * 64,
    ],
)
def test_noise_is_refused_by_force_too(tmp_path: Path, noise: bytes) -> None:
    path = tmp_path / "a"
    path.write_bytes(noise)
    with pytest.raises(TetractError, match=r"E_NOT_AN_IMAGE|E_EMPTY_FILE") as told:
        read_volume(path, options=FORCE)
    assert "--force" not in str(told.value)
    with pytest.raises(TetractError, match="E_NO_SERIES"):
        read_volume(tmp_path, options=FORCE)


@pytest.mark.parametrize(
    ("sop_class", "modality", "code"),
    [
        (RTStructureSetStorage, "RTSTRUCT", "E_NOT_AN_IMAGE"),
        ("", "CT", "E_NOT_AN_IMAGE"),
        ("1.2.3.4", "CT", "E_NOT_AN_IMAGE"),
        (MRImageStorage, "MR", "E_MODALITY"),
    ],
)
def test_only_images_are_forced(tmp_path: Path, sop_class: str, modality: str, code: str) -> None:
    path = make_series(tmp_path, MADE)[0]
    change(path, lambda d: (set_tag("SOPClassUID", sop_class)(d), set_tag("Modality", modality)(d)))
    _strip(path, meta=False)
    with pytest.raises(TetractError, match=code):
        read_volume(path, options=FORCE)


def test_a_bare_file_is_no_way_around_other_checks(tmp_path: Path) -> None:
    path = make_series(tmp_path, MADE)[0]
    change(path, set_tag("Rows", 65535))
    _strip(path, meta=False)
    assert is_bare_image(path)
    with pytest.raises(TetractError, match="E_PIXEL_TRUNCATED"):
        read_volume(path, options=FORCE)


def test_force_is_about_dicom(tmp_path: Path) -> None:
    (tmp_path / "p").mkdir()
    write_png(tmp_path / "p" / "a.png", np.zeros((4, 4), dtype=np.uint8))
    save_nifti(tmp_path / "a.nii", np.full((4, 4, 4), -1000, np.int16))
    for path in (tmp_path / "p", tmp_path / "p" / "a.png", tmp_path / "a.nii"):
        with pytest.raises(TetractError, match=r"E_OPTION_UNFIT .*--force"):
            read_study(path, options=FORCE)


@pytest.mark.real
@pytest.mark.parametrize("name", ["ExplVR_BigEndNoMeta.dcm", "OT-PAL-8-face.dcm"])
def test_bare_files_of_the_corpus_are_no_ct_by_force_either(shared: Path, name: str) -> None:
    path = shared / "data/odd/dicom_real" / name
    with pytest.raises(TetractError):
        read_volume(path, options=FORCE)
    assert path.read_bytes()[128:132] != b"DICM"


def test_a_bare_copy_keeps_its_name_out_of_the_line(tmp_path: Path) -> None:
    source = make_series(tmp_path / "ct", MADE)[0]
    change(source, set_tag("PatientName", "CANARY^NAME"))
    _strip(source, meta=False)
    shutil.copy(source, tmp_path / "a")
    assert "CANARY" not in repr(read_volume(tmp_path / "a", options=FORCE).provenance)
