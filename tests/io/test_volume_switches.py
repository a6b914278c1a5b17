"""What may be asked of a volume file, and when it is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import nibabel as nib
import numpy as np
import pytest
from io_makers import ct_numbers, make_series, save_nifti
from test_meta_image import save_meta
from test_nrrd import save_nrrd

from tetract.errors import TetractError
from tetract.io import ReadOptions, count_slices, read_study, read_volume, write_png

NAN_TO_AIR = ReadOptions(nan_to_hu=-1024)
GREY = ReadOptions(as_grey=True)
STRICT = ReadOptions(strict=True)


def _spoilt(offset: float = 0.0) -> np.ndarray:
    numbers = ct_numbers().astype(np.float32) + np.float32(offset)
    numbers[1, 2, 3] = np.nan
    numbers[0, 0, 0] = np.inf
    return numbers


def test_nan_and_infinity_become_what_was_asked_for(tmp_path: Path) -> None:
    path = save_nifti(tmp_path / "a.nii", _spoilt())
    expected = ct_numbers()
    expected[1, 2, 3] = expected[0, 0, 0] = -1024
    volume = read_volume(path, options=NAN_TO_AIR)
    assert np.array_equal(volume.values, expected.transpose(2, 1, 0))
    assert volume.provenance.derived
    assert volume.provenance.warnings == (
        "W_NAN_REPLACED a.nii: 2 NaN or infinite voxels were set to -1024 HU on request",
    )


def test_a_volume_without_nan_is_not_marked_as_derived(tmp_path: Path) -> None:
    path = save_nifti(tmp_path / "a.nii", ct_numbers())
    volume = read_volume(path, options=NAN_TO_AIR)
    assert not volume.provenance.derived
    assert volume.provenance.warnings == ()


def test_replaced_voxels_do_not_pass_for_air(tmp_path: Path) -> None:
    path = save_nifti(tmp_path / "a.nii", _spoilt(1024))
    with pytest.raises(TetractError, match="E_NOT_HU"):
        read_volume(path, options=NAN_TO_AIR)


def test_grey_levels_keep_their_geometry_and_lose_their_hu(tmp_path: Path) -> None:
    grey = (ct_numbers() % 256).astype(np.int16)
    volume = read_volume(save_nifti(tmp_path / "a.nii.gz", grey), options=GREY)
    assert volume.values.dtype == np.uint8
    assert np.array_equal(volume.values, grey.transpose(2, 1, 0))
    assert not volume.hu_known
    assert volume.geometry.spacing_mm == (2.5, 1.25, 1.5)
    with pytest.raises(TetractError, match="E_NOT_HU"):
        _ = volume.hu


@pytest.mark.parametrize("wrong", [-1.0, 256.0])
def test_what_is_no_grey_level_is_refused(tmp_path: Path, wrong: float) -> None:
    grey = (ct_numbers() % 256).astype(np.float32)
    grey[0, 0, 0] = wrong
    with pytest.raises(TetractError, match="E_GREY_RANGE"):
        read_volume(save_nifti(tmp_path / "a.nii", grey), options=GREY)


def test_fractions_of_grey_are_rounded_and_told(tmp_path: Path) -> None:
    grey = (ct_numbers() % 255).astype(np.float32) + 0.25
    volume = read_volume(save_nifti(tmp_path / "a.nii", grey), options=GREY)
    assert volume.provenance.warnings[0].startswith("W_ROUNDED")
    assert np.array_equal(volume.values, (ct_numbers() % 255).transpose(2, 1, 0))


@pytest.mark.parametrize(
    "options",
    [ReadOptions(as_grey=True, assume_hu=True), ReadOptions(as_grey=True, nan_to_hu=-1024)],
)
def test_switches_that_contradict_are_refused(tmp_path: Path, options: ReadOptions) -> None:
    grey = (ct_numbers() % 256).astype(np.int16)
    with pytest.raises(TetractError, match="E_OPTION_UNFIT"):
        read_volume(save_nifti(tmp_path / "a.nii", grey), options=options)


def _disagreeing(path: Path, qform: np.ndarray) -> Path:
    def edit(image: nib.Nifti1Image) -> None:
        image.set_sform(RAS, code=1)
        image.set_qform(qform, code=1)

    return save_nifti(path, ct_numbers(), RAS, edit)


RAS = np.diag([-1.5, -1.25, 2.5, 1.0])
SHIFTED = RAS + np.array([[0, 0, 0, 7.0], [0] * 4, [0] * 4, [0] * 4])


@pytest.mark.parametrize(("prefer", "x"), [("sform", 0.0), ("qform", -7.0)])
def test_the_preferred_placement_counts_and_is_told(
    tmp_path: Path, prefer: Literal["sform", "qform"], x: float
) -> None:
    path = _disagreeing(tmp_path / "a.nii", SHIFTED)
    with pytest.raises(TetractError, match=r"E_SFORM_QFORM.*7\.000 mm apart.*--prefer"):
        read_volume(path)
    volume = read_volume(path, options=ReadOptions(prefer=prefer))
    assert volume.geometry.to_lps(np.zeros((1, 3)))[0, 0] == pytest.approx(x)
    assert volume.provenance.derived
    assert volume.provenance.warnings[0].startswith("W_FORM_CHOSEN")


def test_a_sheared_sform_yields_to_a_sound_qform(tmp_path: Path) -> None:
    sheared = RAS.copy()
    sheared[1, 2] = 1.0

    def edit(image: nib.Nifti1Image) -> None:
        image.set_sform(sheared, code=1)

    path = _disagreeing(tmp_path / "a.nii", RAS)
    image = nib.load(path)
    edit(image)
    path.write_bytes(image.header.binaryblock + path.read_bytes()[348:])
    with pytest.raises(TetractError, match="E_SHEAR"):
        read_volume(path)
    volume = read_volume(path, options=ReadOptions(prefer="qform"))
    assert volume.geometry.spacing_mm == pytest.approx((2.5, 1.25, 1.5))
    assert volume.provenance.derived


def test_placements_that_agree_need_no_mark(tmp_path: Path) -> None:
    path = _disagreeing(tmp_path / "a.nii", RAS)
    volume = read_volume(path, options=ReadOptions(prefer="qform"))
    assert not volume.provenance.derived
    assert volume.provenance.warnings == ()


def test_a_placement_that_is_not_set_cannot_be_preferred(tmp_path: Path) -> None:
    path = save_nifti(tmp_path / "a.nii", ct_numbers())
    image = nib.load(path)
    image.header["qform_code"] = 0
    path.write_bytes(image.header.binaryblock + path.read_bytes()[348:])
    with pytest.raises(TetractError, match=r"E_OPTION_UNFIT.*no qform.*found sform"):
        read_volume(path, options=ReadOptions(prefer="qform"))


@pytest.mark.parametrize(
    "options",
    [ReadOptions(resample_gaps=True), ReadOptions(deskew=True), ReadOptions(acquisition=1)],
)
def test_switches_of_dicom_do_not_fit_a_volume_file_or_a_picture(
    tmp_path: Path, options: ReadOptions
) -> None:
    save_nifti(tmp_path / "a.nii", ct_numbers())
    (tmp_path / "p").mkdir()
    write_png(tmp_path / "p" / "a.png", np.zeros((4, 4), dtype=np.uint8))
    for given in (tmp_path / "a.nii", tmp_path / "p" / "a.png", tmp_path / "p"):
        with pytest.raises(TetractError, match="E_OPTION_UNFIT"):
            read_study(given, options=options)


def _placeless(folder: Path) -> list[Path]:
    def clear(image: nib.Nifti1Image) -> None:
        image.header["sform_code"] = image.header["qform_code"] = 0

    image = save_nifti(folder / "a.nii", ct_numbers(), RAS)
    loaded = nib.load(image)
    clear(loaded)
    image.write_bytes(loaded.header.binaryblock + image.read_bytes()[348:])
    return [
        image,
        save_meta(folder / "a.mha", data="LOCAL", Offset=None),
        save_nrrd(folder / "a.nrrd", space=None),
    ]


@pytest.mark.parametrize("which", [0, 1, 2])
def test_strict_reading_refuses_what_says_nothing_of_its_place(tmp_path: Path, which: int) -> None:
    path = _placeless(tmp_path)[which]
    volume = read_volume(path)
    assert volume.geometry is None
    assert volume.provenance.warnings[0].startswith("W_NO_ORIENTATION")
    for read in (read_volume, read_study, count_slices):
        with pytest.raises(TetractError, match=r"E_NO_ORIENTATION .*without --strict"):
            read(path, options=STRICT)


def test_strict_reading_changes_nothing_else(tmp_path: Path) -> None:
    make_series(tmp_path / "ct")
    for path in (save_nifti(tmp_path / "a.nii", ct_numbers()), tmp_path / "ct"):
        strict, plain = read_volume(path, options=STRICT), read_volume(path)
        assert np.array_equal(strict.values, plain.values)
        assert np.array_equal(strict.geometry.affine, plain.geometry.affine)
        assert strict.provenance == plain.provenance


def test_a_picture_has_no_place_to_be_strict_about(tmp_path: Path) -> None:
    write_png(tmp_path / "a.png", np.zeros((4, 4), dtype=np.uint8))
    with pytest.raises(TetractError, match="E_OPTION_UNFIT"):
        read_study(tmp_path / "a.png", options=STRICT)
