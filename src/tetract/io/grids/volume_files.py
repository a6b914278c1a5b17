"""Which reader takes which kind of volume file."""

from __future__ import annotations

from pathlib import Path

from tetract.errors import GeometryError
from tetract.io.grids.headed import HEADED_KINDS, headed_grid, load_headed
from tetract.io.grids.nifti import load_nifti
from tetract.io.grids.nifti_bytes import read_nifti_header
from tetract.io.grids.stored_grid import StoredGrid, StoredVolume
from tetract.io.grids.stored_values import axial_depth, volume_from
from tetract.io.guard import reading
from tetract.io.options import ReadOptions
from tetract.io.sniff import Kind
from tetract.types import Volume

VOLUME_KINDS = (Kind.NIFTI, Kind.NIFTI_GZ, *HEADED_KINDS)
_DEFAULTS = ReadOptions()


def load_stored(path: Path, kind: Kind, options: ReadOptions = _DEFAULTS) -> StoredVolume:
    """The stored numbers of a volume file with their checked header.

    Raises:
        ReadError: See ``load_nifti`` and ``load_headed``.
        GeometryError: As ``volume_file_grid``.
    """
    if options.strict:
        volume_file_grid(path, kind, options)  # before a voxel is read
    return load_headed(path, kind) if kind in HEADED_KINDS else load_nifti(path, kind, options)


def read_volume_file(path: Path, kind: Kind, options: ReadOptions) -> Volume:
    """One volume file as (D, H, W) in axial order, int16 HU or uint8 grey levels.

    Raises:
        ReadError: As ``load_stored`` and ``volume_from``.
        GeometryError: As ``load_stored``.
    """
    stored = load_stored(path, kind, options)
    with reading(path.name, code="E_BAD_HEADER", what="the volume file is damaged"):
        return volume_from(stored, path, kind, options)


def volume_file_grid(path: Path, kind: Kind, options: ReadOptions = _DEFAULTS) -> StoredGrid:
    """The checked header of a volume file, without touching the voxels.

    Raises:
        ReadError: As ``load_stored``, for the header.
        GeometryError: See ``load_nifti`` and ``load_headed``; ``E_NO_ORIENTATION`` where strict
            reading was asked for and the file has no place in the patient.
    """
    headed = kind in HEADED_KINDS
    grid = headed_grid(path, kind) if headed else read_nifti_header(path, kind, options).grid
    if options.strict and grid.lps is None:
        raise GeometryError(
            "E_NO_ORIENTATION",
            "the file does not say where its voxels lie, and strict reading was asked for",
            where=path.name,
            expected="spacing, origin and directions (in NIfTI: an sform or qform code above 0)",
            found="none, or not all",
            fix="Convert the volume from its DICOM series again, or read it without --strict",
        )
    return grid


def volume_file_depth(path: Path, kind: Kind, options: ReadOptions) -> int:
    """Number of axial slices, from the header alone.

    Raises:
        ReadError: As ``volume_file_grid``.
        GeometryError: As ``volume_file_grid``.
    """
    return axial_depth(volume_file_grid(path, kind, options))
