"""The header of a NIfTI file, believed only after it has been checked."""

from __future__ import annotations

from dataclasses import dataclass
from io import BytesIO
from typing import Any

import nibabel as nib
import numpy as np
from jaxtyping import Float64
from nibabel.spatialimages import HeaderDataError

from tetract.errors import GeometryError, ReadError
from tetract.io.affine_checks import check_affine
from tetract.io.orientation import lps_from_ras
from tetract.io.stored_grid import StoredGrid, three_sizes

_UNITS = {0: 1.0, 1: 1000.0, 2: 1.0, 3: 0.001}
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


def parse_header(head: bytes, where: str) -> NiftiHeader:
    """Check a header of NIfTI-1 or NIfTI-2 (single file) and read it.

    Raises:
        ReadError: ``E_TRUNCATED``, ``E_BAD_HEADER``, ``E_DIMS``, ``E_DTYPE``, ``E_TOO_LARGE``,
            ``E_BAD_RESCALE``.
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
    ras, more = _affine(header, shape, where)
    grid = StoredGrid(
        shape=shape,
        dtype=dtype,
        slope=slope,
        inter=inter,
        lps=None if ras is None else lps_from_ras(ras),
        warnings=notes + more,
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


def _affine(
    header: Any, shape: tuple[int, int, int], where: str
) -> tuple[Float64[np.ndarray, "4 4"] | None, tuple[str, ...]]:
    scale, notes = _unit_scale(header, where)
    affines: list[Float64[np.ndarray, "4 4"]] = []
    if int(header["sform_code"]) > 0:
        affines.append(_in_mm(np.asarray(header.get_sform(), dtype=np.float64), scale))
    if int(header["qform_code"]) > 0:
        affines.append(_in_mm(_qform(header, where), scale))
    if not affines:
        return None, (
            *notes,
            f"W_NO_ORIENTATION {where}: neither sform nor qform is set; spacing and orientation"
            " are unknown and voxels keep their stored order",
        )
    for affine in affines:
        check_affine(affine, where)
    if len(affines) == 2:
        _check_agreement(affines[0], affines[1], shape, where)
    return affines[0], notes


def _unit_scale(header: Any, where: str) -> tuple[float, tuple[str, ...]]:
    code = int(header["xyzt_units"]) & 7
    if code not in _UNITS:
        raise GeometryError(
            "E_SPACING_RANGE",
            "the unit of length is unknown",
            where=where,
            expected="metre, millimetre or micrometre",
            found=f"xyzt_units code {code}",
            fix="Correct the header",
        )
    scale = _UNITS[code]
    if scale == 1.0:
        return scale, ()
    return scale, (f"W_UNITS_CONVERTED {where}: lengths were converted to millimetres",)


def _in_mm(affine: Float64[np.ndarray, "4 4"], scale: float) -> Float64[np.ndarray, "4 4"]:
    scaled = affine.copy()
    scaled[:3] *= scale
    return scaled


def _qform(header: Any, where: str) -> Float64[np.ndarray, "4 4"]:
    try:
        return np.asarray(header.get_qform(), dtype=np.float64)
    except (HeaderDataError, ValueError):
        raise GeometryError(
            "E_BAD_ORIENTATION",
            "the qform is not a rotation",
            where=where,
            fix="Correct the header, or remove its qform and set an sform",
        ) from None


def _check_agreement(
    sform: Float64[np.ndarray, "4 4"],
    qform: Float64[np.ndarray, "4 4"],
    shape: tuple[int, int, int],
    where: str,
) -> None:
    corners = np.indices((2, 2, 2)).reshape(3, -1).T * (np.asarray(shape) - 1)
    apart = corners @ (sform - qform)[:3, :3].T + (sform - qform)[:3, 3]
    worst = float(np.linalg.norm(apart, axis=1).max())
    allowed = max(0.01, 0.01 * float(np.linalg.norm(sform[:3, :3], axis=0).min()))
    if worst > allowed:
        raise GeometryError(
            "E_SFORM_QFORM",
            "sform and qform place the volume differently",
            where=where,
            expected=f"the same corners within {allowed:.3g} mm",
            found=f"{worst:.3f} mm apart",
            fix="Keep the right one and set the other's code to 0",
        )
