"""Which files of a folder make the one CT series in it: headers only."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from dataclasses import dataclass
from pathlib import Path

from pydicom.dataset import Dataset

from tetract.errors import ReadError
from tetract.io.dicom.header import read_dicom, text
from tetract.io.dicom.kind import DicomKind, kind_of_dicom, not_a_slice
from tetract.io.options import ReadOptions
from tetract.io.sniff import Kind

_SHORT = 8
_NAMED = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidates:
    """The chosen series of a folder, its headers not yet checked.

    Attributes:
        where: How errors name it: short hash, number of files and folder.
        headers: Files with their headers, in natural order of names.
        warnings: What was left out, one line per reason.
    """

    where: str
    headers: tuple[tuple[Path, Dataset], ...]
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesInFolder:
    """One of the CT series of a folder.

    Attributes:
        key: Short hash of its UID, which ``--series`` takes.
        files: Number of its files.
    """

    key: str
    files: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sorted:
    """The files of a folder by series, and what they leave."""

    series: dict[str, list[tuple[Path, Dataset]]]
    left_out: dict[str, list[str]]
    unnamed: int


def choose_series(folder: Path, files: list[tuple[Path, Kind]], options: ReadOptions) -> Candidates:
    """Sort a folder's files into CT series and pick the only one, or the one asked for.

    Args:
        folder: For messages.
        files: Every file in it with its kind.
        options: ``series`` picks one of several.

    Raises:
        ReadError: ``E_EMPTY_FOLDER``, ``E_NO_SERIES``, ``E_SEVERAL_SERIES``,
            ``E_SERIES_UNKNOWN``, or the reason why the only objects found are no slices.
    """
    found = _sort(folder, files, options)
    chosen = _pick(folder, found.series, options)
    count = len(found.series[chosen])
    return Candidates(
        where=f"series {chosen} ({count} files in {folder.name})",
        headers=tuple(found.series[chosen]),
        warnings=_left_out(folder, found.left_out) + _unnamed(folder, found.unnamed),
    )


def series_in_folder(
    folder: Path, files: list[tuple[Path, Kind]], options: ReadOptions
) -> tuple[SeriesInFolder, ...]:
    """Every CT series of a folder, sorted by key; whether it can be read is not yet known.

    Raises:
        ReadError: As ``choose_series``, where there is none.
    """
    series = _sort(folder, files, options).series
    return tuple(SeriesInFolder(key=key, files=len(series[key])) for key in sorted(series))


def _sort(folder: Path, files: list[tuple[Path, Kind]], options: ReadOptions) -> _Sorted:
    left_out: dict[str, list[str]] = defaultdict(list)
    series: dict[str, list[tuple[Path, Dataset]]] = defaultdict(list)
    refused: list[ReadError] = []
    unnamed = 0
    for path, kind in files:
        if kind is not Kind.DICOM:
            left_out[_what_else(kind)].append(path.name)
            continue
        header = read_dicom(path, pixels=False, force=options.force)
        what = kind_of_dicom(header, path.name)
        if what not in (DicomKind.CT, DicomKind.ENHANCED):
            left_out[what.value].append(path.name)
            refused.append(not_a_slice(header, what, path.name))
            continue
        unnamed += not text(header, "SeriesInstanceUID")
        series[_key(header)].append((path, header))
    if not series:
        raise _nothing(folder, files, refused)
    return _Sorted(series=series, left_out=left_out, unnamed=unnamed)


def _key(header: Dataset) -> str:
    """Short hash that names a series without its UID."""
    uid = text(header, "SeriesInstanceUID")
    if not uid:
        orientation = str(header.get("ImageOrientationPatient"))
        uid = f"{text(header, 'FrameOfReferenceUID')}|{orientation}"
    return hashlib.sha256(uid.encode()).hexdigest()[:_SHORT]


def _pick(folder: Path, series: dict[str, list[tuple[Path, Dataset]]], options: ReadOptions) -> str:
    listed = ", ".join(f"{key} ({len(headers)} slices)" for key, headers in sorted(series.items()))
    if options.series is not None:
        matches = [key for key in series if key.startswith(options.series.lower())]
        if len(matches) != 1 or not options.series:
            raise ReadError(
                "E_SERIES_UNKNOWN",
                "no single series of the folder has that hash",
                where=folder.name,
                expected=f"one of {listed}",
                found=options.series[:_SHORT],
                fix="Give one of the listed hashes",
            )
        return matches[0]
    if len(series) > 1:
        raise ReadError(
            "E_SEVERAL_SERIES",
            "the folder holds several series",
            where=folder.name,
            expected="one series",
            found=listed,
            fix="Pick one with --series and its hash, or take each with --all",
        )
    return next(iter(series))


def _nothing(folder: Path, files: list[tuple[Path, Kind]], refused: list[ReadError]) -> ReadError:
    if refused:  # the most telling reason first: another modality, then scouts, then objects
        order = ("E_MODALITY", "E_LOCALIZER", "E_NOT_AN_IMAGE")
        return min(refused, key=lambda fault: order.index(fault.code))
    if not files:
        return ReadError(
            "E_EMPTY_FOLDER",
            "the folder holds no files",
            where=folder.name,
            fix="Give the folder that holds the images themselves",
        )
    kinds = Counter(kind.value for _, kind in files)
    return ReadError(
        "E_NO_SERIES",
        "the folder holds no DICOM series",
        where=folder.name,
        expected="the slices of one CT series",
        found=", ".join(f"{count} {kind}" for kind, count in kinds.most_common()),
        fix="Give one file, or a folder of DICOM slices",
    )


def _what_else(kind: Kind) -> str:
    return {Kind.EMPTY: "empty file", Kind.OTHER: "file of another format"}.get(
        kind, f"{kind.value} file"
    )


def _left_out(folder: Path, left_out: dict[str, list[str]]) -> tuple[str, ...]:
    lines: list[str] = []
    for what, names in left_out.items():
        code = "W_LOCALIZER_DROPPED" if what == DicomKind.LOCALIZER.value else "W_SKIPPED"
        more = ", ..." if len(names) > _NAMED else ""
        lines.append(
            f"{code} {folder.name}: {len(names)} x {what}: {', '.join(names[:_NAMED])}{more}"
        )
    return tuple(lines)


def _unnamed(folder: Path, count: int) -> tuple[str, ...]:
    if not count:
        return ()
    return (
        f"W_EMPTY_UID {folder.name}: {count} files have no series UID; they were grouped by frame"
        " of reference and orientation",
    )
