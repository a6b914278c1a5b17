"""The frames of an enhanced CT are slices like any others."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from enhanced_makers import Edit, make_enhanced
from io_makers import make_volume
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.uid import RLELossless

from tetract.errors import TetractError
from tetract.io import ReadOptions, count_slices, read_volume
from tetract.types import Volume

_RANDOM = make_volume(shape=(6, 40, 48))
# Even numbers, which a slope of 2 stores without loss; slope 2 starts at -1100.
MADE: Volume = replace(_RANDOM, values=(_RANDOM.values // 2 * 2).astype(np.int16))


def _codes(volume: Volume) -> set[str]:
    return {line.split(" ")[0] for line in volume.provenance.warnings}


def test_frames_give_hu_and_geometry_of_the_truth(tmp_path: Path) -> None:
    path = make_enhanced(tmp_path / "a.dcm", MADE)
    found = read_volume(path)
    assert np.array_equal(found.hu, MADE.values)
    assert np.allclose(found.geometry.affine, MADE.geometry.affine, atol=1e-9)
    assert found.provenance.warnings == ()
    assert found.provenance.slice_names[:2] == ("a.dcm#0001", "a.dcm#0002")
    assert count_slices(path) == 6


def test_the_position_orders_the_frames(tmp_path: Path) -> None:
    path = make_enhanced(tmp_path / "a.dcm", MADE, order=[3, 0, 5, 1, 4, 2])
    found = read_volume(path)
    assert np.array_equal(found.hu, MADE.values)
    assert found.provenance.slice_names[0] == "a.dcm#0002"


def test_a_folder_with_one_enhanced_ct_is_a_series(tmp_path: Path) -> None:
    make_enhanced(tmp_path / "a.dcm", MADE)
    (tmp_path / "readme.txt").write_text("hello")
    assert np.array_equal(read_volume(tmp_path).hu, MADE.values)
    assert count_slices(tmp_path) == 6


def test_two_files_may_share_a_series(tmp_path: Path) -> None:
    for name, order in (("a.dcm", [0, 2, 4]), ("b.dcm", [1, 3, 5])):
        make_enhanced(tmp_path / name, MADE, order=order)
    found = read_volume(tmp_path)
    assert np.array_equal(found.hu, MADE.values)
    assert found.provenance.slice_names[:3] == ("a.dcm#0001", "b.dcm#0001", "a.dcm#0002")


@pytest.mark.parametrize("syntax", ["1.2.840.10008.1.2.4.90", RLELossless])
def test_compressed_frames_are_the_same(tmp_path: Path, syntax: str) -> None:
    path = make_enhanced(tmp_path / "a.dcm", MADE, edit=lambda made: made.compress(syntax))
    assert np.array_equal(read_volume(path).hu, MADE.values)


def test_a_value_of_the_frame_comes_before_a_shared_one(tmp_path: Path) -> None:
    def share(made: Dataset) -> None:
        wrong = Dataset()
        wrong.ImagePositionPatient = [0, 0, 0]
        made.SharedFunctionalGroupsSequence[0].PlanePositionSequence = [wrong]
        made.RescaleSlope = made.RescaleIntercept = 7  # no place for it in an enhanced CT

    path = make_enhanced(tmp_path / "a.dcm", MADE, edit=share)
    assert np.array_equal(read_volume(path).hu, MADE.values)


def _frame(made: Dataset, index: int) -> Dataset:
    return made.PerFrameFunctionalGroupsSequence[index]


def _drop(made: Dataset, macro: str, index: int) -> None:
    delattr(_frame(made, index), macro)


def _twice(made: Dataset) -> None:
    groups = made.PerFrameFunctionalGroupsSequence
    groups[3].PlanePositionSequence = groups[2].PlanePositionSequence


def _tilt(made: Dataset) -> None:
    for index, group in enumerate(made.PerFrameFunctionalGroupsSequence):
        x, y, z = group.PlanePositionSequence[0].ImagePositionPatient
        group.PlanePositionSequence[0].ImagePositionPatient = [x, y + index, z]


def _turn(made: Dataset) -> None:
    turned = Dataset()
    turned.ImageOrientationPatient = [0.8, 0.6, 0, -0.6, 0.8, 0]
    _frame(made, 4).PlaneOrientationSequence = [turned]


def _set(keyword: str, value: object) -> Edit:
    return lambda made: setattr(made, keyword, value)


FAULTS: dict[str, tuple[Edit, str]] = {
    "no functional groups": (
        lambda made: delattr(made, "PerFrameFunctionalGroupsSequence"),
        r"E_ENHANCED a\.dcm",
    ),
    "fewer groups than frames": (_set("NumberOfFrames", 7), "E_BAD_ATTRIBUTE.*7 for 6"),
    "no position": (
        lambda made: _drop(made, "PlanePositionSequence", 2),
        r"E_NO_GEOMETRY a\.dcm#0003",
    ),
    "no orientation": (
        lambda made: delattr(made.SharedFunctionalGroupsSequence[0], "PlaneOrientationSequence"),
        "E_NO_GEOMETRY",
    ),
    "no spacing": (
        lambda made: delattr(made.SharedFunctionalGroupsSequence[0], "PixelMeasuresSequence"),
        "E_NO_GEOMETRY",
    ),
    "no rescale": (
        lambda made: _drop(made, "PixelValueTransformationSequence", 5),
        r"E_NO_RESCALE a\.dcm#0006",
    ),
    "two frames at one place": (_twice, "E_DUPLICATE_POSITIONS"),
    "tilt": (_tilt, "E_GANTRY_TILT"),
    "another orientation": (_turn, "E_MIXED_ORIENTATION"),
    "pixels cut short": (
        lambda made: setattr(made, "PixelData", made.PixelData[:-3840]),
        "E_PIXEL_TRUNCATED.*6 frames.*found 5",
    ),
    "another modality": (_set("Modality", "MR"), "E_MODALITY"),
    "an energy map": (
        lambda made: setattr(
            _frame(made, 0).PixelValueTransformationSequence[0], "RescaleType", "Z_EFF"
        ),
        "E_NOT_HU",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_faults_are_those_of_a_series(tmp_path: Path, fault: str) -> None:
    edit, told = FAULTS[fault]
    path = make_enhanced(tmp_path / "a.dcm", MADE, edit=edit)
    with pytest.raises(TetractError, match=told):
        read_volume(path)


def test_a_missing_frame_is_refused_or_filled(tmp_path: Path) -> None:
    path = make_enhanced(tmp_path / "a.dcm", MADE, order=[0, 1, 3, 4, 5])
    with pytest.raises(TetractError, match=r"E_NONUNIFORM_SPACING.*a\.dcm#0002.*a\.dcm#0003"):
        read_volume(path)
    filled = read_volume(path, options=ReadOptions(resample_gaps=True))
    assert np.array_equal(filled.values[[0, 1, 3, 4, 5]], MADE.values[[0, 1, 3, 4, 5]])
    assert filled.provenance.derived


def test_an_exact_copy_of_a_frame_is_dropped(tmp_path: Path) -> None:
    path = make_enhanced(tmp_path / "a.dcm", MADE, order=[0, 1, 2, 2, 3, 4, 5])
    found = read_volume(path)
    assert np.array_equal(found.hu, MADE.values)
    assert _codes(found) == {"W_DUPLICATE_DROPPED"}


def test_a_localizer_frame_is_left_out(tmp_path: Path) -> None:
    def scout(made: Dataset) -> None:
        kind = _frame(made, 5).CTImageFrameTypeSequence[0]
        kind.FrameType = ["ORIGINAL", "PRIMARY", "LOCALIZER", "NONE"]

    found = read_volume(make_enhanced(tmp_path / "a.dcm", MADE, edit=scout))
    assert np.array_equal(found.hu, MADE.values[:5])
    assert _codes(found) == {"W_LOCALIZER_DROPPED"}


def test_a_stream_with_fewer_frames_than_promised_is_refused(tmp_path: Path) -> None:
    def cut(made: Dataset) -> None:
        made.compress(RLELossless)
        made.PixelData = encapsulate([b"\0" * 64])

    path = make_enhanced(tmp_path / "a.dcm", MADE, edit=cut)
    with pytest.raises(TetractError, match="E_PIXEL_TRUNCATED"):
        read_volume(path)
