"""An enhanced CT, one file of many frames: what it must be, and what it must have afterwards."""

from __future__ import annotations

from typing import Any

from pydicom.dataset import Dataset
from pydicom.uid import UID, EnhancedCTImageStorage, LegacyConvertedEnhancedCTImageStorage

from tetract.errors import ReadError
from tetract.io.deid.actions import ENHANCED_DUMMIES
from tetract.io.dicom.header import bad_attribute, integer, text
from tetract.io.dicom.kind import DicomKind, not_a_slice

_CLASSES = (EnhancedCTImageStorage, LegacyConvertedEnhancedCTImageStorage)
_REQUIRED = ("ContentDate", "ContentTime", "DeviceSerialNumber", "SoftwareVersions")
_IN_GREY = ("", "MONOCHROME")


def check_enhanced(header: Dataset, where: str) -> int:
    """How many frames an enhanced CT has, each with its functional groups.

    Raises:
        ReadError: ``E_ENHANCED`` for several frames in another SOP class or without functional
            groups, ``E_BAD_ATTRIBUTE`` when the groups are not one for each frame.
    """
    groups: Any = header.get("PerFrameFunctionalGroupsSequence")
    if text(header, "SOPClassUID") not in _CLASSES or not groups:
        raise not_a_slice(header, DicomKind.ENHANCED, where)
    count = integer(header, "NumberOfFrames", where)
    if count != len(groups):
        raise bad_attribute("NumberOfFrames", where, f"{count} for {len(groups)} functional groups")
    return len(groups)


def set_required(made: Dataset, source: Dataset, where: str) -> None:
    """Set what an enhanced CT may not lack (PS3.3 A.38) and its allow list does not give.

    Raises:
        ReadError: ``E_COLOUR`` for frames in false colours, whose palettes are not kept.
    """
    shown = text(source, "PixelPresentation").upper()
    if shown not in _IN_GREY:
        raise ReadError(
            "E_COLOUR",
            "the frames are shown through a palette of colours, which is not kept",
            where=where,
            expected="Pixel Presentation MONOCHROME",
            found=shown[:16],
            fix="Give the original CT",
        )
    made.SOPClassUID = UID(text(source, "SOPClassUID"))
    for keyword in _REQUIRED:
        setattr(made, keyword, ENHANCED_DUMMIES[keyword])
    made.AcquisitionContextSequence = []
