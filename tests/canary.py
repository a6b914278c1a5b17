"""A patient who never lived, in every corner of a DICOM file: none of it may be found again."""

from __future__ import annotations

import gzip
import re
import zipfile
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from pydicom.datadict import dictionary_VR, tag_for_keyword
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset

from tetract.cli import main
from tetract.io import SeriesIdentity, write_dicom_series
from tetract.io.deid.actions import TABLE_E1_1
from tetract.types import Geometry, Provenance, Volume

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


def salted_series(folder: Path) -> Path:
    """Four slices of noise under a neutral name, full of canaries."""
    shape = (4, 64, 64)
    noise = np.random.default_rng(len(folder.name)).integers(-1000, 400, shape)
    volume = Volume(
        values=noise.astype(np.int16),
        hu_known=True,
        geometry=Geometry(affine=np.eye(4)[[2, 1, 0, 3]], shape=shape),
        provenance=Provenance(reader="dicom", name="made", slice_names=("x",) * 4),
    )
    for path in write_dicom_series(folder, volume, series=SeriesIdentity(seed=folder.name)):
        header = pydicom.dcmread(path)
        salt(header)
        header.BurnedInAnnotation = "YES"
        header.save_as(path)
        assert CANARY.search(path.read_bytes())
    return folder


class Shell:
    """Runs commands and keeps what they print."""

    def __init__(self, capfd: pytest.CaptureFixture[str]) -> None:
        self.capfd = capfd
        self.printed = ""

    def __call__(self, *arguments: object) -> int:
        code = int(main._guarded([str(a) for a in arguments]))
        told = self.capfd.readouterr()
        self.printed += told.out + told.err
        return code


def assert_clean(printed: str, *folders: Path) -> None:
    """No canary on the screen, in the name of a file, or in a file, packed or not."""
    assert not CANARY.search(printed.encode())
    files = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
    assert files or not folders
    for path in files:
        assert not CANARY.search(path.name.encode())
        for content in _unpacked(path.read_bytes()):
            assert not CANARY.search(content), path.name


def _unpacked(content: bytes) -> Iterator[bytes]:
    yield content
    if content.startswith(b"\x1f\x8b"):
        yield gzip.decompress(content)
    if content.startswith(b"PK\x03\x04"):
        with zipfile.ZipFile(BytesIO(content)) as archive:
            for name in archive.namelist():
                yield name.encode() + archive.read(name)
