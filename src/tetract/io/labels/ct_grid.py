"""The voxel grid of a CT series with the UIDs by which other objects refer to its slices."""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pydicom
from jaxtyping import Bool

from tetract.errors import InputError, ReadError
from tetract.io.dicom.geometry import stack_geometry
from tetract.io.dicom.header import read_dicom, text
from tetract.io.dicom.kind import DicomKind, kind_of_dicom
from tetract.io.dicom.series import arrange_series
from tetract.io.guard import reading
from tetract.io.listing import visible_files
from tetract.io.options import ReadOptions
from tetract.io.sniff import Kind, sniff
from tetract.types import Geometry

_IDENTITY = ["SOPInstanceUID", "SeriesInstanceUID", "StudyInstanceUID", "PatientID"]
_DAMAGED = "a DICOM file is damaged"
_DEFAULTS = ReadOptions()


@dataclass(frozen=True, slots=True, kw_only=True)
class CtGrid:
    """Where the slices of a series lie and what they are called.

    Attributes:
        name: Base name of the folder.
        geometry: The same grid that ``read_volume`` gives.
        frame_of_reference: UID, or "". It and the other UIDs stay in memory: never print them.
        series: UID, or "".
        instances: SOP Instance UID to slice index, from 0.
        patient: Short hash of the Patient ID, or None where it is blank.
        study: Short hash of the study's UID, or None.
    """

    name: str
    geometry: Geometry
    frame_of_reference: str
    series: str
    instances: Mapping[str, int]
    patient: str | None
    study: str | None

    @property
    def series_key(self) -> str:
        """Short hash that names the series without its UID."""
        return short_hash(self.series) or short_hash(self.name) or ""

    def covered(self, instances: frozenset[str]) -> Bool[np.ndarray, " D"]:
        """(D,) Which slices an object lists; all of them where it lists none."""
        seen = np.zeros(self.geometry.shape[0], dtype=bool)
        if not instances:
            return ~seen
        seen[[index for uid, index in self.instances.items() if uid in instances]] = True
        return seen


@dataclass(frozen=True, slots=True, kw_only=True)
class CtFolder:
    """A folder with a CT series in it, found by its first slice.

    Attributes:
        path: The folder.
        series: UID of the series of that slice, or "".
        frame_of_reference: UID, or "".
    """

    path: Path
    series: str
    frame_of_reference: str


def short_hash(value: str) -> str | None:
    """Twelve hexadecimal digits that stand for an identifier; None for a blank one."""
    return hashlib.sha256(value.encode()).hexdigest()[:12] if value else None


def read_ct_grid(folder: Path, options: ReadOptions = _DEFAULTS) -> CtGrid:
    """Read the grid of the one CT series in a folder; no pixel is decoded.

    Raises:
        ReadError: As ``read_volume``, for what headers tell.
        GeometryError: As ``read_volume``.
    """
    files = [(path, sniff(path)) for path in visible_files(folder)]
    with reading(folder.name, code="E_BAD_DICOM", what=_DAMAGED):
        _, ordered, _ = arrange_series(folder, files, options)
        geometry, _ = stack_geometry(ordered)
        headers = [pydicom.dcmread(s.path, specific_tags=list(_IDENTITY)) for s in ordered]
        uids = [text(header, "SOPInstanceUID") for header in headers]
        shared = Counter(uids)
        return CtGrid(
            name=folder.name,
            geometry=geometry,
            frame_of_reference=ordered[0].frame_of_reference,
            series=text(headers[0], "SeriesInstanceUID"),
            # A UID that two slices share names neither.
            instances={uid: k for k, uid in enumerate(uids) if uid and shared[uid] == 1},
            patient=short_hash(text(headers[0], "PatientID")),
            study=short_hash(text(headers[0], "StudyInstanceUID")),
        )


def find_ct_folders(root: Path) -> tuple[CtFolder, ...]:
    """All folders under ``root`` that hold CT slices, sorted; links are not followed."""
    return tuple(found for folder in _folders(root) if (found := _ct_folder(folder)) is not None)


def find_objects(root: Path, modality: str) -> tuple[Path, ...]:
    """All DICOM files of a modality under ``root``, sorted; a file is returned as it is."""
    if root.is_file():
        return (root,)
    if not root.is_dir():
        raise ReadError("E_NOT_FOUND", "no such file or folder", where=root.name)
    return tuple(
        path
        for folder in _folders(root)
        for path in visible_files(folder)
        if sniff(path) is Kind.DICOM and _modality(path) == modality
    )


def _ct_folder(folder: Path) -> CtFolder | None:
    for path in visible_files(folder):
        if sniff(path) is not Kind.DICOM:
            continue
        try:
            found = _ct_of(folder, path)
        except InputError:  # the folder's reader names it when the folder is used
            continue
        if found is not None:
            return found
    return None


def _ct_of(folder: Path, path: Path) -> CtFolder | None:
    """The folder as one of CT, should this file be a CT slice."""
    with reading(path.name, code="E_BAD_DICOM", what=_DAMAGED):
        header = read_dicom(path, pixels=False)
        if kind_of_dicom(header, path.name) not in (DicomKind.CT, DicomKind.ENHANCED):
            return None
        return CtFolder(
            path=folder,
            series=text(header, "SeriesInstanceUID"),
            frame_of_reference=text(header, "FrameOfReferenceUID"),
        )


def _modality(path: Path) -> str:
    try:
        with reading(path.name, code="E_BAD_DICOM", what=_DAMAGED):
            return text(read_dicom(path, pixels=False), "Modality").upper()
    except InputError:
        return ""


def _folders(root: Path) -> Iterator[Path]:
    for folder, below, _ in os.walk(root, followlinks=False):
        below.sort()
        yield Path(folder)
