"""DICOM headers: what is read of them, and how a wrong value is told."""

from __future__ import annotations

import math
import zlib
from pathlib import Path
from typing import Any

import pydicom
from pydicom.datadict import dictionary_description, tag_for_keyword
from pydicom.dataset import Dataset
from pydicom.filereader import read_file_meta_info
from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

from tetract.errors import GeometryError, ReadError
from tetract.io.dicom.depth import check_depth
from tetract.io.guard import reading

# Nothing that names a patient, a person or a place is ever parsed.
HEADER_TAGS = (
    "SOPClassUID",
    "ImageType",
    "Modality",
    "SeriesInstanceUID",
    "FrameOfReferenceUID",
    "InstanceNumber",
    "ImagesInAcquisition",
    "AcquisitionNumber",
    "ImagePositionPatient",
    "ImageOrientationPatient",
    "PixelSpacing",
    "SliceThickness",
    "Rows",
    "Columns",
    "NumberOfFrames",
    "SamplesPerPixel",
    "PhotometricInterpretation",
    "BitsAllocated",
    "BitsStored",
    "HighBit",
    "PixelRepresentation",
    "PixelPaddingValue",
    "PixelPaddingRangeLimit",
    "RescaleSlope",
    "RescaleIntercept",
    "RescaleType",
    "BurnedInAnnotation",
    "LossyImageCompression",
    "SharedFunctionalGroupsSequence",
    "PerFrameFunctionalGroupsSequence",
)
_PIXEL_TAGS = ("PixelData", "FloatPixelData", "DoubleFloatPixelData")
_DEFLATED = b"1.2.840.10008.1.2.1.99"
_META_BYTES = 16_384
_INFLATED_FLOOR = 64 * 2**20
_INFLATED_CAP = 2**31


def read_dicom(path: Path, *, pixels: bool, force: bool = False) -> Dataset:
    """The tags we use of one DICOM file, with or without its pixel data.

    Args:
        path: The file.
        pixels: Whether its pixel data are read too.
        force: Whether preamble and file meta information may be missing (PS3.10 section 7.1).

    Raises:
        ReadError: ``E_BAD_DICOM``, ``E_TOO_DEEP``, ``E_TOO_LARGE`` (deflate bomb),
            ``E_BAD_ATTRIBUTE`` (no transfer syntax) or ``E_CANNOT_READ``.
    """
    with reading(path.name, code="E_BAD_DICOM", what="the DICOM file is damaged or cut short"):
        _check_deflate(path)
        check_depth(path)
        names = [*HEADER_TAGS, *(_PIXEL_TAGS if pixels else ())]
        header = pydicom.dcmread(
            path, stop_before_pixels=not pixels, specific_tags=list(names), force=force
        )
        if not force and is_forced(header):
            raise bad_attribute("TransferSyntaxUID", path.name, "nothing")
        _check_encoding(header, path.name)
        return header


def read_pixel_data(path: Path) -> Dataset:
    """Only the pixel data of a file whose header was read before, forced or not.

    Raises:
        ReadError: As ``read_dicom``.
    """
    with reading(path.name, code="E_BAD_DICOM", what="the DICOM file is damaged or cut short"):
        _check_deflate(path)
        found = pydicom.dcmread(path, specific_tags=list(_PIXEL_TAGS), force=True)
        _check_encoding(found, path.name)
        return found


def transfer_syntax(header: Dataset) -> str:
    """The UID that says how the file is encoded; without one, what its first element shows."""
    stated = header.file_meta.get("TransferSyntaxUID")
    if stated:
        return str(stated)
    implicit, little = header.original_encoding
    if implicit:
        return str(ImplicitVRLittleEndian)
    return str(ExplicitVRLittleEndian if little else ExplicitVRBigEndian)


def is_forced(header: Any) -> bool:
    """Whether the file lacks its preamble, or does not say how it is encoded."""
    return header.preamble is None or not header.file_meta.get("TransferSyntaxUID")


def text(header: Dataset, keyword: str) -> str:
    """A string attribute, stripped; empty where it is absent."""
    value = _raw(header, keyword, "")
    return "" if value is None else str(value).strip().strip("\0")


def words(header: Dataset, keyword: str) -> tuple[str, ...]:
    """A multi-valued string attribute in upper case."""
    value = _raw(header, keyword, "")
    if value is None:
        return ()
    parts: list[Any] = [value] if isinstance(value, str) else list(value)
    return tuple(str(part).strip().upper() for part in parts)


