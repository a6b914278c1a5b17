"""One CT image without its patient: built anew from what is allowed, never a copy with holes."""

from __future__ import annotations

import hashlib
import math
import re
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
from pydicom.datadict import dictionary_VR, keyword_for_tag, tag_for_keyword
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.multival import MultiValue
from pydicom.tag import Tag
from pydicom.uid import UID, CTImageStorage

from tetract.errors import ReadError
from tetract.io.deid.actions import (
    EMPTIED,
    EMPTIED_IF_PRESENT,
    KEPT,
    KEPT_SEQUENCES,
    KEPT_TEXTS,
    NEW_UIDS,
    PSEUDONYMS,
)
from tetract.io.deid.secret import Renamer
from tetract.io.dicom.header import read_dicom, text, transfer_syntax
from tetract.io.dicom.kind import DicomKind, kind_of_dicom, not_a_slice
from tetract.io.dicom.pixels import PixelFormat, pixel_data, pixel_format
from tetract.io.guard import reading

_CODE = re.compile(r"[A-Z0-9_ ]{0,16}")
_PLAIN = re.compile(r"[ -~]{0,64}")
_STANDARD_UID = re.compile(r"1\.2\.840\.10008\.[0-9.]{1,50}")
_NUMBERS = frozenset(("DS", "IS", "US", "SS", "UL", "SL", "FL", "FD"))
# Overlay Bit Position (60xx,0102): above 0, the overlay lies in unused bits of the pixels.
_OVERLAY_BITS = tuple(0x60000102 + (group << 16) for group in range(0, 0x20, 2))
_READ = sorted(
    KEPT | KEPT_SEQUENCES | NEW_UIDS | PSEUDONYMS | EMPTIED_IF_PRESENT
    | {"IssuerOfPatientID", "PixelData", "FloatPixelData", "DoubleFloatPixelData"}
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Cleaned:
    """A file that may be shared.

    Attributes:
        content: Its bytes.
        patient: The patient's code, empty where the file named none.
        series: The new Series Instance UID.
        warnings: ``W_`` codes, to be counted.
    """

    content: bytes
    patient: str
    series: str
    warnings: tuple[str, ...]


def clean_dicom(path: Path, renamer: Renamer, *, group: str, program: str) -> Cleaned:
    """De-identify a CT image by PS3.15 Annex E, Basic Application Confidentiality Profile.

    Pixels and geometry stay as they are; see ``deid_actions`` for what is kept.

    Args:
        path: A CT image, localizers included.
        renamer: Makes the new UIDs and codes.
        group: Stands for the UIDs of a study and series that have none; the folder, for one.
        program: Name and version for De-identification Method (0012,0063).

    Raises:
        ReadError: ``E_BURNED_IN`` when the file says that text is burned into its pixels, or keeps
            an overlay in compressed ones; ``E_MODALITY``, ``E_ENHANCED``, ``E_NOT_AN_IMAGE`` for
            anything but a CT image; and those of ``read_dicom`` and ``pixel_format``.
    """
    with reading(path.name, code="E_BAD_DICOM", what="the DICOM file is damaged"):
        header = read_dicom(path, pixels=False)
        kind = kind_of_dicom(header, path.name)
        if kind not in (DicomKind.CT, DicomKind.LOCALIZER):
            raise not_a_slice(header, kind, path.name)
        pixels = pixel_format(header, path)
        source = pydicom.dcmread(
            path, specific_tags=[Tag(name) for name in (*_READ, *_OVERLAY_BITS)]
        )
        _check_burned_in(source, pixels, path.name)
        made = _allowed(source, renamer)
        _set_patient(made, source, renamer)
        _set_uids(made, source, path, renamer, group)
        _set_method(made, program)
        content, warnings = _clean_pixels(source, pixels, path.name)
        made.add_new(0x7FE00010, "OW" if pixels.allocated > 8 else "OB", content)
        if pixels.syntax.is_encapsulated:
            made["PixelData"].VR = "OB"
            made["PixelData"].is_undefined_length = True
        if text(source, "BurnedInAnnotation").upper() != "NO":
            warnings += ("W_BURNED_IN_UNKNOWN",)
        return Cleaned(
            content=_written(made, source),
            patient=str(made.PatientID),
            series=str(made.SeriesInstanceUID),
            warnings=warnings,
        )


def _check_burned_in(source: Dataset, pixels: PixelFormat, where: str) -> None:
    says_so = text(source, "BurnedInAnnotation").upper() == "YES"
    hidden = any(tag in source and source[tag].value for tag in _OVERLAY_BITS)
    if says_so or (hidden and pixels.syntax.is_encapsulated):
        raise ReadError(
            "E_BURNED_IN",
            "the pixels hold text or graphics that may name the patient; they are not cleaned here",
            where=where,
            expected="Burned In Annotation NO, or absent",
            found="YES" if says_so else "an overlay in unused bits of compressed pixels",
            fix="Leave the image out, or blank its text with another tool and set the attribute",
        )


def _allowed(source: Dataset, renamer: Renamer) -> Dataset:
    """What may stay of a data set or of a sequence's item, one level at a time."""
    made = Dataset()
    for tag in list(source.keys()):
        keyword = keyword_for_tag(tag)
        try:
            element = source[tag]
        except Exception:  # noqa: BLE001, S112 - a value that cannot be parsed cannot be vouched for
            continue
        if keyword in KEPT_SEQUENCES and element.VR == "SQ":
            items = [_allowed(item, renamer) for item in element.value]
            made.add_new(tag, "SQ", [item for item in items if len(item)])
        elif keyword in EMPTIED_IF_PRESENT:
            made.add_new(tag, dictionary_VR(tag), None)
        elif keyword in NEW_UIDS and (new := _new_uids(element, renamer)):
            made.add_new(tag, "UI", new)
        elif keyword in KEPT and _is_plain(element, keyword):
            made.add_new(tag, element.VR, element.value)
    return made


def _new_uids(element: DataElement, renamer: Renamer) -> list[str]:
    return [str(renamer.uid(uid)) for uid in _strings(element) if uid]


def _is_plain(element: DataElement, keyword: str) -> bool:
    """Whether a value is what its attribute should hold: a number, a code, or a machine's name."""
    if element.VR not in dictionary_VR(element.tag).split(" or "):
        return False
    if element.VR in _NUMBERS:
        return _is_number(element.value)
    if element.VR == "UI":
        return all(_STANDARD_UID.fullmatch(uid) for uid in _strings(element))
    pattern = _PLAIN if keyword in KEPT_TEXTS else _CODE
    return all(pattern.fullmatch(value) for value in _strings(element))


def _is_number(value: Any) -> bool:
    parts: list[Any] = list(value) if isinstance(value, list | MultiValue) else [value]
    try:
        return all(part in (None, "") or math.isfinite(float(part)) for part in parts)
    except (TypeError, ValueError, OverflowError):
        return False


def _strings(element: DataElement) -> list[str]:
    value: Any = element.value
    if value is None:
        return []
    parts: list[Any] = [value] if isinstance(value, str) else list(value)
    return [str(part) for part in parts]


def _set_patient(made: Dataset, source: Dataset, renamer: Renamer) -> None:
    identifier = text(source, "PatientID")
    known = f"{identifier}\n{text(source, 'IssuerOfPatientID')}" if identifier else ""
    made.PatientName = made.PatientID = renamer.patient(known or text(source, "PatientName"))
    for keyword in EMPTIED:
        setattr(made, keyword, None)
    if "Manufacturer" not in made:
        made.Manufacturer = None


def _set_uids(made: Dataset, source: Dataset, path: Path, renamer: Renamer, group: str) -> None:
    """Another UID for each, and one for each that the file left empty."""
    made.SOPClassUID = CTImageStorage
    orientation = str(source.get("ImageOrientationPatient"))
    unnamed = f"{group}|{text(source, 'FrameOfReferenceUID')}|{orientation}"
    if "StudyInstanceUID" not in made:
        made.StudyInstanceUID = renamer.uid(f"study|{group}")
    if "SeriesInstanceUID" not in made:
        made.SeriesInstanceUID = renamer.uid(f"series|{unnamed}")
    if "SOPInstanceUID" not in made:
        content = hashlib.sha256(path.read_bytes()).hexdigest()
        made.SOPInstanceUID = renamer.uid(f"instance|{content}")


def _set_method(made: Dataset, program: str) -> None:
    """PS3.3 C.7.1.1; code 113100 stands in PS3.16 CID 7050."""
    code = Dataset()
    code.CodeValue, code.CodingSchemeDesignator = "113100", "DCM"
    code.CodeMeaning = "Basic Application Confidentiality Profile"
    made.PatientIdentityRemoved = "YES"
    made.DeidentificationMethod = ["PS3.15 Annex E Basic Profile, by allow list", program]
    made.DeidentificationMethodCodeSequence = [code]
    made.LongitudinalTemporalInformationModified = "REMOVED"


def _clean_pixels(
    source: Dataset, pixels: PixelFormat, where: str
) -> tuple[bytes, tuple[str, ...]]:
    """The pixels, without what lies behind them or in their unused bits."""
    content = pixel_data(source, pixels, where)
    if pixels.syntax.is_encapsulated:
        return content, ()
    if len(content) < pixels.native_bytes:
        raise ReadError(
            "E_PIXEL_TRUNCATED",
            "pixel data are cut short",
            where=where,
            expected=f"{pixels.native_bytes} bytes",
            found=f"{len(content)} bytes",
            fix="Copy or export the image again",
        )
    content = content[: pixels.native_bytes]
    order = "<" if pixels.syntax.is_little_endian else ">"
    kind = "i" if pixels.signed else "u"
    stored = np.frombuffer(content, dtype=f"{order}{kind}{pixels.allocated // 8}")
    unused = pixels.allocated - pixels.stored
    cleaned = (stored << unused) >> unused  # an arithmetic shift also extends the sign
    if unused and not np.array_equal(cleaned, stored):
        return cleaned.astype(stored.dtype).tobytes(), ("W_UNUSED_BITS",)
    return content + b"\0" * (len(content) % 2), ()


def _written(made: Dataset, source: Dataset) -> bytes:
    """The file with an empty preamble and a file meta of its own, in the same transfer syntax."""
    made.file_meta = FileMetaDataset()
    made.file_meta.TransferSyntaxUID = UID(transfer_syntax(source))
    made.file_meta.MediaStorageSOPClassUID = made.SOPClassUID
    made.file_meta.MediaStorageSOPInstanceUID = made.SOPInstanceUID
    buffer = BytesIO()
    made.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


for _keyword in _READ:  # a keyword that the dictionary lacks would be dropped in silence
    if tag_for_keyword(_keyword) is None:
        raise ImportError(f"{_keyword} is unknown to this pydicom")
