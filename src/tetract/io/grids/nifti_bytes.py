"""The bytes of a NIfTI file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from jaxtyping import Shaped

from tetract.io.grids.byte_blocks import Packing, pieces, read_block
from tetract.io.grids.nifti_header import NiftiHeader, parse_header
from tetract.io.guard import reading
from tetract.io.options import ReadOptions
from tetract.io.sniff import Kind

_HEAD = 1024
_DEFAULTS = ReadOptions()


def read_nifti_header(path: Path, kind: Kind, options: ReadOptions = _DEFAULTS) -> NiftiHeader:
    """The checked header, without touching the voxels.

    Raises:
        ReadError: ``E_BAD_HEADER`` and the codes of ``parse_header``.
        GeometryError: See ``parse_header``.
    """
    with reading(path.name, code="E_BAD_HEADER", what="the NIfTI header is damaged"):
        head = b""
        for piece in pieces(path, _packing(kind), path.name):
            head += piece
            if len(head) >= _HEAD:
                break
        return parse_header(head[:_HEAD], path.name, prefer=options.prefer)


def read_nifti_stored(path: Path, header: NiftiHeader, kind: Kind) -> Shaped[np.ndarray, "I J K"]:
    """The stored numbers, (i, j, k), before scaling.

    Raises:
        ReadError: ``E_TRUNCATED`` or ``E_BAD_CHECKSUM``.
    """
    with reading(path.name, code="E_TRUNCATED", what="the voxel data are damaged or cut short"):
        content = read_block(
            path,
            start=0,
            size=header.offset + header.grid.data_bytes,
            packing=_packing(kind),
            where=path.name,
            exact=False,  # the header says where the voxels begin; more may follow them
        )
        flat = np.frombuffer(content, dtype=header.grid.dtype, offset=header.offset)
        return flat.reshape(header.grid.shape, order="F")


def _packing(kind: Kind) -> Packing:
    return Packing.GZIP if kind is Kind.NIFTI_GZ else Packing.RAW
