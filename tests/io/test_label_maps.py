"""Masks keep their integers and must lie on their image."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from io_makers import ct_numbers, make_series, make_volume, save_nifti
from PIL import Image

from tetract.errors import LabelError, ReadError
from tetract.io import check_same_grid, labels_on_grid, read_label_map, read_volume, write_png

RAS = np.diag([-1.5, -1.25, 2.5, 1.0])


def _labels(shape: tuple[int, ...] = (8, 7, 5)) -> np.ndarray:
    return (ct_numbers(shape) > 800).astype(np.uint8)


@pytest.mark.parametrize("values", [(0, 255), (0, 1, 2), (0, 7)])
def test_png_masks_keep_their_numbers(tmp_path: Path, values: tuple[int, ...]) -> None:
    mask = np.array(values, dtype=np.uint8)[np.arange(60).reshape(6, 10) % len(values)]
    write_png(tmp_path / "m.png", mask)
    assert np.array_equal(read_label_map(tmp_path / "m.png").values, mask[None])


def test_a_grey_mask_in_colour_channels_is_read(tmp_path: Path) -> None:
    mask = np.arange(60, dtype=np.uint8).reshape(6, 10) % 3
    write_png(tmp_path / "m.png", np.repeat(mask[..., None], 3, axis=2))
    assert np.array_equal(read_label_map(tmp_path / "m.png").values[0], mask)


def test_a_coloured_palette_gives_its_indices(tmp_path: Path) -> None:
    mask = np.arange(60, dtype=np.uint8).reshape(6, 10) % 3
    picture = Image.fromarray(mask).convert("P")
    picture.putpalette([0, 0, 0, 128, 0, 0, 0, 128, 0])
    picture.save(tmp_path / "m.png")
    assert np.array_equal(read_label_map(tmp_path / "m.png").values[0], mask)


def test_a_one_bit_mask_is_zero_and_one(tmp_path: Path) -> None:
    mask = np.arange(60).reshape(6, 10) % 2 == 1
    Image.fromarray(mask).save(tmp_path / "m.png")
    assert np.array_equal(read_label_map(tmp_path / "m.png").values[0], mask.astype(np.uint8))


def test_labels_beyond_a_byte_are_kept(tmp_path: Path) -> None:
    labels = _labels().astype(np.int16) * 300
    found = read_label_map(save_nifti(tmp_path / "m.nii", labels, RAS))
    assert found.values.dtype == np.int16
    assert set(np.unique(found.values)) == {0, 300}


@pytest.mark.parametrize(
    ("change", "code"),
    [(0.5, "E_LABEL_NONINTEGER"), (-1.0, "E_LABEL_NEGATIVE"), (1e6, "E_LABEL_RANGE")],
)
def test_what_is_no_label_is_refused(tmp_path: Path, change: float, code: str) -> None:
    soft = _labels().astype(np.float32)
    soft[2, 3, 4] = change
    with pytest.raises(LabelError, match=code):
        read_label_map(save_nifti(tmp_path / "m.nii", soft, RAS))


def test_an_empty_mask_is_a_negative_and_told(tmp_path: Path) -> None:
    found = read_label_map(save_nifti(tmp_path / "m.nii", np.zeros((8, 7, 5), np.uint8), RAS))
    assert found.warnings[0].startswith("W_EMPTY_MASK")
    assert not found.values.any()


def test_dicom_and_jpeg_cannot_be_masks(tmp_path: Path) -> None:
    Image.fromarray(np.zeros((8, 8), np.uint8)).save(tmp_path / "m.jpg")
    for path in (tmp_path / "m.jpg", make_series(tmp_path / "ct")[0]):
        with pytest.raises(ReadError, match="E_NOT_A_LABEL_MAP"):
            read_label_map(path)


@pytest.mark.parametrize("flips", [(1, 1, 1), (-1, 1, 1), (1, -1, 1), (-1, -1, -1)])
def test_a_mask_stored_flipped_lies_on_its_image(
    tmp_path: Path, flips: tuple[int, int, int]
) -> None:
    volume = read_volume(save_nifti(tmp_path / "ct.nii", ct_numbers(), RAS))
    stored = _labels()[:: flips[0], :: flips[1], :: flips[2]]
    ras = RAS.copy()
    for axis, flip in enumerate(flips):
        if flip < 0:
            ras[:3, 3] += ras[:3, axis] * (stored.shape[axis] - 1)
            ras[:3, axis] *= -1
    labels = read_label_map(save_nifti(tmp_path / "m.nii", stored, ras))
    check_same_grid(volume, labels)
    assert np.array_equal(labels.values > 0, volume.values > 800)


def test_rounding_in_the_affine_is_no_mismatch(tmp_path: Path) -> None:
    volume = read_volume(save_nifti(tmp_path / "ct.nii", ct_numbers(), RAS))
    near = RAS.copy()
    near[:3, 3] += 4e-4
    check_same_grid(volume, read_label_map(save_nifti(tmp_path / "m.nii", _labels(), near)))


def test_a_mask_elsewhere_is_refused_with_its_distance(tmp_path: Path) -> None:
    volume = read_volume(save_nifti(tmp_path / "ct.nii", ct_numbers(), RAS))
    away = RAS.copy()
    away[2, 3] = 3.0
    labels = read_label_map(save_nifti(tmp_path / "m.nii", _labels(), away))
    for check in (check_same_grid, labels_on_grid):
        with pytest.raises(LabelError, match=r"E_AFFINE_MISMATCH.*3\.000 mm"):
            check(volume, labels)


def test_a_mask_of_another_size_is_refused(tmp_path: Path) -> None:
    labels = read_label_map(save_nifti(tmp_path / "m.nii", _labels((8, 7, 4)), RAS))
    volume = read_volume(save_nifti(tmp_path / "ct.nii", ct_numbers(), RAS))
    with pytest.raises(LabelError, match=r"E_SHAPE_MISMATCH.*5 x 7 x 8.*4 x 7 x 8"):
        check_same_grid(volume, labels)


def test_a_picture_mask_needs_only_the_size(tmp_path: Path) -> None:
    write_png(tmp_path / "m.png", np.ones((16, 20), np.uint8))
    labels = read_label_map(tmp_path / "m.png")
    made = make_volume(shape=(1, 16, 20))
    check_same_grid(made, labels)
    assert labels_on_grid(made, labels) is labels
