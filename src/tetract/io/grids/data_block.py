"""The voxels that a text header (MetaImage, NRRD) points to."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tetract.io.grids.beside import data_file_beside
from tetract.io.grids.byte_blocks import Packing, read_block
from tetract.io.grids.stored_grid import StoredGrid, StoredVolume


@dataclass(frozen=True, slots=True, kw_only=True)
class DataBlock:
    """Where and how the voxels lie.

    Attributes:
        grid: Sizes, type and place of the voxels.
        data_file: Name of the data file; empty where the voxels follow the header.
        skip: Bytes before the first voxel in its file; -1 where they are the file's last bytes.
        packing: How the voxels are packed.
    """

    grid: StoredGrid
    data_file: str
    skip: int
    packing: Packing


def load_block(path: Path, block: DataBlock) -> StoredVolume:
    """The voxels of the header file ``path``, neither more nor fewer than it promises.

    Raises:
        ReadError: ``E_PATH_ESCAPE``, ``E_NOT_FOUND``, ``E_TRUNCATED``, ``E_BAD_CHECKSUM`` or
            ``E_BAD_HEADER``.
    """
    grid = block.grid
    source = data_file_beside(path, block.data_file) if block.data_file else path
    start = block.skip
    if start < 0:
        start = max(0, source.stat().st_size - grid.data_bytes)
    content = read_block(
        source,
        start=start,
        size=grid.data_bytes,
        packing=block.packing,
        where=path.name,
        exact=True,
    )
    numbers = np.frombuffer(content, dtype=grid.dtype).reshape(grid.shape, order="F")
    return StoredVolume(numbers=numbers, grid=grid)
