"""DICOM objects that carry labels: opening them, and what they say about the CT they belong to."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import pydicom
from jaxtyping import UInt8
from pydicom.dataset import Dataset
from pydicom.filereader import read_file_meta_info
from pydicom.uid import DeflatedExplicitVRLittleEndian

from tetract.errors import GeometryError, LabelError, ReadError
from tetract.io.dicom.depth import check_depth
from tetract.io.dicom.header import bad_attribute, is_forced, text
from tetract.io.guard import reading
from tetract.io.labels.ct_grid import CtGrid
from tetract.io.sniff import Kind, sniff

MAX_BYTES: Final = 2**31
MOST_REGIONS: Final = 255
_LONGEST_NAME = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Region:
    """One named thing that an object outlines: a segment, or a region of interest.

    Attributes:
        number: Segment Number (0062,0004) or ROI Number (3006,0022).
        name: Segment Label (0062,0005) or ROI Name (3006,0026), at most 64 characters.
        codes: Coded names as ``VALUE:SCHEME``; none for a structure set.
    """

    number: int
    name: str
    codes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class References:
    """Which CT an object was drawn on.

    Attributes:
        frame_of_reference: UID of the coordinate system, or "".
        series: UID of the series, or "".
        instances: UIDs of the slices that the object lists; empty where it lists none.
    """

    frame_of_reference: str
    series: str
    instances: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """Some regions of an object as one label map.

    Attributes:
        labels: (D, H, W) uint8: 0, or the place of the region in the request, from 1; 1
            throughout where more than 255 regions were asked for.
        notes: What a reader of the labels should know, in words.
        skipped: Parts that could not be drawn, in words.
    """

    labels: UInt8[np.ndarray, "D H W"]
    notes: tuple[str, ...] = ()
    skipped: tuple[str, ...] = ()


def read_object(path: Path, tags: tuple[str, ...], modality: str) -> Dataset:
    """The named tags of one DICOM object of a modality.

    Raises:
        ReadError: ``E_LABEL_OBJECT`` for another kind of file, ``E_TOO_LARGE`` above 2 GiB,
            ``E_TRANSFER_SYNTAX`` for a deflated file, else as ``reading``.
    """
    if sniff(path) is not Kind.DICOM:
        raise _another(modality, path.name, "no DICOM file with a preamble")
    if (size := path.stat().st_size) > MAX_BYTES:
        raise ReadError(
            "E_TOO_LARGE",
            "the object is larger than we read",
            where=path.name,
            expected=f"at most {MAX_BYTES} bytes",
            found=f"{size} bytes",
            fix="Split it by segment",
        )
    with reading(path.name, code="E_BAD_DICOM", what="the DICOM file is damaged or cut short"):
        syntax = str(read_file_meta_info(path).get("TransferSyntaxUID", ""))
        if syntax == DeflatedExplicitVRLittleEndian:
            # pydicom inflates all of it at once, whatever it inflates to.
            raise ReadError(
                "E_TRANSFER_SYNTAX",
                "deflated objects are not read",
                where=path.name,
                fix="Export it as Explicit VR Little Endian",
            )
        check_depth(path)
        found = pydicom.dcmread(path, specific_tags=["Modality", *tags])
        if is_forced(found):
            raise bad_attribute("TransferSyntaxUID", path.name, "nothing")
        if text(found, "Modality").upper() != modality:
            raise _another(modality, path.name, f"modality {text(found, 'Modality')[:16]}")
        return found


def items(parent: Dataset | None, keyword: str) -> tuple[Dataset, ...]:
    """The items of a sequence; none where it is absent."""
    found = None if parent is None else parent.get(keyword)
    return () if found is None else tuple(found)


def first(parent: Dataset | None, keyword: str) -> Dataset | None:
    """The first item of a sequence, or None."""
    return next(iter(items(parent, keyword)), None)


def clean(name: str) -> str:
    """A name fit for one line of a report."""
    return " ".join(name.split())[:_LONGEST_NAME]


def check_same_frame(references: References, grid: CtGrid, where: str) -> None:
    """Refuse an object of another coordinate system than its CT (PS3.3 C.7.4.1).

    Raises:
        LabelError: ``E_OTHER_FRAME``; also where either says nothing and no slice is referenced.
    """
    mine, theirs = references.frame_of_reference, grid.frame_of_reference
    if mine and mine == theirs:
        return
    unnamed = not mine or not theirs
    if unnamed and references.instances and references.instances <= set(grid.instances):
        return
    raise LabelError(
        "E_OTHER_FRAME",
        "the object was drawn in another frame of reference than its CT",
        where=where,
        expected="one Frame of Reference UID (0020,0052), or slices referenced by their UID",
        found="no frame of reference" if unnamed else "two different ones",
        fix="Give the CT that it was drawn on; registered series are not followed",
    )


def check_same_slice(sources: tuple[str, ...], index: int, grid: CtGrid, where: str) -> None:
    """Refuse a position that contradicts the slice an object says it was drawn on.

    Raises:
        LabelError: ``E_OTHER_SLICE``.
    """
    known = {grid.instances[uid] for uid in sources if uid in grid.instances}
    if known and index not in known:
        raise LabelError(
            "E_OTHER_SLICE",
            "a position and the slice referenced beside it contradict each other",
            where=where,
            expected=f"slice {min(known)} of {grid.name}, as referenced",
            found=f"the position of slice {index}",
            fix="Export the object again from the program that drew it",
        )


def off_grid(where: str, expected: str, found: str) -> GeometryError:
    """The error for a frame or an outline that is between the voxels of its CT."""
    return GeometryError(
        "E_OFF_GRID",
        "the object does not lie on the voxels of the CT",
        where=where,
        expected=expected,
        found=found,
        fix="Give the CT that it was drawn on; nothing is resampled here",
    )


def _another(modality: str, where: str, found: str) -> ReadError:
    return ReadError(
        "E_LABEL_OBJECT",
        "the file is not the kind of DICOM object that was asked for",
        where=where,
        expected=f"modality {modality}",
        found=found,
        fix="Give a DICOM Segmentation to import seg, an RT Structure Set to import rtstruct",
    )
