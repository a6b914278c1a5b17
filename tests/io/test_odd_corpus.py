"""The shared corpus of odd files: read, or refused with one typed line, and nothing else."""

from __future__ import annotations

import csv
import os
import re
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from tetract.errors import MachineError, ReadError, TetractError
from tetract.io import check_same_grid, labels_on_grid, read_label_map, read_study, read_volume
from tetract.io.dicom.header import read_dicom
from tetract.io.dicom.pixels import pixel_data, pixel_format, stored_pixels
from tetract.types import Volume

GROUPS = ("series_syn", "series_real", "dicom_syn", "dicom_real", "nifti_syn", "png_syn")
# Rows whose expectation concerns masks.
MASKS = "nifti_syn/mask_"
LINE = re.compile(r"^E_[A-Z0-9_]+ \S.*: .+\.$", re.DOTALL)


def _rows() -> list[tuple[str, str]]:
    manifest = Path(os.environ.get("TETRACT_SHARED", "")) / "data/odd/MANIFEST.csv"
    if not os.environ.get("TETRACT_SHARED") or not manifest.is_file():
        return []
    with manifest.open(newline="") as file:
        return [
            (row["file"], row["expected_behaviour"])
            for row in csv.DictReader(file)
            if not row["file"].startswith(("coco_syn", "archives_syn"))
        ]


ROWS = _rows()
FILES = [name for name, _ in ROWS]
TO_READ = [
    name
    for name, expected in ROWS
    if name.startswith(GROUPS) and not name.startswith(MASKS) and re.match(r"OK\b", expected)
]
TO_REFUSE = [
    name
    for name, expected in ROWS
    if name.startswith(GROUPS) and not name.startswith(MASKS) and expected.startswith("REFUSE")
]


@pytest.mark.real
@pytest.mark.parametrize("name", FILES)
def test_a_file_is_read_or_refused_in_one_line(shared: Path, name: str) -> None:
    volumes: tuple[Volume, ...] = ()
    told, needs = "E_NONE x: y.", "E_CODEC_MISSING"
    try:
        volumes = read_study(shared / "data/odd" / name)
    except TetractError as fault:
        told = str(fault)
        needs = fault.code if isinstance(fault, MachineError) else needs
    assert LINE.match(told), told
    assert needs == "E_CODEC_MISSING"
    for volume in volumes:
        assert volume.values.ndim == 3
        assert volume.values.dtype == np.int16 or not volume.hu_known
        assert all(line.startswith("W_") for line in volume.provenance.warnings)


@pytest.mark.real
@pytest.mark.parametrize("name", TO_READ)
def test_what_should_be_read_is_read(shared: Path, name: str) -> None:
    assert isinstance(read_volume(shared / "data/odd" / name), Volume)


@pytest.mark.real
@pytest.mark.parametrize("name", TO_REFUSE)
def test_what_should_be_refused_is_refused(shared: Path, name: str) -> None:
    with pytest.raises(TetractError) as caught:
        read_volume(shared / "data/odd" / name)
    assert caught.value.code.startswith("E_")


@pytest.mark.real
@pytest.mark.parametrize(
    "name",
    [
        "nonuniform_jitter_small",
        "rescale_per_slice",
        "stale_spacing_between_slices",
        "japanese_name",
        "injection_strings",
    ],
)
def test_a_harmless_oddity_changes_no_voxel(shared: Path, name: str) -> None:
    folder = shared / "data/odd/series_syn"
    good, found = read_volume(folder / "good"), read_volume(folder / name)
    assert np.array_equal(found.values, good.values)
    assert np.allclose(found.geometry.spacing_mm, good.geometry.spacing_mm, atol=0.01)
    assert np.allclose(good.geometry.spacing_mm, (2.5, 1.25, 1.5))


