"""Files are written whole, twice alike, and as the standards ask."""

from __future__ import annotations

import errno
from dataclasses import replace
from pathlib import Path

import nibabel as nib
import numpy as np
import pydicom
import pytest
from io_makers import make_series, make_volume

from tetract.errors import InputError, MachineError
from tetract.io import (
    SeriesIdentity,
    atomic_write_bytes,
    atomic_write_text,
    encode_png,
    read_label_map,
    read_volume,
    write_dicom_series,
    write_nifti_labels,
    write_nifti_volume,
    write_png,
)


def test_writing_replaces_the_old_file_and_leaves_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    atomic_write_text(path, "old")
    atomic_write_text(path, "new é")
    assert path.read_bytes() == "new é".encode()
    assert [p.name for p in tmp_path.iterdir()] == ["a.txt"]


@pytest.mark.parametrize(
    ("number", "code"), [(errno.ENOSPC, "E_DISK_FULL"), (errno.EACCES, "E_CANNOT_WRITE")]
)
def test_a_failed_write_keeps_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, code: str
) -> None:
    path = tmp_path / "a.bin"
    atomic_write_bytes(path, b"old")

    def fail(_: int) -> None:
        raise OSError(number, "no")

    monkeypatch.setattr("tetract.io.atomic.os.fsync", fail)
    with pytest.raises(MachineError, match=code):
        atomic_write_bytes(path, b"new")
    assert path.read_bytes() == b"old"
    assert len(list(tmp_path.iterdir())) == 1


def test_a_missing_folder_is_told(tmp_path: Path) -> None:
    with pytest.raises(MachineError, match=r"E_CANNOT_WRITE a\.png"):
        write_png(tmp_path / "gone" / "a.png", np.zeros((2, 2), np.uint8))


@pytest.mark.parametrize("shape", [(5, 7), (5, 7, 3)])
def test_png_is_lossless(tmp_path: Path, shape: tuple[int, ...]) -> None:
    image = np.random.default_rng(1).integers(0, 255, shape[:2]).astype(np.uint8)
    full = image if len(shape) == 2 else np.repeat(image[..., None], 3, axis=2)
    write_png(tmp_path / "a.png", full)
    assert np.array_equal(read_volume(tmp_path / "a.png").values[0], image)
    assert encode_png(full) == (tmp_path / "a.png").read_bytes()


def test_the_same_seed_writes_the_same_bytes(tmp_path: Path) -> None:
    one, two = make_series(tmp_path / "a"), make_series(tmp_path / "b")
    other = make_series(tmp_path / "c", seed="two")
    assert [p.read_bytes() for p in one] == [p.read_bytes() for p in two]
    assert one[0].read_bytes() != other[0].read_bytes()


def test_a_written_slice_has_what_the_standard_requires(tmp_path: Path) -> None:
    paths = make_series(tmp_path)
    sets = [pydicom.dcmread(path) for path in paths]
    assert len({s.SOPInstanceUID for s in sets}) == 6
    assert (
        len({(s.StudyInstanceUID, s.SeriesInstanceUID, s.FrameOfReferenceUID) for s in sets}) == 1
    )
    type_one = ("ImageType", "SamplesPerPixel", "RescaleType", "ImagePositionPatient", "Modality")
    assert all(s.get(keyword) for s in sets for keyword in type_one)
    type_two = ("PatientBirthDate", "PatientSex", "StudyDate", "AccessionNumber", "KVP")
    assert all(keyword in s for s in sets for keyword in type_two)


def test_identity_is_what_was_asked_for(tmp_path: Path) -> None:
    identity = SeriesIdentity(seed="s", patient="P7", study_description="why", manufacturer="me")
    path = write_dicom_series(tmp_path, make_volume(), series=identity)[0]
    header = pydicom.dcmread(path)
    assert (header.PatientID, header.StudyDescription, header.Manufacturer) == ("P7", "why", "me")


def test_hu_up_to_the_end_of_sixteen_bits_survive(tmp_path: Path) -> None:
    made = make_volume()
    made.values[0, 0, :3] = (-1024, 3072, 32767)
    make_series(tmp_path, made)
    assert np.array_equal(read_volume(tmp_path).values, made.values)


@pytest.mark.parametrize(
    ("change", "code"), [({"geometry": None}, "E_NO_GEOMETRY"), ({"hu_known": False}, "E_NOT_HU")]
)
def test_pictures_do_not_become_ct(tmp_path: Path, change: dict[str, object], code: str) -> None:
    with pytest.raises(InputError, match=code):
        make_series(tmp_path, replace(make_volume(), **change))


def test_values_below_air_are_not_written(tmp_path: Path) -> None:
    made = make_volume()
    made.values[0, 0, 0] = -1025
    with pytest.raises(InputError, match="E_HU_RANGE"):
        make_series(tmp_path, made)


@pytest.mark.parametrize("name", ["m.nii", "m.nii.gz"])
def test_labels_come_back_and_bytes_do_not_change(tmp_path: Path, name: str) -> None:
    volume = make_volume()
    labels = (volume.values % 3).astype(np.uint8)
    write_nifti_labels(tmp_path / name, labels, volume.geometry)
    before = (tmp_path / name).read_bytes()
    write_nifti_labels(tmp_path / name, labels, volume.geometry)
    assert (tmp_path / name).read_bytes() == before
    assert np.array_equal(read_label_map(tmp_path / name).values, labels)


def test_nibabel_finds_the_same_voxel_in_ras(tmp_path: Path) -> None:
    volume = make_volume()
    write_nifti_volume(tmp_path / "a.nii", volume.values, volume.geometry)
    image = nib.load(tmp_path / "a.nii")
    assert int(image.dataobj[4, 3, 2]) == int(volume.values[2, 3, 4])
    ras = (image.affine @ [4, 3, 2, 1])[:3]
    lps = volume.geometry.to_lps(np.array([[2, 3, 4]]))[0]
    assert np.allclose(ras, lps * [-1, -1, 1], atol=1e-4)
    assert np.allclose(image.get_qform(), image.get_sform(), atol=1e-4)


def test_a_grid_of_another_shape_is_refused(tmp_path: Path) -> None:
    volume = make_volume()
    with pytest.raises(InputError, match="E_SHAPE_MISMATCH"):
        write_nifti_volume(tmp_path / "a.nii", volume.values[:3], volume.geometry)
