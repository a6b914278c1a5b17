"""Volumes with a text header, MetaImage (.mhd, .mha) and NRRD (.nrrd, .nhdr), read strictly."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tetract.io.grids.data_block import DataBlock, load_block
from tetract.io.grids.header_text import MAX_HEADER_BYTES
from tetract.io.grids.meta_header import parse_meta_header
from tetract.io.grids.nrrd_header import parse_nrrd_header
from tetract.io.grids.stored_grid import StoredGrid, StoredVolume
from tetract.io.guard import reading
from tetract.io.sniff import Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class _Format:
    parse: Callable[[bytes, str], DataBlock]
    damaged: str


_FORMATS = {
    Kind.METAIMAGE: _Format(parse=parse_meta_header, damaged="the MetaImage file is damaged"),
    Kind.NRRD: _Format(parse=parse_nrrd_header, damaged="the NRRD file is damaged"),
}
HEADED_KINDS = tuple(_FORMATS)


def headed_grid(path: Path, kind: Kind) -> StoredGrid:
    """The checked header of a file of one of ``HEADED_KINDS``, without touching the voxels.

    Raises:
        ReadError: See ``parse_meta_header`` and ``parse_nrrd_header``.
        GeometryError: See ``parse_meta_header`` and ``parse_nrrd_header``.
    """
    return _block(path, _FORMATS[kind]).grid


def load_headed(path: Path, kind: Kind) -> StoredVolume:
    """The stored numbers of one such file with their header.

    Raises:
        ReadError: As ``headed_grid``; see ``data_block.load_block``.
        GeometryError: As ``headed_grid``.
    """
    form = _FORMATS[kind]
    with reading(path.name, code="E_BAD_HEADER", what=form.damaged):
        return load_block(path, _block(path, form))


def _block(path: Path, form: _Format) -> DataBlock:
    with reading(path.name, code="E_BAD_HEADER", what=form.damaged):
        with path.open("rb") as file:
            head = file.read(MAX_HEADER_BYTES)
        return form.parse(head, path.name)
