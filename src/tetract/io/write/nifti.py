"""NIfTI-1 files in the patient's space."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
from jaxtyping import Shaped, UInt8

from tetract.errors import InputError
from tetract.io.atomic import atomic_write_bytes
from tetract.io.orientation import lps_from_ras
from tetract.types import Geometry

_SCANNER = 1  # NIFTI_XFORM_SCANNER_ANAT
_AGREE_MM = 1e-3


def write_nifti_labels(
    path: Path, labels: UInt8[np.ndarray, "D H W"], geometry: Geometry | None
) -> None:
    """Write a label map as uint8; ``.nii.gz`` is compressed.

    Args:
        path: Ends in ``.nii`` or ``.nii.gz``.
        labels: (D, H, W) uint8.
        geometry: Its voxel grid, or None for pictures: the file then claims no place in space.

    Raises:
        InputError: ``E_SHAPE_MISMATCH``.
        MachineError: ``E_DISK_FULL`` or ``E_CANNOT_WRITE``.
    """
    _write(path, labels.astype(np.uint8, copy=False), geometry)


def write_nifti_volume(
    path: Path, values: Shaped[np.ndarray, "D H W"], geometry: Geometry | None
) -> None:
    """Write (D, H, W) values (HU or grey levels) in their own data type, unscaled.

    Raises:
        InputError: ``E_SHAPE_MISMATCH``.
        MachineError: ``E_DISK_FULL`` or ``E_CANNOT_WRITE``.
    """
    _write(path, values, geometry)


def _write(path: Path, values: Shaped[np.ndarray, "D H W"], geometry: Geometry | None) -> None:
    if geometry is not None and geometry.shape != values.shape:
        raise InputError(
            "E_SHAPE_MISMATCH",
            "the values do not fit their voxel grid",
            where=path.name,
            expected=" x ".join(str(n) for n in geometry.shape),
            found=" x ".join(str(n) for n in values.shape),
        )
    ras = None if geometry is None else lps_from_ras(geometry.affine)
    image: Any = nib.Nifti1Image(values.transpose(2, 1, 0), ras)
    image.header.set_xyzt_units("mm")
    if ras is None:
        image.header["sform_code"] = image.header["qform_code"] = 0
    else:
        image.set_sform(ras, code=_SCANNER)
        image.set_qform(ras, code=_SCANNER)
        # A qform cannot hold the last rounding of a shear; two answers would be worse than one.
        if np.abs(image.get_qform() - ras).max() > _AGREE_MM / max(values.shape):
            image.header["qform_code"] = 0
    content: bytes = image.to_bytes()
    if path.suffix == ".gz":
        content = gzip.compress(content, compresslevel=6, mtime=0)
    atomic_write_bytes(path, content)
