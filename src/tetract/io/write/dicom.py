"""A CT series for phantoms: classic CT Image Storage (DICOM PS3.3 A.3)."""

from __future__ import annotations

from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid
from pydicom.valuerep import format_number_as_ds

from tetract.errors import InputError
from tetract.io.atomic import atomic_write_bytes, make_folder
from tetract.io.guard import quiet_libraries
from tetract.types import Geometry, Volume

_INTERCEPT = -1024
_TWELVE_BITS = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesIdentity:
    """Who a written series claims to be.

    All UIDs follow from these fields, so that a second writing gives the same files.

    Attributes:
        seed: Any text; another seed gives other UIDs.
        patient: PatientID and PatientName.
        study_description: Free text.
        series_description: Free text.
        manufacturer: Who made the images.
        series_number: Number within the study.
    """

    seed: str
    patient: str = "PHANTOM"
    study_description: str = "TetraCT phantom"
    series_description: str = "phantom, research use only"
    manufacturer: str = "TetraCT"
    series_number: int = 1


def write_dicom_series(folder: Path, volume: Volume, *, series: SeriesIdentity) -> tuple[Path, ...]:
    """Write ``0001.dcm`` and so on, explicit little endian, slope 1 and intercept -1024.

    Reading the folder gives the same values and geometry, slices in ascending order along the
    normal of rows and columns.

    Args:
        folder: Created if need be.
        volume: HU of at least -1024 with a geometry.
        series: Names and the seed of the UIDs.

    Returns:
        The files, in the order of the slices.

    Raises:
        InputError: ``E_NOT_HU``, ``E_NO_GEOMETRY`` or ``E_HU_RANGE``.
        MachineError: ``E_DISK_FULL`` or ``E_CANNOT_WRITE``.
    """
    geometry = volume.geometry
    if geometry is None:
        raise InputError(
            "E_NO_GEOMETRY",
            "a picture has no place in the patient and cannot become a CT series",
            where=volume.provenance.name,
            fix="Give a volume with a geometry",
        )
    values = volume.hu
    low = int(values.min())
    if low < _INTERCEPT:
        raise InputError(
            "E_HU_RANGE",
            "values below air cannot be written",
            where=volume.provenance.name,
            expected=f"at least {_INTERCEPT} HU",
            found=f"{low} HU",
            fix="Set padding to -1024 HU first",
        )
    make_folder(folder)
    stored = (values.astype(np.int32) - _INTERCEPT).astype(np.uint16)
    bits = 12 if int(stored.max()) < _TWELVE_BITS else 16
    paths: list[Path] = []
    with quiet_libraries():
        for index, plane in enumerate(stored):
            path = folder / f"{index + 1:04d}.dcm"
            slice_set = _slice(plane, bits, index, geometry, series)
            buffer = BytesIO()
            slice_set.save_as(buffer, enforce_file_format=True)
            atomic_write_bytes(path, buffer.getvalue())
            paths.append(path)
    return tuple(paths)


def _slice(
    plane: np.ndarray, bits: int, index: int, geometry: Geometry, series: SeriesIdentity
) -> Dataset:
    made = Dataset()
    made.file_meta = FileMetaDataset()
    made.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    _set_identity(made, index, series)
    _set_geometry(made, index, geometry)
    made.ImageType = ["DERIVED", "SECONDARY", "AXIAL"]
    made.SamplesPerPixel = 1
    made.PhotometricInterpretation = "MONOCHROME2"
    made.Rows, made.Columns = plane.shape
    made.BitsAllocated, made.BitsStored, made.HighBit = 16, bits, bits - 1
    made.PixelRepresentation = 0
    made.RescaleIntercept, made.RescaleSlope, made.RescaleType = str(_INTERCEPT), "1", "HU"
    made.KVP = made.AcquisitionNumber = None
    made.PixelData = plane.astype("<u2").tobytes()
    return made


def _set_identity(made: Dataset, index: int, series: SeriesIdentity) -> None:
    made.SOPClassUID = CTImageStorage
    made.SOPInstanceUID = _uid(series, f"instance {index}")
    made.StudyInstanceUID = _uid(series, "study")
    made.SeriesInstanceUID = _uid(series, "series")
    made.FrameOfReferenceUID = _uid(series, "frame")
    made.Modality = "CT"
    made.Manufacturer = series.manufacturer
    made.StudyDescription = series.study_description
    made.SeriesDescription = series.series_description
    made.PatientID = made.PatientName = series.patient
    made.SeriesNumber = series.series_number
    made.InstanceNumber = index + 1
    # Type 2: present, and empty for a patient who never lived.
    made.PatientBirthDate = made.PatientSex = made.ReferringPhysicianName = ""
    made.StudyDate = made.StudyTime = made.StudyID = made.AccessionNumber = ""
    made.PositionReferenceIndicator = ""
    made.PatientPosition = "HFS"


def _set_geometry(made: Dataset, index: int, geometry: Geometry) -> None:
    step, down, across = geometry.affine[:3, :3].T
    _, rows_mm, columns_mm = geometry.spacing_mm
    position = geometry.affine[:3, 3] + index * step
    made.ImagePositionPatient = [_ds(v) for v in position]
    made.ImageOrientationPatient = [_ds(v) for v in (*(across / columns_mm), *(down / rows_mm))]
    made.PixelSpacing = [_ds(rows_mm), _ds(columns_mm)]
    made.SliceThickness = _ds(geometry.spacing_mm[0])


def _ds(value: float) -> str:
    return format_number_as_ds(float(value) + 0.0)  # no "-0"


def _uid(series: SeriesIdentity, role: str) -> str:
    return generate_uid(entropy_srcs=["tetract", series.seed, series.patient, role])
