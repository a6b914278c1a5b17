"""One CT image without its patient: built anew from what is allowed, never a copy with holes."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
import pydicom
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.tag import Tag
from pydicom.uid import UID, CTImageStorage

from tetract.errors import ReadError
from tetract.io.deid.actions import EMPTIED, PSEUDONYMS
from tetract.io.deid.allow import CLASSIC, ENHANCED, allowed
from tetract.io.deid.enhanced import check_enhanced, set_required
from tetract.io.deid.secret import Renamer
from tetract.io.dicom.header import read_dicom, text, transfer_syntax
from tetract.io.dicom.kind import DicomKind, kind_of_dicom, not_a_slice
from tetract.io.dicom.pixels import PixelFormat, pixel_data, pixel_format
from tetract.io.guard import reading

# Overlay Bit Position (60xx,0102): above 0, the overlay lies in unused bits of the pixels.
_OVERLAY_BITS = tuple(0x60000102 + (group << 16) for group in range(0, 0x20, 2))
_READ = sorted(
    ENHANCED.keywords() | CLASSIC.keywords() | PSEUDONYMS
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

    Pixels and geometry stay as they are; see ``actions`` for what is kept. An enhanced CT keeps
    its frames, each with its functional groups as far as they are allowed.

    Args:
        path: A CT image, localizers and enhanced CT included.
        renamer: Makes the new UIDs and codes.
        group: Stands for the UIDs of a study and series that have none; the folder, for one.
        program: Name and version for De-identification Method (0012,0063).

    Raises:
        ReadError: ``E_BURNED_IN`` when the file says that text is burned into its pixels, or keeps
            an overlay in compressed ones; ``E_MODALITY`` or ``E_NOT_AN_IMAGE`` for anything but a
            CT image; and those of ``read_dicom``, ``pixel_format`` and ``check_enhanced``.
    """
    with reading(path.name, code="E_BAD_DICOM", what="the DICOM file is damaged"):
        header = read_dicom(path, pixels=False)
        kind = kind_of_dicom(header, path.name)
        if kind not in (DicomKind.CT, DicomKind.LOCALIZER, DicomKind.ENHANCED):
            raise not_a_slice(header, kind, path.name)
        frames = check_enhanced(header, path.name) if kind is DicomKind.ENHANCED else 1
        pixels = pixel_format(header, path)
        source = pydicom.dcmread(
            path, specific_tags=[Tag(name) for name in (*_READ, *_OVERLAY_BITS)]
        )
        _check_burned_in(source, pixels, path.name)
        made = allowed(source, ENHANCED if kind is DicomKind.ENHANCED else CLASSIC, renamer)
        _set_patient(made, source, renamer)
        _set_uids(made, source, path, renamer, group)
        if kind is DicomKind.ENHANCED:
            set_required(made, source, path.name)
        _set_method(made, program)
        content, warnings = _clean_pixels(source, pixels, frames, path.name)
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
    source: Dataset, pixels: PixelFormat, frames: int, where: str
) -> tuple[bytes, tuple[str, ...]]:
    """The pixels, without what lies behind them or in their unused bits."""
    content = pixel_data(source, pixels, where)
    if pixels.syntax.is_encapsulated:
        return content, ()
    needed = pixels.native_bytes * frames
    if len(content) < needed:
        raise ReadError(
            "E_PIXEL_TRUNCATED",
            "pixel data are cut short",
            where=where,
            expected=f"{needed} bytes",
            found=f"{len(content)} bytes",
            fix="Copy or export the image again",
        )
    content = content[:needed]
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
