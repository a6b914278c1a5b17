"""What a file is, by its content and never by its name."""

from __future__ import annotations

import re
import zlib
from enum import StrEnum
from pathlib import Path

from tetract.errors import ReadError

HEAD_BYTES = 1024
_MAGIC_END = 348  # of NIfTI-1; short of a small file's checksum, which is the reader's matter

# Both byte orders, and the same with 64-bit offsets.
_TIFF_STARTS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
# The groups with which a DICOM file begins that lost its preamble, in both byte orders.
_BARE_STARTS = (b"\x02\0", b"\x08\0", b"\0\x02", b"\0\x08")
# MetaIO writes one of these first.
_META_START = re.compile(rb"\s*(ObjectType|ObjectSubType|Comment|NDims)\s*=\s*\S")


class Kind(StrEnum):
    """The formats that are read, and two that are not."""

    PNG = "png"
    JPEG = "jpeg"
    TIFF = "tiff"
    DICOM = "dicom"
    NIFTI = "nifti"
    NIFTI_GZ = "nifti-gz"
    METAIMAGE = "metaimage"
    NRRD = "nrrd"
    EMPTY = "empty"
    OTHER = "other"


_SUFFIXES = {
    ".png": {Kind.PNG},
    ".jpg": {Kind.JPEG},
    ".jpeg": {Kind.JPEG},
    ".jfif": {Kind.JPEG},
    ".tif": {Kind.TIFF},
    ".tiff": {Kind.TIFF},
    ".dcm": {Kind.DICOM},
    ".dicom": {Kind.DICOM},
    ".nii": {Kind.NIFTI},
    ".gz": {Kind.NIFTI_GZ},
    ".mhd": {Kind.METAIMAGE},
    ".mha": {Kind.METAIMAGE},
    ".nrrd": {Kind.NRRD},
    ".nhdr": {Kind.NRRD},
}


def sniff(path: Path) -> Kind:
    """Say what ``path`` holds.

    DICOM counts only with its preamble (PS3.10 section 7.1): without one, nothing tells a slice
    from noise.

    Raises:
        ReadError: ``E_NOT_FOUND`` or ``E_CANNOT_READ``.
    """
    if not path.exists():
        raise ReadError("E_NOT_FOUND", "no such file", where=path.name, fix="Check the path")
    try:
        with path.open("rb") as file:
            head = file.read(HEAD_BYTES)
    except OSError as fault:
        raise ReadError(
            "E_CANNOT_READ",
            "the file cannot be opened",
            where=path.name,
            found=type(fault).__name__,
            fix="Check that it is a file and that you may read it",
        ) from None
    return kind_of(head)


def kind_of(head: bytes) -> Kind:
    """The kind that the first bytes of a file show."""
    signs = {
        Kind.EMPTY: not head,
        # A signature that a transfer has damaged still leaves the first chunk's name behind it.
        Kind.PNG: head.startswith(b"\x89") and b"IHDR" in head[:32],
        Kind.JPEG: head.startswith(b"\xff\xd8\xff"),
        Kind.DICOM: head[128:132] == b"DICM",
        Kind.TIFF: head.startswith(_TIFF_STARTS),
        Kind.NIFTI: _is_nifti(head),
        Kind.METAIMAGE: _META_START.match(head) is not None,
        Kind.NRRD: head.startswith(b"NRRD000"),
        Kind.NIFTI_GZ: head.startswith(b"\x1f\x8b") and _is_nifti(_inflate(head)),
    }
    return next((kind for kind, seen in signs.items() if seen), Kind.OTHER)


def sniff_image(path: Path, *, forced: bool = False) -> Kind:
    """As ``sniff``, refusing what is no image.

    Args:
        path: The file.
        forced: Whether DICOM without preamble was looked for already, which need not be proposed.

    Raises:
        ReadError: ``E_NOT_FOUND``, ``E_EMPTY_FILE``, ``E_NOT_AN_IMAGE``, ``E_CANNOT_READ``.
    """
    kind = sniff(path)
    if kind is Kind.EMPTY:
        raise ReadError(
            "E_EMPTY_FILE",
            "the file is empty",
            where=path.name,
            found="0 bytes",
            fix="Copy or export it again",
        )
    if kind is Kind.OTHER:
        raise ReadError(
            "E_NOT_AN_IMAGE",
            "the content is none of the formats we read",
            where=path.name,
            expected="DICOM with preamble, NIfTI, MetaImage, NRRD, PNG, JPEG or TIFF",
            fix="If it is DICOM without preamble, allow it with --force"
            if not forced and may_be_bare_dicom(path)
            else "Give an image file, or convert it first",
        )
    return kind


def may_be_bare_dicom(path: Path) -> bool:
    """Whether a file of no kind begins like DICOM without preamble: with group 0002 or 0008."""
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
    return kind_of(head) is Kind.OTHER and head.startswith(_BARE_STARTS)


def extension_warnings(path: Path, kind: Kind) -> tuple[str, ...]:
    """``W_EXTENSION`` where a known suffix promises another format than the content."""
    promised = _SUFFIXES.get(path.suffix.lower())
    if promised is None or kind in promised:
        return ()
    return (f"W_EXTENSION {path.name}: the content is {kind.value}; the file name says otherwise",)


def _is_nifti(head: bytes) -> bool:
    size = (int.from_bytes(head[:4], "little"), int.from_bytes(head[:4], "big"))
    if 348 in size:
        return head[344:347] in (b"n+1", b"ni1")
    return 540 in size and head[4:7] in (b"n+2", b"ni2")


def _inflate(head: bytes) -> bytes:
    try:
        return zlib.decompressobj(wbits=31).decompress(head, _MAGIC_END)
    except zlib.error:
        return b""
