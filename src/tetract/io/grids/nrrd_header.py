"""The header of an NRRD file (.nrrd, .nhdr), believed only after it has been checked.

Field names and meanings follow the format's definition (teem.sourceforge.net/nrrd/format.html):
``space origin`` is the centre of the first voxel, ``space directions`` the step along each axis.
"""

from __future__ import annotations

import math

import numpy as np
from jaxtyping import Float64

from tetract.errors import GeometryError, ReadError
from tetract.io.grids.affine_checks import settle_affine
from tetract.io.grids.byte_blocks import Packing
from tetract.io.grids.data_block import DataBlock
from tetract.io.grids.header_text import MAX_HEADER_BYTES, HeaderText, decoded
from tetract.io.grids.stored_grid import StoredGrid, three_sizes

_NAMES = {
    "i1": "signed char, int8, int8_t",
    "u1": "uchar, unsigned char, uint8, uint8_t",
    "i2": "short, short int, signed short, signed short int, int16, int16_t",
    "u2": "ushort, unsigned short, unsigned short int, uint16, uint16_t",
    "i4": "int, signed int, int32, int32_t",
    "u4": "uint, unsigned int, uint32, uint32_t",
    "i8": "longlong, long long, long long int, signed long long, signed long long int, int64,"
    " int64_t",
    "u8": "ulonglong, unsigned long long, unsigned long long int, uint64, uint64_t",
    "f4": "float",
    "f8": "double",
}
_TYPES = {name.strip(): code for code, names in _NAMES.items() for name in names.split(",")}
_PACKINGS = {"raw": Packing.RAW, "gzip": Packing.GZIP, "gz": Packing.GZIP}
# What turns a vector of each space into LPS.
_SPACES = {
    "left-posterior-superior": (1.0, 1.0, 1.0),
    "lps": (1.0, 1.0, 1.0),
    "right-anterior-superior": (-1.0, -1.0, 1.0),
    "ras": (-1.0, -1.0, 1.0),
    "left-anterior-superior": (1.0, -1.0, 1.0),
    "las": (1.0, -1.0, 1.0),
}
_ALIASES = {"datafile": "data file", "byteskip": "byte skip", "lineskip": "line skip"}
_PLAIN_KINDS = ("domain", "space", "none", "???")


def parse_nrrd_header(head: bytes, where: str) -> DataBlock:
    """Check the header at the beginning of ``head`` and read it.

    Raises:
        ReadError: ``E_BAD_HEADER``, ``E_COLOUR``, ``E_DIMS``, ``E_DTYPE``, ``E_TOO_LARGE`` or
            ``E_BAD_RESCALE``.
        GeometryError: ``E_SINGULAR_AFFINE``, ``E_SHEAR`` or ``E_SPACING_RANGE``.
    """
    header = _fields(head, where)
    sizes = header.integers("sizes")
    if header.integer(0, "dimension") != len(sizes):
        raise header.bad("sizes", f"{len(sizes)} sizes", "as many as its dimension")
    _check_plain(header)
    shape, squeezed = three_sizes(sizes, where)
    packing = _PACKINGS.get(header.text("encoding").lower())
    if packing is None:
        raise header.bad("encoding", "another one", "raw or gzip")
    lps, notes = _place(header, len(sizes))
    data_file = header.text("data file")
    if data_file.upper().startswith("LIST") or "%" in data_file:
        raise header.bad("data file", "a list of files", "one file")
    skip = header.integer(0, "byte skip")
    if skip < -1 or (skip != 0 and (packing is not Packing.RAW or not data_file)):
        raise header.bad("byte skip", str(skip), "0, or raw data in a file of their own")
    if header.integer(0, "line skip") != 0:
        raise header.bad("line skip", "lines to skip", "0")
    return DataBlock(
        grid=StoredGrid(shape=shape, dtype=_dtype(header), lps=lps, warnings=squeezed + notes),
        data_file=data_file,
        skip=skip if data_file else header.end,
        packing=packing,
    )


