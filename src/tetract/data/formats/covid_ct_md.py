"""COVID-CT-MD: DICOM in one folder per patient; an array says which slices are infected."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Final

import numpy as np
from jaxtyping import Bool

from tetract.data.finish_import import Skipped
from tetract.data.formats.published_folders import find_one, layout_error, relative
from tetract.data.records import Record, read_records
from tetract.errors import InputError, LabelError, ReadError
from tetract.io import CtGrid, find_ct_folders, read_ct_grid
from tetract.io.dicom.slice_location import read_location_order

_CLASS_FOLDER: Final = re.compile(r"(covid-19|cap|normal)( (subjects|cases))?", re.IGNORECASE)
_DIAGNOSES: Final = {"covid-19": "covid", "cap": "cap", "normal": "normal"}
_COLUMNS: Final = ("Label Index", "Diagnosis", "Folder/ID")
# The authors corrected two patients in September 2021.
_LABELS: Final = ("Slice-level-labels-updated-1.npy", "Slice-level-labels.npy")
_MOST_PATIENTS: Final = 10_000
_MOST_SLICES: Final = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class _Labels:
    """The published labels of slices.

    Attributes:
        origin: Base name of their file.
        infected: (P, S) by label index and place by Slice Location; False beyond a patient's last.
        rows: Patient folder to label index and diagnosis.
    """

    origin: str
    infected: Bool[np.ndarray, "P S"]
    rows: Mapping[str, tuple[int, str]]


def walk_covid_ct_md(root: Path) -> list[Record | Skipped]:
    """One record per slice of each patient's series.

    Slice labels are in the order of Slice Location, from the lowest; they are used only for a
    series whose instance numbers show that no slice is missing.

    Raises:
        InputError: ``E_BAD_LAYOUT`` without CT below folders such as COVID-19 subjects;
            ``E_NO_FILE``, ``E_DUPLICATE_FILE``, ``E_BAD_TABLE`` or ``E_NO_COLUMN`` for index and
            labels.
    """
    folders = [ct.path for ct in find_ct_folders(root)]
    if not any(_patient(folder, root) for folder in folders):
        raise layout_error(root, "DICOM in COVID-19 subjects, CAP subjects, Normal subjects")
    labels = _read_labels(root)
    found: list[Record | Skipped] = []
    seen: set[str] = set()
    for folder in folders:
        for outcome in _series(folder, root, labels, seen):
            found.append(replace(outcome, number=len(found) + 1))
    absent = sorted(set(labels.rows) - seen)
    if absent:
        reason = f"labels of {len(absent)} patients whose slices are not here"
        found.append(Skipped(number=len(found) + 1, reason=reason, declared=True))
    return found


def _series(
    folder: Path, root: Path, labels: _Labels, seen: set[str]
) -> Iterator[Record | Skipped]:
    whose = _patient(folder, root)
    if whose is None:
        yield _skip(f"E_BAD_LAYOUT {folder.name}: no folder such as COVID-19 subjects above it")
        return
    diagnosis, patient = whose
    if patient in seen:
        yield _skip(f"E_SEVERAL_SERIES {patient}: the patient has a second series")
        return
    seen.add(patient)
    try:
        grid = read_ct_grid(folder)
        infected = _infected(folder, grid, labels, diagnosis, patient)
    except InputError as error:
        yield _skip(str(error))
        return
    note = "" if infected is None else f"slice label of {labels.origin}"
    for index in range(grid.geometry.shape[0]):
        cells = {
            "file": relative(folder, root),
            "slice": str(index),
            "patient": f"covid-ct-md-{patient}",
            "series": grid.series_key,
            "diagnosis": diagnosis,
            "infected": "" if infected is None else str(int(infected[index])),
            "note": note,
        }
        yield Record(number=0, cells=cells)


def _patient(folder: Path, root: Path) -> tuple[str, str] | None:
    """Diagnosis and patient of a series: the folder of a class, and the one below it."""
    parts = folder.relative_to(root.parent).parts
    for name, below in pairwise(parts):
        match = _CLASS_FOLDER.fullmatch(name)
        if match is not None:
            return _DIAGNOSES[match[1].lower()], below
    return None


def _infected(
    folder: Path, grid: CtGrid, labels: _Labels, diagnosis: str, patient: str
) -> Bool[np.ndarray, " D"] | None:
    """(D,) In the reader's order, or None where the patient's slices were not labelled.

    Raises:
        LabelError: ``E_SLICE_LABELS`` when labels and series cannot belong together.
    """
    if patient not in labels.rows:
        return None
    row, said = labels.rows[patient]
    if said != diagnosis:
        raise _unfit(patient, "index and folder name different diagnoses", said, diagnosis)
    order = read_location_order(folder, grid)
    depth, values = len(order.rank), labels.infected[row]
    if not order.is_numbered_through:
        raise _unfit(
            patient,
            "instance numbers have gaps: slices are missing, so labels by place would slip",
            "numbers from 1 without a gap",
            f"{depth} slices",
        )
    if depth > values.size or values[depth:].any():
        last = int(np.flatnonzero(values).max(initial=-1)) + 1
        raise _unfit(patient, "labels and series differ in length", f"{last} or more", f"{depth}")
    return values[list(order.rank)]


def _read_labels(root: Path) -> _Labels:
    path = find_one(root, *_LABELS, needed_for="the infected slices")
    index = find_one(root, "Index.csv", needed_for="the patients of the labels")
    infected = _read_array(path)
    _, records = read_records(index, required=_COLUMNS)
    rows: dict[str, tuple[int, str]] = {}
    for record in records:
        number, diagnosis, patient = (record.cells[column] for column in _COLUMNS)
        # The column counts, not the place: the published table leaves one index out.
        known = re.fullmatch(r"\d{1,6}", number) and diagnosis.lower() in _DIAGNOSES
        if not known or int(number) >= len(infected) or patient in rows:
            raise ReadError(
                "E_BAD_TABLE",
                "row is not one of label index, diagnosis and patient",
                where=f"{index.name} row {record.number}",
                expected=f"an index below {len(infected)}, a diagnosis, a patient named once",
            )
        rows[patient] = (int(number), _DIAGNOSES[diagnosis.lower()])
    return _Labels(origin=path.name, infected=infected, rows=rows)


def _read_array(path: Path) -> Bool[np.ndarray, "P S"]:
    """(P, S) The published array, which holds 0 and 1.

    Raises:
        ReadError: ``E_BAD_TABLE``.
    """
    try:
        # Mapped: a header that lies about its size is noticed before memory is taken.
        mapped = np.load(path, mmap_mode="r", allow_pickle=False)
        fits = mapped.ndim == 2 and mapped.dtype.kind in "biuf"
        fits = fits and mapped.shape[0] <= _MOST_PATIENTS and mapped.shape[1] <= _MOST_SLICES
        values = np.asarray(mapped) if fits else np.empty((0, 0))
    except (OSError, ValueError, EOFError):
        fits, values = False, np.empty((0, 0))
    if not fits or not np.isin(values, (0, 1)).all():
        raise ReadError(
            "E_BAD_TABLE",
            "not an array of 0 and 1 by patient and slice",
            where=path.name,
            fix="Download it again",
        )
    return values == 1


def _unfit(patient: str, what: str, expected: str, found: str) -> LabelError:
    return LabelError(
        "E_SLICE_LABELS",
        what,
        where=patient,
        expected=expected,
        found=found,
        fix="Download the patient's folder again",
    )


def _skip(reason: str) -> Skipped:
    return Skipped(number=0, reason=reason, declared=False)