@pytest.mark.real
@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("series_syn/missing_second_slice", "E_NONUNIFORM_SPACING"),
        ("series_syn/dup_position_diff_pixels", "E_DUPLICATE_POSITIONS"),
        ("series_syn/mixed_series", "E_SEVERAL_SERIES"),
        ("series_syn/nan_ipp", "E_NO_GEOMETRY"),
        ("series_syn/rescale_one_differs", "E_HU_JUMP"),
        ("series_syn/unsigned_as_signed", "E_HU_RANGE"),
        ("series_real/same_position_x4", "E_DUPLICATE_POSITIONS"),
        ("series_real/tilt15_and_missing", "E_GANTRY_TILT"),
        ("series_real/mixed_orientation", "E_MODALITY"),
        ("dicom_syn/huge_dims_65535.dcm", "E_PIXEL_TRUNCATED"),
        ("dicom_syn/garbage_j2k.dcm", "E_PIXEL_DECODE"),
        ("nifti_syn/gz_bomb_400MB.nii.gz", "E_TOO_LARGE"),
        ("nifti_syn/sform_qform_disagree.nii.gz", "E_SFORM_QFORM"),
        ("nifti_syn/unsigned_offset.nii.gz", "E_NOT_HU"),
        ("png_syn/rgba_screenshot.png", "E_ALPHA"),
    ],
)
def test_a_refusal_names_its_fault(shared: Path, name: str, code: str) -> None:
    with pytest.raises(TetractError) as caught:
        read_volume(shared / "data/odd" / name)
    assert caught.value.code == code


@pytest.mark.real
@pytest.mark.parametrize(
    "name",
    ["MR_small_RLE.dcm", "MR_small_jp2klossless.dcm", "MR_small_padded.dcm", "MR_small_expb.dcm"],
)
def test_every_encoding_gives_the_same_pixels(shared: Path, name: str) -> None:
    folder = shared / "data/odd/dicom_real"
    assert np.array_equal(_pixels(folder / name), _pixels(folder / "MR_small.dcm"))


@pytest.mark.real
def test_jpeg_ls_and_jpeg_2000_equal_run_lengths(shared: Path) -> None:
    folder = shared / "data/odd/series_real"
    for path in sorted((folder / "rle_series").iterdir()):
        plain = _pixels(path)
        assert np.array_equal(_pixels(folder / "jpegls_series" / path.name), plain)
        assert np.array_equal(_pixels(folder / "j2k_series" / path.name), plain)


@pytest.mark.real
def test_a_signed_header_over_an_unsigned_codestream_is_understood(shared: Path) -> None:
    stored = _pixels(shared / "data/odd/dicom_real/J2K_pixelrep_mismatch.dcm")
    assert (int(stored.min()), int(stored.max())) == (-2000, 1896)


@pytest.mark.real
def test_codestreams_that_killed_a_codec_are_refused_or_decoded(shared: Path) -> None:
    """They aborted or hung their codec in process; here the parent lives to say so."""
    for path in sorted((shared / "data/odd/codec_crashers").iterdir()):
        with suppress(ReadError):  # a dead parent could not go on to the next file
            assert _pixels(path).ndim == 2


@pytest.mark.real
def test_masks_of_the_corpus_fit_their_volume_or_are_refused(shared: Path) -> None:
    folder = shared / "data/odd/nifti_syn"
    volume = read_volume(folder / "good.nii.gz")
    good = read_label_map(folder / "mask_good.nii.gz")
    flipped = read_label_map(folder / "mask_lr_flip.nii.gz")
    check_same_grid(volume, good)
    check_same_grid(volume, read_label_map(folder / "mask_affine_1e-5.nii.gz"))
    assert np.array_equal(labels_on_grid(volume, flipped).values, good.values)
    assert read_label_map(folder / "mask_empty.nii.gz").warnings[0].startswith("W_EMPTY_MASK")
    with pytest.raises(TetractError, match="E_LABEL_NONINTEGER"):
        read_label_map(folder / "mask_float_soft.nii.gz")
    with pytest.raises(TetractError, match="E_SHAPE_MISMATCH"):
        check_same_grid(volume, read_label_map(folder / "mask_shape.nii.gz"))


def _pixels(path: Path) -> np.ndarray:
    """Stored values whatever the modality: this is about codecs."""
    header = read_dicom(path, pixels=True)
    pixels = pixel_format(header, path)
    return stored_pixels(pixel_data(header, pixels, path.name), pixels, path.name)[0]
