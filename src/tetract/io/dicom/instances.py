"""CT slices by the UID under which annotation files name them."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import pydicom

from tetract.errors import InputError, ReadError
from tetract.io.dicom.header import read_dicom, text
from tetract.io.dicom.kind import DicomKind, kind_of_dicom, not_a_slice
from tetract.io.guard import reading
from tetract.io.sniff import Kind, sniff


@dataclass(frozen=True, slots=True, kw_only=True)
class Instances:
    """The DICOM files of a folder.

    Attributes:
        slices: SOP Instance UID (0008,0018) to the files that bear it. UIDs identify: never print
            them.
        others: DICOM files that are no CT slices, or cannot be read.
    """

    slices: dict[str, tuple[Path, ...]]
    others: tuple[Path, ...]


def find_instances(root: Path) -> Instances:
    """All DICOM files under ``root``, links to folders not followed; no pixel is decoded.

    Raises:
        ReadError: ``E_NOT_FOUND`` without such a folder.
    """
    if not root.is_dir():
        raise ReadError("E_NOT_FOUND", "no such folder", where=root.name)
    found: dict[str, tuple[Path, ...]] = {}
    others: list[Path] = []
    for folder, below, names in os.walk(root, followlinks=False):
        below.sort()
        for path in (Path(folder) / name for name in sorted(names)):
            if sniff(path) is not Kind.DICOM:
                continue
            try:
                uid = read_instance_uid(path)
            except InputError:
                others.append(path)
            else:
                found[uid] = (*found.get(uid, ()), path)
    return Instances(slices=found, others=tuple(others))


def read_instance_uid(path: Path) -> str:
    """SOP Instance UID (0008,0018) of one CT slice.

    Raises:
        ReadError: As for a slice given on its own, for what its header tells; ``E_BAD_ATTRIBUTE``
            without a UID.
    """
    with reading(path.name, code="E_BAD_DICOM", what="the DICOM file is damaged or cut short"):
        header = read_dicom(path, pixels=False)
        kind = kind_of_dicom(header, path.name)
        if kind is not DicomKind.CT:
            raise not_a_slice(header, kind, path.name)
        named = pydicom.dcmread(path, stop_before_pixels=True, specific_tags=["SOPInstanceUID"])
        uid = text(named, "SOPInstanceUID")
    if not uid or set(uid) - set("0123456789.") or len(uid) > 64:
        raise ReadError(
            "E_BAD_ATTRIBUTE",
            "SOP Instance UID (0008,0018) cannot be used",
            where=path.name,
            expected="at most 64 digits and points (PS3.5 section 9)",
            fix="Export the image again",
        )
    return uid