def numbers(header: Dataset, keyword: str, where: str) -> tuple[float, ...]:
    """A numeric attribute as finite floats; empty where it is absent or empty.

    Raises:
        ReadError: ``E_BAD_ATTRIBUTE`` naming the tag.
    """
    value = _raw(header, keyword, where)
    if value is None or (isinstance(value, str) and not value.strip()):
        return ()
    parts: list[Any] = (
        list(value)
        if hasattr(value, "__iter__") and not isinstance(value, str | bytes)
        else [value]
    )
    try:
        floats = tuple(float(part) for part in parts)
    except (TypeError, ValueError, OverflowError):
        raise bad_attribute(keyword, where, "something that is no number") from None
    if not all(math.isfinite(number) for number in floats):
        raise bad_attribute(keyword, where, "NaN or infinity")
    return floats


def number(header: Dataset, keyword: str, where: str) -> float | None:
    """A single numeric attribute, None where it is absent.

    Raises:
        ReadError: ``E_BAD_ATTRIBUTE`` naming the tag.
    """
    values = numbers(header, keyword, where)
    if len(values) > 1:
        raise bad_attribute(keyword, where, f"{len(values)} values")
    return values[0] if values else None


def integer(header: Dataset, keyword: str, where: str) -> int | None:
    """A single whole number, None where it is absent.

    Raises:
        ReadError: ``E_BAD_ATTRIBUTE`` naming the tag.
    """
    value = number(header, keyword, where)
    if value is not None and value != int(value):
        raise bad_attribute(keyword, where, f"{value:g}")
    return None if value is None else int(value)


def tag_name(keyword: str) -> str:
    """``Image Position (Patient) (0020,0032)`` for ``ImagePositionPatient``."""
    tag = tag_for_keyword(keyword) or 0
    return f"{dictionary_description(tag)} ({tag >> 16:04X},{tag & 0xFFFF:04X})"


def bad_attribute(keyword: str, where: str, found: str) -> ReadError:
    """The error for an attribute whose value cannot be used."""
    return ReadError(
        "E_BAD_ATTRIBUTE",
        f"{tag_name(keyword)} cannot be used",
        where=where,
        found=found,
        fix="Export the image again",
    )


def no_geometry(keyword: str, where: str, count: int) -> GeometryError:
    """The error for an absent attribute that places the slice."""
    return GeometryError(
        "E_NO_GEOMETRY",
        f"{tag_name(keyword)} is missing, so the slice has no place in the patient",
        where=where,
        expected=f"{count} numbers",
        found="nothing",
        fix="Export the original series; derived pictures often lose this",
    )


def _raw(header: Dataset, keyword: str, where: str) -> Any:
    try:
        return header.get(keyword)
    except RecursionError:
        raise
    except Exception:  # noqa: BLE001 - pydicom parses lazily and raises many types here
        raise bad_attribute(keyword, where, "a value that cannot be parsed") from None


def _check_encoding(header: Dataset, where: str) -> None:
    """Refuse compressed pixels of a file that does not say how they are compressed.

    Raises:
        ReadError: ``E_BAD_ATTRIBUTE``.
    """
    if header.file_meta.get("TransferSyntaxUID") or "PixelData" not in header:
        return
    if header["PixelData"].is_undefined_length:
        raise bad_attribute("TransferSyntaxUID", where, "nothing, for compressed pixels")


def _check_deflate(path: Path) -> None:
    """Inflate a deflated file piece by piece before pydicom does so in one go.

    Raises:
        ReadError: ``E_TOO_LARGE`` beyond 64 times the file (at least 64 MiB, at most 2 GiB).
    """
    with path.open("rb") as file:
        if _DEFLATED not in file.read(_META_BYTES):
            return
        length = int(read_file_meta_info(path).FileMetaInformationGroupLength)
        file.seek(128 + 4 + 12 + length)
        size = path.stat().st_size
        cap = max(_INFLATED_FLOOR, min(64 * size, _INFLATED_CAP))
        stream = zlib.decompressobj(wbits=-zlib.MAX_WBITS)
        inflated = 0
        pending = b""
        while not stream.eof and (pending := pending or file.read(2**16)):
            inflated += len(stream.decompress(pending, 2**20))
            pending = stream.unconsumed_tail
            if inflated > cap:
                raise ReadError(
                    "E_TOO_LARGE",
                    "the deflated file inflates beyond reason",
                    where=path.name,
                    expected=f"at most {cap} bytes",
                    found=f"more, from {size} bytes",
                    fix="Export the image without deflate compression",
                )
