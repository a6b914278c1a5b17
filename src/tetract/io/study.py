"""The readers' front door: a path in, volumes out."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from tetract.errors import ReadError
from tetract.io.dicom.bare import image_kind_for, kind_for
from tetract.io.dicom.folder import SeriesInFolder, series_in_folder
from tetract.io.dicom.series import (
    count_dicom_file,
    count_dicom_series,
    read_dicom_file,
    read_dicom_series,
)
from tetract.io.grids.volume_files import VOLUME_KINDS, read_volume_file, volume_file_depth
from tetract.io.guard import reading
from tetract.io.listing import visible_files
from tetract.io.option_fit import check_options
from tetract.io.options import ReadOptions
from tetract.io.pictures.picture import read_picture
from tetract.io.sniff import Kind
from tetract.types import Volume

_PICTURES = (Kind.PNG, Kind.JPEG, Kind.TIFF)
_DEFAULTS = ReadOptions()


def read_volume(path: Path, *, options: ReadOptions = _DEFAULTS) -> Volume:
    """Read one image file, or the one DICOM series of a folder.

    Values are (D, H, W): int16 HU for DICOM, NIfTI, MetaImage and NRRD, uint8 or uint16 grey
    levels for PNG, JPEG and TIFF. What the file is follows from its content.

    Args:
        path: A PNG, JPEG, TIFF, DICOM, NIfTI, MetaImage or NRRD file, or a folder with one CT
            series in it (the folder itself, not its subfolders).
        options: Which series, and what may be assumed.

    Raises:
        ReadError: The file cannot be read as what it claims to be.
        GeometryError: Positions, spacing or orientation are missing or contradict each other.
        MachineError: A codec or memory is missing.
    """
    if path.is_dir():
        check_options(options, Kind.DICOM, path.name)
        return read_dicom_series(path, _files(path, options), options)
    kind = image_kind_for(path, options)
    check_options(options, kind, path.name)
    if kind in _PICTURES:
        return read_picture(path, kind)
    if kind in VOLUME_KINDS:
        return read_volume_file(path, kind, options)
    return read_dicom_file(path, options)


def read_study(path: Path, *, options: ReadOptions = _DEFAULTS) -> tuple[Volume, ...]:
    """As ``read_volume``; a folder of pictures gives one volume of depth 1 per picture.

    Pictures are sorted by name, numbers by their value. Other files in such a folder are ignored
    with a ``W_SKIPPED`` in the first volume's warnings.

    Raises:
        ReadError: As ``read_volume``.
        GeometryError: As ``read_volume``.
        MachineError: As ``read_volume``.
    """
    files = _files(path, options) if path.is_dir() else []
    if not _is_picture_folder(files):
        return (read_volume(path, options=options),)
    check_options(options, Kind.PNG, path.name)
    pictures = [(file, kind) for file, kind in files if kind in _PICTURES]
    volumes = [read_picture(file, kind) for file, kind in pictures]
    others = [file.name for file, kind in files if kind not in _PICTURES]
    if others:
        more = ", ..." if len(others) > 3 else ""
        line = f"W_SKIPPED {path.name}: {len(others)} x no picture: {', '.join(others[:3])}{more}"
        first = volumes[0]
        warnings = (*first.provenance.warnings, line)
        volumes[0] = replace(first, provenance=replace(first.provenance, warnings=warnings))
    return tuple(volumes)


def list_series(path: Path, *, options: ReadOptions = _DEFAULTS) -> tuple[SeriesInFolder, ...]:
    """The DICOM series of a folder, headers only; each is read with ``options.series`` its key.

    Raises:
        ReadError: ``E_OPTION_UNFIT`` for anything but a folder with DICOM files; ``E_NO_SERIES``
            and its kin for a folder without a CT series; whatever makes a header unreadable.
    """
    files = _files(path, options) if path.is_dir() else []
    if not path.is_dir() or _is_picture_folder(files):
        raise ReadError(
            "E_OPTION_UNFIT",
            "--all is about the DICOM series of a folder",
            where=path.name,
            found="a folder of pictures" if path.is_dir() else "no folder",
            fix="Leave the switch out",
        )
    with reading(path.name, code="E_BAD_DICOM", what="a DICOM file is damaged"):
        return series_in_folder(path, files, options)


def count_slices(path: Path, *, options: ReadOptions = _DEFAULTS) -> int:
    """How many slices ``read_study`` would give, without decoding a pixel.

    Raises:
        ReadError: As ``read_study``, for what headers tell.
        GeometryError: As ``read_study``.
    """
    if path.is_dir():
        files = _files(path, options)
        if _is_picture_folder(files):
            return sum(kind in _PICTURES for _, kind in files)
        return count_dicom_series(path, files, options)
    kind = image_kind_for(path, options)
    if kind in VOLUME_KINDS:
        return volume_file_depth(path, kind, options)
    return count_dicom_file(path, options) if kind is Kind.DICOM else 1


def natural_order(path: Path) -> tuple[tuple[int, int, str], ...]:
    """Sort key under which ``slice2`` comes before ``slice10``."""
    return tuple(
        (0, int(part), "") if part.isdecimal() else (1, 0, part)
        for part in re.split(r"(\d+)", path.name.lower())
    )


def _files(folder: Path, options: ReadOptions) -> list[tuple[Path, Kind]]:
    """The files of a folder with their kinds, hidden ones left out, in natural order."""
    found = sorted(visible_files(folder), key=natural_order)
    return [(path, kind_for(path, options)) for path in found]


def _is_picture_folder(files: list[tuple[Path, Kind]]) -> bool:
    kinds = {kind for _, kind in files}
    return Kind.DICOM not in kinds and bool(kinds & set(_PICTURES))
