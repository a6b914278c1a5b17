"""What a DICOM object is, and whether it is a slice of a CT."""

from __future__ import annotations

from enum import StrEnum

from pydicom.dataset import Dataset
from pydicom.uid import UID

from tetract.errors import ReadError
from tetract.io.dicom.header import integer, text, words

_ENHANCED = {"1.2.840.10008.5.1.4.1.1.2.1", "1.2.840.10008.5.1.4.1.1.2.2"}
_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"  # and its multi-frame kinds below it
_CT_IMAGE = "1.2.840.10008.5.1.4.1.1.2"
_WITHOUT_IMAGE = ("SEG", "RTDOSE", "RTSTRUCT", "RTPLAN", "SR", "PR", "KO")


class DicomKind(StrEnum):
    """Kinds of DICOM objects, named as the warnings name them."""

    CT = "CT slice"
    ENHANCED = "enhanced multi-frame CT"
    LOCALIZER = "localizer"
    CAPTURE = "secondary capture"
    OTHER_MODALITY = "image of another modality"
    NOT_AN_IMAGE = "object without an image"


def kind_of_dicom(header: Dataset, where: str) -> DicomKind:
    """Classify by SOP class and modality; a CT that blanked its SOP class stays a CT.

    Raises:
        ReadError: ``E_BAD_ATTRIBUTE`` for a frame count that is no number.
    """
    sop_class, modality = text(header, "SOPClassUID"), text(header, "Modality").upper()
    has_matrix = header.get("Rows") is not None and header.get("Columns") is not None
    # A standard class other than CT contradicts the modality; private and blanked ones do not.
    other_class = sop_class != _CT_IMAGE and UID(sop_class).name.endswith("Storage")
    signs = {
        DicomKind.ENHANCED: sop_class in _ENHANCED and modality == "CT",
        DicomKind.NOT_AN_IMAGE: not has_matrix or modality in _WITHOUT_IMAGE,
        DicomKind.OTHER_MODALITY: modality != "CT",
        DicomKind.CAPTURE: sop_class == _CAPTURE or sop_class.startswith(_CAPTURE + "."),
        DicomKind.LOCALIZER: "LOCALIZER" in words(header, "ImageType"),
    }
    for kind, seen in signs.items():
        if seen:
            return kind
    if other_class:
        return DicomKind.OTHER_MODALITY
    frames = integer(header, "NumberOfFrames", where)
    return DicomKind.CT if frames in (None, 1) else DicomKind.ENHANCED


def not_a_slice(header: Dataset, kind: DicomKind, where: str) -> ReadError:
    """Why this object is refused when it is given on its own.

    Modality and SOP class are quoted; neither identifies a patient.
    """
    modality = text(header, "Modality")[:16] or "none"
    sop_class = UID(text(header, "SOPClassUID")).name[:64] or "none"
    found = f"modality {modality}, SOP class {sop_class}"
    reasons = {
        DicomKind.ENHANCED: (
            "E_ENHANCED",
            "several frames without functional groups, or where only single slices are taken",
            "Export as classic CT, one file per slice",
        ),
        DicomKind.LOCALIZER: (
            "E_LOCALIZER",
            "a localizer is a projection, not a slice",
            "Give the slices of the series",
        ),
        DicomKind.NOT_AN_IMAGE: (
            "E_NOT_AN_IMAGE",
            "the DICOM object holds no image",
            "Give a CT image",
        ),
    }
    code, what, fix = reasons.get(
        kind, ("E_MODALITY", "the image is not a CT slice", "Give a CT image")
    )
    return ReadError(
        code, what, where=where, expected="CT Image Storage, modality CT", found=found, fix=fix
    )
