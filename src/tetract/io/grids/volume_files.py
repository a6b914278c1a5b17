"""Which reader takes which kind of volume file."""

from __future__ import annotations

from pathlib import Path

from tetract.io.grids.meta_image import load_meta_image, meta_image_grid
from tetract.io.grids.nifti import load_nifti
from tetract.io.grids.nifti_bytes import read_nifti_header
from tetract.io.grids.nrrd import load_nrrd, nrrd_grid
from tetract.io.grids.stored_grid import StoredGrid, StoredVolume
from tetract.io.grids.stored_values import axial_depth, volume_from
from tetract.io.guard import reading
from tetract.io.options import ReadOptions
from tetract.io.sniff import Kind
from tetract.types import Volume

VOLUME_KINDS = (Kind.NIFTI, Kind.NIFTI_GZ, Kind.METAIMAGE, Kind.NRRD)
_DEFAULTS = ReadOptions()


def load_stored(path: Path, kind: Kind, options: ReadOptions = _DEFAULTS) -> StoredVolume:
    """The stored numbers of a volume file with their checked header.

    Raises:
        ReadError: See ``load_nifti``, ``load_meta_image`` and ``load_nrrd``.
        GeometryError: See ``load_nifti``, ``load_meta_image`` and ``load_nrrd``.
    """
    if kind is Kind.METAIMAGE:
        return load_meta_image(path)
    return load_nrrd(path) if kind is Kind.NRRD else load_nifti(path, kind, options)


def read_volume_file(path: Path, kind: Kind, options: ReadOptions) -> Volume:
    """One volume file as (D, H, W) in axial order, int16 HU or uint8 grey levels.

    Raises:
        ReadError: As ``load_stored`` and ``volume_from``.
        GeometryError: As ``load_stored``.
    """
    stored = load_stored(path, kind, options)
    with reading(path.name, code="E_BAD_HEADER", what="the volume file is damaged"):
        return volume_from(stored, path, kind, options)


def volume_file_depth(path: Path, kind: Kind, options: ReadOptions) -> int:
    """Number of axial slices, from the header alone.

    Raises:
        ReadError: As ``load_stored``, for the header.
        GeometryError: As ``load_stored``.
    """
    return axial_depth(_grid(path, kind, options))


def _grid(path: Path, kind: Kind, options: ReadOptions) -> StoredGrid:
    if kind is Kind.METAIMAGE:
        return meta_image_grid(path)
    if kind is Kind.NRRD:
        return nrrd_grid(path)
    return read_nifti_header(path, kind, options).grid
