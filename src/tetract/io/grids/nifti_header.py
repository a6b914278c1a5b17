"""The header of a NIfTI file, believed only after it has been checked."""

from __future__ import annotations

from dataclasses import dataclass
from io import BytesIO
from typing import Any, Literal

import nibabel as nib
import numpy as np

from tetract.errors import ReadError
from tetract.io.grids.nifti_place import place_in_ras
from tetract.io.grids.stored_grid import StoredGrid, three_sizes
from tetract.io.orientation import lps_from_ras

# nifti1.h, DT_* codes; complex, RGB and 128-bit floats are left out on purpose.
_DTYPES = {
    2: "u1",
    4: "i2",
    8: "i4",
    16: "f4",
    64: "f8",
    256: "i1",
    512: "u2",
    768: "u4",
    1024: "i8",
    1280: "u8",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class NiftiHeader:
    """What the reader needs of a header.

    Attributes:
        grid: Sizes, type, scaling and place of the voxels.
        offset: Bytes before the first voxel.
    """

    grid: StoredGrid
    offset: int


def parse_header(
    head: bytes, where: str, *, prefer: Literal["sform", "qform"] | None = None
) -> NiftiHeader:
    """Check a header of NIfTI-1 or NIfTI-2 (single file) and read it.

    Args:
        head: The file's first bytes, unpacked.
        where: Base name for errors.
        prefer: Which placement counts where two disagree; None refuses such a file.

    Raises:
        ReadError: ``E_TRUNCATED``, ``E_BAD_HEADER``, ``E_DIMS``, ``E_DTYPE``, ``E_TOO_LARGE``,
            ``E_BAD_RESCALE``, ``E_OPTION_UNFIT`` where the preferred placement is not set.
        GeometryError: ``E_SINGULAR_AFFINE``, ``E_SHEAR``, ``E_SFORM_QFORM``,
            ``E_SPACING_RANGE``, ``E_BAD_ORIENTATION``.
    """
    second = head[4:7] in (b"n+2", b"ni2")
    size = 540 if second else 348
    if len(head) < size:
        raise ReadError(
            "E_TRUNCATED",
            "the header is cut short",
            where=where,
            expected=f"{size} bytes",
            found=f"{len(head)} bytes",
            fix="Copy the file again",
        )
    if head[4:7] == b"ni2" or (not second and head[344:347] == b"ni1"):
        raise ReadError(
            "E_BAD_HEADER",
            "a header without its image: the voxels lie in another file",
            where=where,
            expected="one .nii or .nii.gz file",
            fix="Convert the pair to a single file",
        )
    kind = nib.Nifti2Header if second else nib.Nifti1Header
    header: Any = kind.from_fileobj(BytesIO(head[:size]), check=False)
    shape, notes = _shape(header, where)
    dtype = _dtype(header, where)
    slope, inter = _scaling(header, where)
    placement = place_in_ras(header, shape, where, prefer)
    grid = StoredGrid(
        shape=shape,
        dtype=dtype,
        slope=slope,
        inter=inter,
        lps=None if placement.ras is None else lps_from_ras(placement.ras),
        warnings=notes + placement.warnings,
        derived=placement.chosen,
    )
    return NiftiHeader(grid=grid, offset=_offset(header, size, where))


def _shape(header: Any, where: str) -> tuple[tuple[int, int, int], tuple[str, ...]]:
    count = int(header["dim"][0])
    dims = [int(n) for n in header["dim"][1 : 1 + max(0, min(count, 7))]]
    # A count beyond 7 is no count at all; three_sizes refuses the empty list.
    return three_sizes(dims if count <= 7 else [], where)


def _dtype(header: Any, where: str) -> np.dtype[Any]:
    name = _DTYPES.get(int(header["datatype"]))
    if name is None:
        raise ReadError(
            "E_DTYPE",
            "voxels are not plain numbers",
            where=where,
            expected="integers or 32- or 64-bit floats",
            found=f"NIfTI datatype {int(header['datatype'])}",
            fix="Save the volume with one number per voxel",
        )
    return np.dtype(name).newbyteorder(header.endianness)


def _scaling(header: Any, where: str) -> tuple[float, float]:
    slope, inter = float(header["scl_slope"]), float(header["scl_inter"])
    if np.isnan(slope) or slope == 0.0:  # the standard's way of saying "not scaled"
        return 1.0, 0.0
    if not np.isfinite([slope, inter]).all():
        raise ReadError(
            "E_BAD_RESCALE",
            "the scaling of the values is not finite",
            where=where,
            found=f"scl_slope {slope:g}, scl_inter {inter:g}",
            fix="Correct the header",
        )
    return slope, inter


def _offset(header: Any, size: int, where: str) -> int:
    offset = float(header["vox_offset"])
    if offset == 0.0:  # left at its default by some writers; the data then follow the header
        return size + 4
    if not size <= offset < 2**24:
        raise ReadError(
            "E_BAD_HEADER",
            "the voxel data cannot begin there",
            where=where,
            expected=f"vox_offset between {size} and {2**24}",
            found=f"{offset:g}",
            fix="Correct the header",
        )
    return int(offset)
