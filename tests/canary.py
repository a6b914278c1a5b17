"""A patient who never lived, in every corner of a DICOM file: none of it may be found again."""

from __future__ import annotations

import re
from typing import Any

from pydicom.datadict import dictionary_VR, tag_for_keyword
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset

from tetract.io.deid.actions import TABLE_E1_1

NUMBER, UNIQUE = "987654321", "1.2.3.987654321"
CANARY = re.compile(rb"ZZTEST|987654321|198706", re.IGNORECASE)


def canary(vr: str) -> Any:
    """A value of this kind that must not be found again."""
    item = Dataset()
    item.PatientName, item.ReferencedSOPInstanceUID = "ZZTEST^NESTED", UNIQUE
    values: dict[str, Any] = {
        "SQ": [item],
        "UI": UNIQUE,
        "DA": "19870605",
        "TM": "010203.198706",
        "DT": "19870605040302",
        "AS": "087Y",
        "IS": NUMBER,
        "DS": NUMBER,
        "CS": "ZZTEST",
        "FD": 1987.0,
        "FL": 1987.0,
        "US": 1987,
        "OB": b"ZZTEST",
        "UN": b"ZZTEST",
        "OB or OW": b"ZZTEST",
    }
    return values.get(vr, "ZZTEST")


def salt(header: Dataset) -> None:
    """A canary in every attribute of the table that a data set may hold, and in every corner."""
    for names in TABLE_E1_1.values():
        for keyword in names:
            tag = tag_for_keyword(keyword)
            if tag is not None and tag >> 16 > 4 and keyword != "FrameOfReferenceUID":
                vr = dictionary_VR(tag)
                header[tag] = DataElement(tag, vr.split(" or ")[0], canary(vr))
    block = header.private_block(0x0029, "ZZTEST MAKER", create=True)
    block.add_new(0x01, "LO", "ZZTEST private")
    header.add_new(0x60003000, "OW", b"ZZTEST")
    header.add_new(0x60001500, "LO", "ZZTEST overlay")
    header.add_new(0x50003000, "OW", b"ZZTEST")
    header.add_new(0x00181400, "LO", "ZZTEST device")
    header.add_new(0x00280A02, "CS", "ZZTEST")  # a code that no list knows
    header.Manufacturer = "Zürich, ZZTEST"  # no plain text
    header.file_meta.SourceApplicationEntityTitle = "ZZTEST"
    header.file_meta.PrivateInformationCreatorUID = UNIQUE
    header.file_meta.PrivateInformation = b"ZZTEST"
    header.preamble = b"ZZTEST".ljust(128, b"\0")
    header.PixelData += b"ZZTEST"
    header.SpecificCharacterSet = "ISO_IR 192"
