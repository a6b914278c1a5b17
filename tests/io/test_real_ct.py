"""Real CT of every source reads as what it is."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tetract.errors import ReadError
from tetract.io import check_same_grid, count_slices, read_label_map, read_study, read_volume

pytestmark = pytest.mark.real
PICTURES = (
    "covid19_ct_seg/ct",
    "covid_ct_ucsd/CT_NonCOVID",
    "iq_oth_nccd/Malignant",
    "lidc_luna16/images",
    "msd_lung/images/Subject_57",
)
MASKS = ("covid19_ct_seg/covid", "lidc_luna16/masks", "msd_lung/masks/Subject_57")
SLICES = ("covid_ct_md", "covid19_ny_sbu", "lung_pet_ct_dx")


@pytest.mark.parametrize("folder", PICTURES)
def test_pictures_are_read(shared: Path, folder: str) -> None:
    files = sorted(p for p in (shared / "data/ct" / folder).iterdir() if p.is_file())
    for path in files[:: max(1, len(files) // 12)]:
        volume = read_volume(path)
        assert volume.depth == 1
        assert not volume.hu_known
        assert int(volume.values.max()) > int(volume.values.min())


def test_nearly_every_journal_figure_is_grey_enough(shared: Path) -> None:
    codes: list[str] = []
    for path in sorted((shared / "data/ct/covid_ct_ucsd/CT_COVID").iterdir()):
        try:
            read_volume(path)
        except ReadError as fault:
            codes.append(fault.code)
    assert set(codes) <= {"E_COLOUR"}
    assert len(codes) <= 2


@pytest.mark.parametrize("folder", MASKS)
def test_masks_are_read_with_their_numbers(shared: Path, folder: str) -> None:
    files = sorted((shared / "data/ct" / folder).iterdir())
    for path in files[:: max(1, len(files) // 12)]:
        assert set(np.unique(read_label_map(path).values)) <= {0, 255}


@pytest.mark.parametrize("source", SLICES)
def test_single_slices_are_in_hounsfield_units(shared: Path, source: str) -> None:
    files = sorted((shared / "data/ct" / source).rglob("*.dcm"))
    for path in files[:: max(1, len(files) // 8)]:
        volume = read_volume(path)
        assert volume.hu.shape == (1, 512, 512)
        assert int(volume.hu.min()) >= -1024
        assert volume.geometry is not None
        air = float(np.percentile(volume.hu, 1))
        assert air < -800


def test_a_jpeg_lossless_series_is_stacked_by_position(shared: Path) -> None:
    folder = shared / "data/ct/covid_ct_md/P001"
    volume = read_volume(folder)
    assert volume.depth == count_slices(folder) == 68
    assert volume.geometry.spacing_mm == pytest.approx((2.0, 0.748046875, 0.748046875))
    first = read_volume(folder / volume.provenance.slice_names[0])
    assert np.array_equal(first.values[0], volume.values[0])
    assert np.allclose(first.geometry.affine[:3, 3], volume.geometry.affine[:3, 3])


def test_every_twelfth_slice_is_read_and_the_gap_is_told(shared: Path) -> None:
    volume = read_volume(shared / "data/ct/covid_ct_md/cap001")
    assert volume.geometry.spacing_mm[0] == pytest.approx(24.0)
    assert any(line.startswith("W_SLICE_GAP") for line in volume.provenance.warnings)


def test_a_nifti_volume_and_its_mask_share_a_grid(shared: Path) -> None:
    folder = shared / "data/ct/totalsegmentator_nifti"
    volume = read_volume(folder / "pulmonary_ct_cropped.nii.gz")
    labels = read_label_map(folder / "pulmonary_artery.nii.gz")
    check_same_grid(volume, labels)
    inside = volume.hu[labels.values > 0]
    assert 100 < float(np.median(inside)) < 1200  # contrast in the pulmonary artery
    assert np.all(np.diag(volume.geometry.affine[:3, 2::-1]) > 0)


def test_a_folder_of_pictures_is_a_study(shared: Path) -> None:
    volumes = read_study(shared / "data/ct/msd_lung/images/Subject_57")
    names = [volume.provenance.name for volume in volumes]
    assert (
        len(set(names)) == len(names) == count_slices(shared / "data/ct/msd_lung/images/Subject_57")
    )
