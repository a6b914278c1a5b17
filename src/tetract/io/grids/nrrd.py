"""NRRD volumes (.nrrd, or .nhdr with its data file), read strictly."""

from __future__ import annotations

from pathlib import Path

from tetract.io.grids.data_block import DataBlock, load_block
from tetract.io.grids.header_text import MAX_HEADER_BYTES
from tetract.io.grids.nrrd_header import parse_nrrd_header
from tetract.io.grids.stored_grid import StoredGrid, StoredVolume
from tetract.io.guard import reading

_WHAT = "the NRRD file is damaged"


def nrrd_grid(path: Path) -> StoredGrid:
    """The checked header, without touching the voxels.

    Raises:
        ReadError: See ``nrrd_header.parse_nrrd_header``.
        GeometryError: See ``nrrd_header.parse_nrrd_header``.
    """
    return _block(path).grid


def load_nrrd(path: Path) -> StoredVolume:
    """The stored numbers of one NRRD file with their header.

    Raises:
        ReadError: See ``data_block.load_block`` and ``nrrd_header.parse_nrrd_header``.
        GeometryError: See ``nrrd_header.parse_nrrd_header``.
    """
    with reading(path.name, code="E_BAD_HEADER", what=_WHAT):
        return load_block(path, _block(path))


def _block(path: Path) -> DataBlock:
    with reading(path.name, code="E_BAD_HEADER", what=_WHAT):
        with path.open("rb") as file:
            head = file.read(MAX_HEADER_BYTES)
        return parse_nrrd_header(head, path.name)
