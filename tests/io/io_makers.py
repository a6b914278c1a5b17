"""Small CT files, whole and broken, made with the writers and pydicom."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path

import nibabel as nib
import numpy as np
import pydicom
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate

from tetract.io import SeriesIdentity, write_dicom_series
from tetract.types import Geometry, Provenance, Volume

SHAPE = (6, 16, 20)
SPACING = (2.5, 1.25, 1.5)
ORIGIN = (-40.0, -50.0, -100.0)


def make_affine(
    directions: np.ndarray | None = None, spacing: tuple[float, float, float] = SPACING
) -> np.ndarray:
    """Columns of ``directions``: unit steps of slice, row and column in LPS."""
    unit = np.eye(3)[:, ::-1] if directions is None else directions
    affine = np.eye(4)
    affine[:3, :3] = unit * spacing
    affine[:3, 3] = ORIGIN
    return affine


def make_volume(affine: np.ndarray | None = None, shape: tuple[int, int, int] = SHAPE) -> Volume:
    values = np.random.default_rng(3).integers(-1000, 1500, shape).astype(np.int16)
    return Volume(
        values=values,
        hu_known=True,
        geometry=Geometry(affine=make_affine() if affine is None else affine, shape=shape),
        provenance=Provenance(reader="dicom", name="made", slice_names=("x",) * shape[0]),
    )


def make_series(folder: Path, volume: Volume | None = None, seed: str = "one") -> tuple[Path, ...]:
    made = make_volume() if volume is None else volume
    return write_dicom_series(folder, made, series=SeriesIdentity(seed=seed))


def change(path: Path, edit: Callable[[Dataset], object]) -> None:
    """Edit a DICOM file in place, however wrong the result."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        header = pydicom.dcmread(path)
        edit(header)
        header.save_as(path, enforce_file_format=True)


def set_tag(keyword: str, value: object) -> Callable[[Dataset], object]:
    return lambda header: setattr(header, keyword, value)


def drop_tag(keyword: str) -> Callable[[Dataset], object]:
    return lambda header: delattr(header, keyword)


def set_raw(keyword: str, value: bytes) -> Callable[[Dataset], object]:
    """A value that pydicom would refuse to build."""

    def edit(header: Dataset) -> None:
        tag = pydicom.tag.Tag(pydicom.datadict.tag_for_keyword(keyword))
        vr = pydicom.datadict.dictionary_VR(tag)
        padded = value + b" " * (len(value) % 2)
        raw = RawDataElement(tag, vr, len(padded), padded, 0, False, True)
        header._dict[tag] = raw  # Dataset would parse it, and refuse

    return edit


def set_codestream(payload: bytes, syntax: str) -> Callable[[Dataset], object]:
    def edit(header: Dataset) -> None:
        header.PixelData = encapsulate([payload])
        header["PixelData"].VR = "OB"
        header.file_meta.TransferSyntaxUID = syntax

    return edit


def save_nifti(
    path: Path,
    values: np.ndarray,
    ras: np.ndarray | None = None,
    edit: Callable[[nib.Nifti1Image], object] | None = None,
) -> Path:
    """(i, j, k) values with an sform, straight through nibabel."""
    image = nib.Nifti1Image(values, np.diag([-1.5, -1.25, 2.5, 1]) if ras is None else ras)
    if edit is not None:
        edit(image)
    image.to_filename(path)
    return path


def ct_numbers(shape: tuple[int, ...] = (8, 7, 5)) -> np.ndarray:
    return np.random.default_rng(5).integers(-1000, 1500, shape).astype(np.int16)