def _fields(head: bytes, where: str) -> HeaderText:
    """The fields up to the empty line that ends them; key/value pairs and comments are left."""
    lines = head.split(b"\n")
    values: dict[str, str] = {}
    at = 0
    for index, raw in enumerate(lines):
        at += len(raw) + 1
        line = decoded(raw, where)
        # A detached header may end with its file instead of an empty line.
        last = index == len(lines) - 1 and len(head) < MAX_HEADER_BYTES
        name, found, value = line.partition(":")
        key = name.strip().lower()
        key = _ALIASES.get(key, key)
        if index and line and not line.startswith("#") and not value.startswith("="):
            if not found or key in values:
                break
            values[key] = value.strip()
        if not line or last:
            return HeaderText(values=values, where=where, end=at)
    raise ReadError(
        "E_BAD_HEADER",
        "the header is no NRRD header",
        where=where,
        expected=f"at most {MAX_HEADER_BYTES} bytes of field: value, each once, and an empty line",
        found="another line, a field twice, or no end",
        fix="Save the volume again",
    )


def _check_plain(header: HeaderText) -> None:
    """Refuse what is no plain array of CT numbers."""
    kinds = header.text("kinds").lower().split()
    other = [kind for kind in kinds if kind not in _PLAIN_KINDS]
    if other:
        colour = "color" in other[0]
        raise ReadError(
            "E_COLOUR" if colour else "E_DIMS",
            "an axis of the array is colour" if colour else "an axis of the array is no space",
            where=header.where,
            expected="three axes of kind domain or space",
            found=other[0][:24],
            fix="Save one CT volume per file",
        )
    for key in ("old min", "oldmin", "old max", "oldmax"):
        if header.text(key):
            raise ReadError(
                "E_BAD_RESCALE",
                "the values were quantised from others",
                where=header.where,
                expected="no old min or old max",
                fix="Save the volume with its own values",
            )


def _dtype(header: HeaderText) -> np.dtype[np.generic]:
    code = _TYPES.get(" ".join(header.text("type").lower().split()))
    if code is None:
        raise ReadError(
            "E_DTYPE",
            "voxels are not plain numbers",
            where=header.where,
            expected="integers or 32- or 64-bit floats",
            found="another type, or none",
            fix="Save the volume with one number per voxel",
        )
    endian = header.text("endian").lower()
    if endian not in ("little", "big") and not (code.endswith("1") and not endian):
        raise header.bad("endian", "nothing" if not endian else "another word", "little or big")
    return np.dtype(code).newbyteorder(">" if endian == "big" else "<")


def _place(
    header: HeaderText, count: int
) -> tuple[Float64[np.ndarray, "4 4"] | None, tuple[str, ...]]:
    """The (k, j, i, 1) to LPS mm matrix, or None where the file does not give it."""
    where = header.where
    signs = _SPACES.get(header.text("space").lower())
    origin = _vectors(header, "space origin")
    steps = _vectors(header, "space directions")
    if signs is None or len(origin) != 1 or not steps:
        return None, (
            f"W_NO_ORIENTATION {where}: no space of the patient, origin or directions; spacing and"
            " orientation are unknown and voxels keep their stored order",
        )
    units = header.text("space units").replace('"', " ").lower().split()
    if any(unit not in ("mm", "millimeter", "millimetre") for unit in units):
        raise GeometryError(
            "E_SPACING_RANGE",
            "lengths are not in millimetres",
            where=where,
            expected="space units mm",
            found=units[0][:8],
            fix="Save the volume with lengths in mm",
        )
    three = [step for step in steps[:3] if step is not None]
    if len(steps) != count or len(three) != 3 or origin[0] is None:
        raise header.bad("space directions", "directions missing", "one vector per axis")
    lps = np.eye(4)
    lps[:3, :3] = (np.asarray(three) * signs).T[:, ::-1]
    lps[:3, 3] = np.asarray(origin[0]) * signs
    return settle_affine(lps, where)


def _vectors(header: HeaderText, key: str) -> list[tuple[float, ...] | None]:
    """Vectors such as ``(1,0,0) none``; none at all where the field is absent."""
    words = header.text(key).replace(" ", "").replace(")", ") ").replace("none", "none ").split()
    return [None if word == "none" else _vector(header, key, word) for word in words]


def _vector(header: HeaderText, key: str, word: str) -> tuple[float, ...]:
    try:
        numbers = tuple(float(part) for part in word.strip("()").split(","))
    except ValueError:
        raise header.bad(key, "something that is no vector") from None
    if len(numbers) != 3 or not all(math.isfinite(number) for number in numbers):
        raise header.bad(key, f"{len(numbers)} numbers", "vectors of 3 finite numbers")
    return numbers
