"""NIfTI volumes, read strictly."""

from __future__ import annotations

from pathlib import Path

from tetract.io.grids.nifti_bytes import read_nifti_header, read_nifti_stored
from tetract.io.grids.stored_grid import StoredVolume
from tetract.io.options import ReadOptions
from tetract.io.sniff import Kind


def load_nifti(path: Path, kind: Kind, options: ReadOptions) -> StoredVolume:
    """The stored numbers of one NIfTI file with their header.

    Raises:
        ReadError: ``E_TRUNCATED``, ``E_BAD_CHECKSUM`` and those of ``nifti_header.parse_header``.
        GeometryError: See ``nifti_header.parse_header``.
    """
    header = read_nifti_header(path, kind, options)
    return StoredVolume(numbers=read_nifti_stored(path, header, kind), grid=header.grid)
