"""A NIfTI file without the texts that converters write into its header."""

from __future__ import annotations

import gzip
from io import BytesIO
from pathlib import Path
from typing import Any

import nibabel as nib

from tetract.io.grids.nifti_bytes import read_nifti_header, read_nifti_stored
from tetract.io.guard import reading
from tetract.io.sniff import Kind

# Free texts of NIfTI-1 and NIfTI-2; converters put names, dates and comments there.
_TEXTS = ("descrip", "aux_file", "intent_name", "data_type", "db_name", "unused_str")
_HEADER_BYTES = 540  # of NIfTI-2; NIfTI-1 has 348
_NO_EXTENSIONS = b"\0\0\0\0"


def clean_nifti(path: Path, kind: Kind) -> bytes:
    """The file as ``.nii.gz`` without header texts and extensions; voxels and grid unchanged.

    Raises:
        ReadError: See ``read_nifti_header`` and ``read_nifti_stored``.
        GeometryError: See ``read_nifti_header``.
    """
    known = read_nifti_header(path, kind)
    stored = read_nifti_stored(path, known, kind)
    with reading(path.name, code="E_BAD_HEADER", what="the NIfTI header is damaged"):
        head = _head(path, kind)
        version = nib.Nifti2Header if head[4:7] == b"n+2" else nib.Nifti1Header
        header: Any = version.from_fileobj(BytesIO(head), check=False)
        for name in _TEXTS:
            if name in header:
                header[name] = b""
        header["vox_offset"] = len(header.binaryblock) + len(_NO_EXTENSIONS)
        content: bytes = header.binaryblock + _NO_EXTENSIONS + stored.tobytes(order="F")
        return gzip.compress(content, compresslevel=6, mtime=0)


def _head(path: Path, kind: Kind) -> bytes:
    if kind is Kind.NIFTI_GZ:
        with gzip.open(path) as packed:
            return packed.read(_HEADER_BYTES)
    with path.open("rb") as file:
        return file.read(_HEADER_BYTES)
