"""MetaImage volumes (.mhd with .raw or .zraw, and .mha), read strictly."""

from __future__ import annotations

from pathlib import Path

from tetract.io.grids.data_block import DataBlock, load_block
from tetract.io.grids.header_text import MAX_HEADER_BYTES
from tetract.io.grids.meta_header import parse_meta_header
from tetract.io.grids.stored_grid import StoredGrid, StoredVolume
from tetract.io.guard import reading

_WHAT = "the MetaImage file is damaged"


def meta_image_grid(path: Path) -> StoredGrid:
    """The checked header, without touching the voxels.

    Raises:
        ReadError: See ``meta_header.parse_meta_header``.
        GeometryError: See ``meta_header.parse_meta_header``.
    """
    return _block(path).grid


def load_meta_image(path: Path) -> StoredVolume:
    """The stored numbers of one MetaImage with their header.

    Raises:
        ReadError: See ``data_block.load_block`` and ``meta_header.parse_meta_header``.
        GeometryError: See ``meta_header.parse_meta_header``.
    """
    with reading(path.name, code="E_BAD_HEADER", what=_WHAT):
        return load_block(path, _block(path))


def _block(path: Path) -> DataBlock:
    with reading(path.name, code="E_BAD_HEADER", what=_WHAT):
        with path.open("rb") as file:
            head = file.read(MAX_HEADER_BYTES)
        return parse_meta_header(head, path.name)
