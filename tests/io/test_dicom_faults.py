"""A fault in one header is refused with its code, never read around."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from io_makers import change, drop_tag, make_series, make_volume, set_codestream, set_raw, set_tag
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from tetract.errors import ReadError, TetractError
from tetract.io import ReadOptions, read_volume

ENHANCED = "1.2.840.10008.5.1.4.1.1.2.1"
RTSTRUCT = "1.2.840.10008.5.1.4.1.1.481.3"
CAPTURE = "1.2.840.10008.5.1.4.1.1.7"
J2K = "1.2.840.10008.1.2.4.90"
MPEG = "1.2.840.10008.1.2.4.102"

ONE_SLICE_FAULTS = {
    "no IPP": (drop_tag("ImagePositionPatient"), "E_NO_GEOMETRY"),
    "empty IPP": (set_tag("ImagePositionPatient", None), "E_NO_GEOMETRY"),
    "no IOP": (drop_tag("ImageOrientationPatient"), "E_NO_GEOMETRY"),
    "no PixelSpacing": (drop_tag("PixelSpacing"), "E_NO_GEOMETRY"),
    "NaN IPP": (set_raw("ImagePositionPatient", b"nan\\0\\0 "), "E_NO_GEOMETRY"),
    "text IPP": (set_raw("ImagePositionPatient", b"a\\0\\0 "), "E_NO_GEOMETRY"),
    "two-valued IPP": (set_tag("ImagePositionPatient", [1, 2]), "E_NO_GEOMETRY"),
    "zero spacing": (set_tag("PixelSpacing", [0, 0]), "E_BAD_SPACING"),
    "negative spacing": (set_tag("PixelSpacing", [-1, 1]), "E_BAD_SPACING"),
    "metres": (set_tag("PixelSpacing", [0.0007, 0.0007]), "E_BAD_SPACING"),
    "IOP not unit": (set_tag("ImageOrientationPatient", [1, 0.3, 0, 0, 1, 0]), "E_BAD_ORIENTATION"),
    "IOP zero": (set_tag("ImageOrientationPatient", [0] * 6), "E_BAD_ORIENTATION"),
    "IOP skewed": (
        set_tag("ImageOrientationPatient", [1, 0, 0, 0.6, 0.8, 0]),
        "E_BAD_ORIENTATION",
    ),
    "no slope": (drop_tag("RescaleSlope"), "E_NO_RESCALE"),
    "no intercept": (drop_tag("RescaleIntercept"), "E_NO_RESCALE"),
    "slope zero": (set_tag("RescaleSlope", 0), "E_BAD_RESCALE"),
    "slope text": (set_raw("RescaleSlope", b"1A"), "E_BAD_ATTRIBUTE"),
    "iodine map": (set_tag("RescaleType", "MGML"), "E_NOT_HU"),
    "MR": (set_tag("Modality", "MR"), "E_MODALITY"),
    "no modality": (drop_tag("Modality"), "E_MODALITY"),
    "screen save": (set_tag("SOPClassUID", CAPTURE), "E_MODALITY"),
    "localizer": (set_tag("ImageType", ["ORIGINAL", "PRIMARY", "LOCALIZER"]), "E_LOCALIZER"),
    "enhanced": (set_tag("SOPClassUID", ENHANCED), "E_ENHANCED"),
    "many frames": (set_tag("NumberOfFrames", 2147483647), "E_ENHANCED"),
    "frames no number": (set_raw("NumberOfFrames", b"1A"), "E_BAD_ATTRIBUTE"),
    "zero rows": (set_tag("Rows", 0), "E_BAD_ATTRIBUTE"),
    "bits 12": (set_tag("BitsAllocated", 12), "E_BAD_BITS"),
    "stored over allocated": (set_tag("BitsStored", 20), "E_BAD_BITS"),
    "high bit": (set_tag("HighBit", 15), "E_BAD_BITS"),
    "colour": (set_tag("SamplesPerPixel", 3), "E_COLOUR"),
    "palette": (set_tag("PhotometricInterpretation", "PALETTE COLOR"), "E_COLOUR"),
    "huge": (lambda d: (set_tag("Rows", 65535)(d), set_tag("Columns", 65535)(d)), "TRUNCATED"),
    "short pixels": (lambda d: set_tag("PixelData", d.PixelData[:-2])(d), "E_PIXEL_TRUNCATED"),
    "no pixels": (drop_tag("PixelData"), "E_PIXEL_TRUNCATED"),
    "garbage J2K": (set_codestream(b"\xff\x4f\xff\x51 garbage \xff\xd9", J2K), "E_PIXEL_DECODE"),
    "endless J2K": (set_codestream(b"\xff\x4f\xff\x51 garbage", J2K), "E_PIXEL_DECODE"),
    "garbage RLE": (set_codestream(b"garbage" * 40, "1.2.840.10008.1.2.5"), "E_PIXEL_DECODE"),
    "video": (set_codestream(b"x\xff\xd9", MPEG), "E_TRANSFER_SYNTAX"),
}


@pytest.mark.parametrize("fault", ONE_SLICE_FAULTS)
def test_a_faulty_slice_is_refused(tmp_path: Path, fault: str) -> None:
    edit, code = ONE_SLICE_FAULTS[fault]
    path = make_series(tmp_path)[2]
    change(path, lambda d: (d.add_new("NumberOfFrames", "IS", 1), edit(d)))
    with pytest.raises(TetractError) as caught:
        read_volume(path)
    assert code in caught.value.code
    assert caught.value.where.endswith("0003.dcm")
    assert caught.value.fix


@pytest.mark.parametrize("fault", ["no IPP", "no IOP", "NaN IPP", "zero spacing", "slope zero"])
def test_one_faulty_slice_refuses_its_series_and_is_named(tmp_path: Path, fault: str) -> None:
    edit, code = ONE_SLICE_FAULTS[fault]
    change(make_series(tmp_path)[2], edit)
    with pytest.raises(TetractError, match=rf"{code} 0003\.dcm"):
        read_volume(tmp_path)


def test_truncated_pixels_are_told_in_bytes(tmp_path: Path) -> None:
    path = make_series(tmp_path)[0]
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(ReadError, match=r"expected 640 bytes.*found 639 bytes"):
        read_volume(path)


@pytest.mark.parametrize("keep", [133, 150, 200, 300, 400])
def test_a_header_cut_anywhere_is_refused(tmp_path: Path, keep: int) -> None:
    path = make_series(tmp_path)[0]
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(TetractError):
        read_volume(path)


def test_stored_values_may_be_taken_for_hu_on_request(tmp_path: Path) -> None:
    path = make_series(tmp_path)[0]
    change(path, lambda d: (drop_tag("RescaleSlope")(d), drop_tag("RescaleIntercept")(d)))
    volume = read_volume(path, options=ReadOptions(assume_hu=True))
    assert volume.provenance.derived
    assert np.array_equal(volume.values[0], make_volume().values[0] + 1024)


def test_deep_nesting_is_refused_without_a_recursion_error(tmp_path: Path) -> None:
    path = make_series(tmp_path)[0]
    inner = b""
    for _ in range(3000):  # undefined lengths all the way down
        inner = (
            b"\xfe\xff\x00\xe0\xff\xff\xff\xff" + b"\x08\x00\x15\x11SQ\0\0\xff\xff\xff\xff" + inner
        )
    head, tail = path.read_bytes().split(b"\x08\x00\x60\x00CS", 1)
    sequence = b"\x08\x00\x15\x11SQ\0\0\xff\xff\xff\xff"
    path.write_bytes(head + sequence + inner + b"\x08\x00\x60\x00CS" + tail)
    with pytest.raises(ReadError):
        read_volume(path)


def test_sixty_nested_sequences_are_read(tmp_path: Path) -> None:
    path = make_series(tmp_path)[0]

    def nest(header: Dataset) -> None:
        inner = Dataset()
        for _ in range(60):
            outer = Dataset()
            outer.ReferencedStudySequence = Sequence([inner])
            inner = outer
        header.ReferencedStudySequence = Sequence([inner])

    change(path, nest)
    assert np.array_equal(read_volume(path).values[0], make_volume().values[0])


def test_a_deflate_bomb_is_refused(tmp_path: Path) -> None:
    path = make_series(tmp_path)[0]

    def inflate(header: Dataset) -> None:
        header.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2.1.99"
        header.add_new(0x00091001, "OB", bytes(100 * 2**20))

    change(path, inflate)
    assert path.stat().st_size < 2**20
    with pytest.raises(ReadError, match="E_TOO_LARGE"):
        read_volume(path)


@pytest.mark.parametrize(
    "edit",
    [
        set_tag("PatientName", "山田^太郎"),
        set_raw("SpecificCharacterSet", b"NO SUCH SET "),
        set_tag("StudyDescription", "../../etc/passwd <script>"),
        set_tag("SpacingBetweenSlices", 5),
        set_tag("SliceThickness", None),
        set_raw("InstanceNumber", b"x1"),
    ],
)
def test_oddities_that_no_number_depends_on_are_read(
    tmp_path: Path, edit: Callable[[Dataset], object]
) -> None:
    for path in make_series(tmp_path):
        change(path, lambda d: (d.add_new("SpecificCharacterSet", "CS", "ISO_IR 192"), edit(d)))
    volume = read_volume(tmp_path)
    assert np.array_equal(volume.values, make_volume().values)
    assert volume.geometry is not None
    assert volume.geometry.spacing_mm[0] == pytest.approx(2.5)


def test_no_identifying_value_leaves_the_reader(tmp_path: Path) -> None:
    paths = make_series(tmp_path)
    change(paths[0], set_tag("PatientName", "CANARY^NAME"))
    change(paths[1], set_tag("PatientID", "CANARY"))
    told = repr(read_volume(tmp_path).provenance)
    change(paths[2], lambda d: (set_tag("Modality", "MR")(d), set_tag("PatientID", "CANARY")(d)))
    with pytest.raises(TetractError) as caught:
        read_volume(paths[2])
    assert "CANARY" not in told + str(caught.value)
