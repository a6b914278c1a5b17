"""NIfTI volumes in Hounsfield units, read strictly."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from jaxtyping import Int16, Shaped

from tetract.errors import ReadError
from tetract.io.guard import reading
from tetract.io.hu_checks import HuTally, settle_slice
from tetract.io.nifti_bytes import read_nifti_header, read_nifti_stored
from tetract.io.nifti_header import NiftiHeader
from tetract.io.options import ReadOptions
from tetract.io.orientation import canonical, lps_from_ras
from tetract.io.sniff import Kind, extension_warnings
from tetract.types import Geometry, Provenance, Volume

# Where a volume has nothing below this, it shows neither lung nor the air around a body.
_NO_AIR_HU = -200


def read_nifti(path: Path, kind: Kind, options: ReadOptions) -> Volume:
    """One NIfTI file as (D, H, W) int16 HU in axial order (see ``orientation.canonical``).

    Raises:
        ReadError: ``E_NONFINITE``, ``E_NOT_HU``, ``E_HU_RANGE``, ``E_TRUNCATED``,
            ``E_BAD_CHECKSUM``, ``E_DIMS``, ``E_DTYPE``, ``E_TOO_LARGE``, ``E_BAD_HEADER``,
            ``E_BAD_RESCALE``.
        GeometryError: See ``nifti_header.parse_header``.
    """
    header = read_nifti_header(path, kind)
    stored = read_nifti_stored(path, header, kind)
    with reading(path.name, code="E_BAD_HEADER", what="the NIfTI file is damaged"):
        tally = HuTally()
        values, lowest = _hounsfield(stored, header, tally, path.name)
        tally.check_range(path.name)
        notes = extension_warnings(path, kind) + header.warnings + tally.warnings(path.name)
        notes += _check_air(values, lowest, options, path.name)
        values, geometry = oriented(values, header)
        return Volume(
            values=values,
            hu_known=True,
            geometry=geometry,
            provenance=Provenance(
                reader="nifti",
                name=path.name,
                slice_names=tuple(f"{k:04d}" for k in range(values.shape[0])),
                warnings=notes,
                derived=options.assume_hu and lowest >= 0,
            ),
        )


def nifti_depth(path: Path, kind: Kind) -> int:
    """Number of axial slices, from the header alone.

    Raises:
        ReadError: As ``read_nifti``, for the header.
        GeometryError: As ``read_nifti``.
    """
    header = read_nifti_header(path, kind)
    nothing = np.broadcast_to(np.zeros(1, dtype=np.int8), header.shape[::-1])
    return int(oriented(nothing, header)[0].shape[0])


def oriented(
    values: Shaped[np.ndarray, "D H W"], header: NiftiHeader
) -> tuple[Shaped[np.ndarray, "D2 H2 W2"], Geometry | None]:
    """``(k, j, i)`` values in axial order with their grid; unchanged where it is unknown."""
    if header.ras is None:
        return values, None
    depth, height, width = values.shape
    grid = Geometry(affine=lps_from_ras(header.ras), shape=(depth, height, width))
    turned, geometry = canonical(values, grid)
    if values.strides == (0, 0, 0):  # only the shape is asked for
        return turned, geometry
    return np.ascontiguousarray(turned), geometry


def scaled_slice(
    stored: Shaped[np.ndarray, "I J K"], k: int, header: NiftiHeader, where: str
) -> Shaped[np.ndarray, "J I"]:
    """Slice ``k`` as (row, column) float64 after scaling.

    Raises:
        ReadError: ``E_NONFINITE`` with the number of such voxels.
    """
    numbers = stored[:, :, k].T.astype(np.float64)
    if header.slope != 1.0 or header.inter != 0.0:
        numbers = numbers * header.slope + header.inter
    bad = int(numbers.size - np.isfinite(numbers).sum())
    if bad:
        raise ReadError(
            "E_NONFINITE",
            "voxels are NaN or infinite",
            where=where,
            expected="finite numbers",
            found=f"{bad} voxels in stored slice {k}, the first such slice",
            fix="Replace them (for instance with -1024 HU) and save the volume again",
        )
    return numbers


def _hounsfield(
    stored: Shaped[np.ndarray, "I J K"], header: NiftiHeader, tally: HuTally, where: str
) -> tuple[Int16[np.ndarray, "D H W"], float]:
    width, height, depth = header.shape
    values = np.empty((depth, height, width), dtype=np.int16)
    lowest = np.inf
    for k in range(depth):
        numbers = scaled_slice(stored, k, header, where)
        lowest = min(lowest, float(numbers.min()))
        values[k] = settle_slice(numbers, None, tally, where)
    return values, lowest


def _check_air(
    values: Int16[np.ndarray, "D H W"], lowest: float, options: ReadOptions, where: str
) -> tuple[str, ...]:
    if lowest >= 0 and not options.assume_hu:
        raise ReadError(
            "E_NOT_HU",
            "nothing lies below 0, so these are not Hounsfield units of a chest"
            " (a windowed picture, HU + 1024, or a mask)",
            where=where,
            expected="air near -1000 HU",
            found=f"minimum {lowest:g}",
            fix="Convert from DICOM with rescale, or allow it with assume_hu",
        )
    notes: list[str] = []
    if lowest >= 0:
        notes.append(f"W_ASSUMED_HU {where}: stored values were taken for HU on request")
    if int(values.min()) == int(values.max()):
        notes.append(f"W_CONSTANT {where}: every voxel is {int(values.min())} HU")
    elif int(values.min()) > _NO_AIR_HU:
        notes.append(f"W_NO_AIR {where}: no voxel lies below {_NO_AIR_HU} HU; is this a chest CT?")
    return tuple(notes)
