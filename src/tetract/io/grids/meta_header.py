"""The header of a MetaImage (.mhd, .mha), believed only after it has been checked.

Keys follow the MetaIO documentation; the place of the voxels follows ITK: row ``n`` of
TransformMatrix is the direction of axis ``n`` in LPS, and Offset is the centre of the first voxel.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float64

from tetract.errors import GeometryError, ReadError
from tetract.io.grids.affine_checks import settle_affine
from tetract.io.grids.byte_blocks import Packing
from tetract.io.grids.data_block import DataBlock
from tetract.io.grids.header_text import MAX_HEADER_BYTES, HeaderText, decoded
from tetract.io.grids.stored_grid import StoredGrid, three_sizes

_LAST_KEY = "ElementDataFile"
_TYPES = {
    "MET_CHAR": "i1",
    "MET_UCHAR": "u1",
    "MET_SHORT": "i2",
    "MET_USHORT": "u2",
    "MET_INT": "i4",
    "MET_UINT": "u4",
    "MET_LONG": "i4",  # four bytes in MetaIO; a file with eight has another size and is refused
    "MET_ULONG": "u4",
    "MET_LONG_LONG": "i8",
    "MET_ULONG_LONG": "u8",
    "MET_FLOAT": "f4",
    "MET_DOUBLE": "f8",
}
_DIRECTION = ("TransformMatrix", "Rotation", "Orientation")
_ORIGIN = ("Offset", "Position", "Origin")
_SPACING = ("ElementSpacing", "ElementSize")
# Where an axis comes from, as MetaIO names it: x grows from right, y from anterior, z from below.
_LETTERS = ("RL", "AP", "IS")


def parse_meta_header(head: bytes, where: str) -> DataBlock:
    """Check the header at the beginning of ``head`` and read it.

    Raises:
        ReadError: ``E_BAD_HEADER``, ``E_COLOUR``, ``E_DIMS``, ``E_DTYPE``, ``E_TOO_LARGE``,
            ``E_MODALITY`` or ``E_BAD_RESCALE``.
        GeometryError: ``E_SINGULAR_AFFINE``, ``E_SHEAR`` or ``E_SPACING_RANGE``.
    """
    header = _keys(head, where)
    _check_plain(header)
    dims = header.integers("DimSize")
    count = header.integer(len(dims), "NDims")
    if count != len(dims):
        raise header.bad("DimSize", f"{len(dims)} sizes for NDims {count}")
    shape, squeezed = three_sizes(dims, where)
    lps, notes = _place(header, count)
    data_file = header.text(_LAST_KEY)
    skip = header.integer(0, "HeaderSize")
    local = data_file.upper() == "LOCAL"
    if local and skip != 0:
        raise header.bad("HeaderSize", str(skip), "0 where the voxels follow the header")
    packed = _flag(header, "CompressedData")
    if skip < -1 or (packed and skip != 0):
        raise header.bad("HeaderSize", str(skip))
    return DataBlock(
        grid=StoredGrid(shape=shape, dtype=_dtype(header), lps=lps, warnings=squeezed + notes),
        data_file="" if local else _one_file(header, data_file),
        skip=header.end if local else skip,
        packing=Packing.ZLIB if packed else Packing.RAW,
    )


def _keys(head: bytes, where: str) -> HeaderText:
    values: dict[str, str] = {}
    at = 0
    while at < len(head):
        end = head.find(b"\n", at)
        end = len(head) if end < 0 else end
        line = decoded(head[at:end], where)
        at = end + 1
        key, found, value = (part.strip() for part in line.partition("="))
        if line and not found:
            break
        if key in values:
            raise ReadError(
                "E_BAD_HEADER",
                "the header has one key twice",
                where=where,
                found=key[:32],
                fix="Correct the header",
            )
        if line:
            values[key] = value
        if key == _LAST_KEY:
            return HeaderText(values=values, where=where, end=at)
    raise ReadError(
        "E_BAD_HEADER",
        "the header is no MetaImage header",
        where=where,
        expected=f"at most {MAX_HEADER_BYTES} bytes of key = value, ElementDataFile last",
        found="another line, or no end",
        fix="Save the volume again",
    )


def _check_plain(header: HeaderText) -> None:
    """Refuse what is no plain array of CT numbers."""
    where = header.where
    channels = header.integer(1, "ElementNumberOfChannels")
    if channels != 1:
        raise ReadError(
            "E_COLOUR",
            "a voxel holds several values (colour, or a vector)",
            where=where,
            expected="1 channel",
            found=str(channels),
            fix="Give the CT volume in grey",
        )
    modality = header.text("Modality").upper()
    if modality not in ("", "MET_MOD_CT", "MET_MOD_OTHER", "MET_MOD_UNKNOWN"):
        raise ReadError(
            "E_MODALITY",
            "the volume is not CT",
            where=where,
            expected="MET_MOD_CT",
            found=modality[:16],
            fix="Give a CT volume",
        )
    slope = header.floats(1, "ElementToIntensityFunctionSlope")
    shift = header.floats(1, "ElementToIntensityFunctionOffset")
    if slope not in (None, (1.0,)) or shift not in (None, (0.0,)):
        raise ReadError(
            "E_BAD_RESCALE",
            "the header scales its values, which readers of MetaImage do not agree on",
            where=where,
            expected="slope 1 and offset 0",
            found=f"{(slope or (1.0,))[0]:g} and {(shift or (0.0,))[0]:g}",
            fix="Save the volume with the scaling applied",
        )
    if not _flag(header, "BinaryData", default=True):
        raise header.bad("BinaryData", "voxels as text", "binary voxels")


def _one_file(header: HeaderText, named: str) -> str:
    if not named or named.upper().startswith("LIST") or "%" in named:
        raise header.bad("ElementDataFile", "a list of files, or nothing", "LOCAL or one file")
    return named


def _flag(header: HeaderText, *names: str, default: bool = False) -> bool:
    text = header.text(*names).lower()
    if text not in ("", "true", "false", "1", "0"):
        raise header.bad(names[0], "another word", "True or False")
    return default if not text else text in ("true", "1")


def _dtype(header: HeaderText) -> np.dtype[np.generic]:
    kind = header.text("ElementType")
    if kind not in _TYPES:
        raise ReadError(
            "E_DTYPE",
            "voxels are not plain numbers",
            where=header.where,
            expected="integers or 32- or 64-bit floats",
            found=kind[:24] or "no ElementType",
            fix="Save the volume with one number per voxel",
        )
    big = _flag(header, "BinaryDataByteOrderMSB", "ElementByteOrderMSB")
    return np.dtype(_TYPES[kind]).newbyteorder(">" if big else "<")


def _place(
    header: HeaderText, count: int
) -> tuple[Float64[np.ndarray, "4 4"] | None, tuple[str, ...]]:
    """The (k, j, i, 1) to LPS mm matrix, or None where a part of it is missing."""
    where = header.where
    units = header.text("DistanceUnits").lower()
    if units not in ("", "?", "mm"):
        raise GeometryError(
            "E_SPACING_RANGE",
            "lengths are not in millimetres, which readers of MetaImage do not agree on",
            where=where,
            expected="mm",
            found=units[:8],
            fix="Save the volume with lengths in mm",
        )
    matrix = header.floats(count * count, *_DIRECTION)
    origin = header.floats(count, *_ORIGIN)
    spacing = header.floats(count, *_SPACING)
    parts = {"TransformMatrix": matrix, "Offset": origin, "ElementSpacing": spacing}
    if matrix is None or origin is None or spacing is None:
        missing = ", ".join(name for name, found in parts.items() if found is None)
        return None, (
            f"W_NO_ORIENTATION {where}: no {missing}; spacing and orientation are unknown and"
            " voxels keep their stored order",
        )
    axes = np.asarray(matrix).reshape(count, count)[:3, :3]
    _check_unit(axes, where)
    if min(spacing[:3]) <= 0:
        raise GeometryError(
            "E_SINGULAR_AFFINE",
            "a spacing is zero or negative",
            where=where,
            expected="positive ElementSpacing",
            found=" x ".join(f"{mm:g}" for mm in spacing[:3]) + " mm",
            fix="Convert the volume from its DICOM series again",
        )
    lps = np.eye(4)
    lps[:3, :3] = (axes.T * spacing[:3])[:, ::-1]
    lps[:3, 3] = origin[:3]
    lps, mended = settle_affine(lps, where)
    return lps, mended + _letter_notes(header, axes)


def _check_unit(axes: Float64[np.ndarray, "3 3"], where: str) -> None:
    lengths = np.linalg.norm(axes, axis=1)
    if float(np.abs(lengths - 1).max()) > 1e-3:
        raise GeometryError(
            "E_SINGULAR_AFFINE" if float(lengths.min()) < 1e-3 else "E_BAD_ORIENTATION",
            "a row of TransformMatrix is no unit vector",
            where=where,
            expected="length 1",
            found=", ".join(f"{length:.4f}" for length in lengths),
            fix="Convert the volume from its DICOM series again",
        )


def _letter_notes(header: HeaderText, axes: Float64[np.ndarray, "3 3"]) -> tuple[str, ...]:
    told = header.text("AnatomicalOrientation").upper()
    main = np.abs(axes).argmax(axis=1)
    seen = "".join(
        _LETTERS[patient][0 if axes[axis, patient] > 0 else 1] for axis, patient in enumerate(main)
    )
    if not told or "?" in told or told[:3] == seen:
        return ()
    return (
        f"W_ORIENTATION_LETTERS {header.where}: AnatomicalOrientation disagrees with"
        f" TransformMatrix, which means {seen}; the matrix counts",
    )
