"""COVID-CT of UCSD: pictures in two folders, an official split in lists, patients in tables."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final

from tetract.data.finish_import import Skipped
from tetract.data.formats.published_folders import (
    find_folder,
    find_one,
    find_pictures,
    relative,
)
from tetract.data.records import Record, read_records
from tetract.errors import InputError, ReadError

_KINDS: Final = ("COVID", "NonCOVID")
_PARTS: Final = ("train", "val", "test")
_NAME_COLUMNS: Final = ("file name", "image name", "image")
_PATIENT_COLUMNS: Final = ("patient id", "patient")
_MOST_BYTES: Final = 10_000_000


def walk_ucsd_covid_ct(root: Path) -> list[Record | Skipped]:
    """One record per picture of the official lists: file, folder, split and patient.

    Patients come from COVID-CT-MetaInfo.csv and NonCOVID-CT-MetaInfo.csv; one that is not named
    there is unknown. Pictures in no list are skipped as declared.

    Raises:
        InputError: ``E_BAD_LAYOUT`` without lists; ``E_NO_FILE``, ``E_DUPLICATE_FILE``,
            ``E_BAD_TABLE`` or ``E_NO_COLUMN``.
    """
    lists = find_folder(root, "Data-split", "the official split")
    pictures = _pictures(root)
    patients = {kind: _patients(root, kind) for kind in _KINDS}
    found: list[Record | Skipped] = []
    listed: set[tuple[str, str]] = set()
    for kind, part, name in _entries(lists):
        number = len(found) + 1
        key = (f"CT_{kind}", name)
        listed.add(key)
        if key not in pictures:
            reason = f"E_MISSING_IMAGE {name}: the picture is in the {part} list, but not here"
            found.append(Skipped(number=number, reason=reason, declared=False))
            continue
        cells = {
            "file": relative(pictures[key], root),
            "folder": key[0],
            "split": part,
            "patient": patients[kind].get(name, ""),
        }
        found.append(Record(number=number, cells=cells))
    left_out = "picture in no list of the official split"
    found += [
        Skipped(number=number, reason=left_out, declared=True)
        for number, _ in enumerate(pictures.keys() - listed, len(found) + 1)
    ]
    return found


def _entries(lists: Path) -> Iterator[tuple[str, str, str]]:
    """Kind, part and name of each picture, in the order of the lists."""
    for kind in _KINDS:
        for part in _PARTS:
            # Not searched for: the set also holds the lists of an older split.
            path = lists / kind / f"{part}CT_{kind}.txt"
            for name in _lines(path):
                yield kind, part, name


def _lines(path: Path) -> Iterable[str]:
    if not path.is_file():
        raise ReadError(
            "E_NO_FILE",
            "a list of the official split is not there",
            where=path.name,
            fix="Download the whole Data-split folder",
        )
    try:
        with path.open("rb") as file:
            text = file.read(_MOST_BYTES).decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ReadError("E_BAD_TABLE", "the list is not UTF-8 text", where=path.name) from None
    return [line.strip() for line in text.splitlines() if line.strip()]


def _pictures(root: Path) -> dict[tuple[str, str], Path]:
    """Folder and name of a picture to its path."""
    found: dict[tuple[str, str], Path] = {}
    for path in find_pictures(root):
        key = (path.parent.name, path.name)
        if key[0] not in {f"CT_{kind}" for kind in _KINDS}:
            continue
        if key in found:
            raise ReadError(
                "E_DUPLICATE_FILE",
                f"two folders {key[0]} hold a picture of this name",
                where=path.name,
                fix="Give the folder of one copy of the set",
            )
        found[key] = path
    return found


def _patients(root: Path, kind: str) -> Mapping[str, str]:
    """Picture to patient, as the published table says."""
    path = find_one(root, f"{kind}-CT-MetaInfo.csv", needed_for="the patients")
    header, records = read_records(path, required=())
    name_column = _column(header, _NAME_COLUMNS, path)
    patient_column = _column(header, _PATIENT_COLUMNS, path)
    found: dict[str, str] = {}
    for record in records:
        name, patient = record.cells[name_column], record.cells[patient_column]
        if not patient:
            continue
        key = f"ucsd-{patient}"
        if found.setdefault(name, key) != key:
            raise ReadError(
                "E_BAD_TABLE",
                "one picture has two patients",
                where=f"{path.name} row {record.number}",
                fix="Correct the table",
            )
    return found


def _column(header: Iterable[str], wanted: tuple[str, ...], path: Path) -> str:
    header = tuple(header)
    for column in header:
        if column.casefold() in wanted:
            return column
    raise InputError(
        "E_NO_COLUMN",
        "table has none of the columns that the set is published with",
        where=path.name,
        expected=" or ".join(wanted),
        found=", ".join(header),
    )
