"""MetaImage volumes (.mhd with .raw or .zraw, and .mha), read strictly."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tetract.io.beside import data_file_beside
from tetract.io.byte_blocks import Packing, read_block
from tetract.io.guard import reading
from tetract.io.header_text import MAX_HEADER_BYTES
from tetract.io.meta_header import MetaHeader, parse_meta_header
from tetract.io.stored_grid import StoredGrid, StoredVolume

_WHAT = "the MetaImage file is damaged"


def meta_image_grid(path: Path) -> StoredGrid:
    """The checked header, without touching the voxels.

    Raises:
        ReadError: See ``meta_header.parse_meta_header``.
        GeometryError: See ``meta_header.parse_meta_header``.
    """
    return _header(path).grid


def load_meta_image(path: Path) -> StoredVolume:
    """The stored numbers of one MetaImage with their header.

    Raises:
        ReadError: ``E_PATH_ESCAPE``, ``E_NOT_FOUND``, ``E_TRUNCATED``, ``E_BAD_CHECKSUM`` and
            those of ``meta_header.parse_meta_header``.
        GeometryError: See ``meta_header.parse_meta_header``.
    """
    header = _header(path)
    grid = header.grid
    with reading(path.name, code="E_BAD_HEADER", what=_WHAT):
        source = data_file_beside(path, header.data_file) if header.data_file else path
        start = header.skip
        if start < 0:
            start = max(0, source.stat().st_size - grid.data_bytes)
        content = read_block(
            source,
            start=start,
            size=grid.data_bytes,
            packing=Packing.ZLIB if header.packed else Packing.RAW,
            where=path.name,
            exact=True,
        )
        numbers = np.frombuffer(content, dtype=grid.dtype).reshape(grid.shape, order="F")
        return StoredVolume(numbers=numbers, grid=grid)


def _header(path: Path) -> MetaHeader:
    with reading(path.name, code="E_BAD_HEADER", what=_WHAT):
        with path.open("rb") as file:
            head = file.read(MAX_HEADER_BYTES)
        return parse_meta_header(head, path.name)
