"""Stored pixel values of one CT slice (DICOM PS3.5 section 8)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Integer
from pydicom.dataset import Dataset
from pydicom.uid import UID, RLELossless

from tetract.errors import MachineError, ReadError
from tetract.io.dicom.codecs import brought_by, installed_plugin, plugins_for
from tetract.io.dicom.decode_client import decode_in_child
from tetract.io.dicom.decode_worker import decode
from tetract.io.dicom.header import bad_attribute, integer, text, transfer_syntax

MAX_PIXELS = 2**26
_JPEG = "1.2.840.10008.1.2.4."
_ALWAYS_LOSSY = (_JPEG + "50", _JPEG + "51")
_MAYBE_LOSSY = (_JPEG + "81", _JPEG + "91", _JPEG + "203")
_END_OF_IMAGE = b"\xff\xd9"


@dataclass(frozen=True, slots=True, kw_only=True)
class PixelFormat:
    """How pixels are stored.

    Attributes:
        rows: Height in px.
        columns: Width in px.
        allocated: Bits per pixel in the file: 8, 16 or 32.
        stored: Bits that carry the value.
        signed: Whether values are two's complement.
        photometric: MONOCHROME2, or MONOCHROME1 for a picture that is to be shown inverted.
        syntax: UID of the transfer syntax.
        lossy: Whether the pixels were compressed with loss.
    """

    rows: int
    columns: int
    allocated: int
    stored: int
    signed: bool
    photometric: str
    syntax: UID
    lossy: bool

    @property
    def native_bytes(self) -> int:
        """Bytes of one uncompressed frame."""
        return self.rows * self.columns * self.allocated // 8


def pixel_format(header: Dataset, path: Path) -> PixelFormat:
    """Read and check how pixels are stored, before anything is allocated.

    Raises:
        ReadError: ``E_BAD_ATTRIBUTE``, ``E_COLOUR``, ``E_BAD_BITS``, ``E_TOO_LARGE`` or
            ``E_PIXEL_TRUNCATED`` when the whole file is smaller than its pixels would be.
    """
    where = path.name
    photometric = text(header, "PhotometricInterpretation").upper()
    if _needed(header, "SamplesPerPixel", where) != 1 or not photometric.startswith("MONOCHROME"):
        raise ReadError(
            "E_COLOUR",
            "the image is in colour",
            where=where,
            expected="one sample per pixel, MONOCHROME2",
            found=photometric[:16] or "no photometric interpretation",
            fix="Give the original CT slice",
        )
    made = PixelFormat(
        rows=_needed(header, "Rows", where),
        columns=_needed(header, "Columns", where),
        allocated=_needed(header, "BitsAllocated", where),
        stored=_needed(header, "BitsStored", where),
        signed=_needed(header, "PixelRepresentation", where) == 1,
        photometric=photometric,
        syntax=(syntax := UID(transfer_syntax(header))),
        lossy=_lossy(header, syntax),
    )
    for keyword, size in (("Rows", made.rows), ("Columns", made.columns)):
        if size < 1:
            raise bad_attribute(keyword, where, str(size))
    _check_bits(made, integer(header, "HighBit", where), where)
    if not syntax.is_compressed:
        _check_bytes(made, path.stat().st_size, "the whole file", where)
    elif made.rows * made.columns > MAX_PIXELS:
        raise ReadError(
            "E_TOO_LARGE",
            "the header claims more pixels than we read",
            where=where,
            expected=f"at most {MAX_PIXELS}",
            found=f"{made.rows} x {made.columns}",
            fix="Check the file",
        )
    return made


def stored_pixels(
    content: bytes, pixels: PixelFormat, where: str
) -> tuple[Integer[np.ndarray, "H W"], tuple[str, ...]]:
    """Decode the value of Pixel Data: (H, W) integers in native byte order, and warnings.

    Native and RLE pixels are decoded here, JPEG and its kin in a child process.

    Raises:
        ReadError: ``E_PIXEL_TRUNCATED``, ``E_PIXEL_DECODE`` or ``E_TRANSFER_SYNTAX``.
        MachineError: ``E_CODEC_MISSING``.
    """
    notes: tuple[str, ...] = ()
    if not pixels.syntax.is_encapsulated:
        _check_bytes(pixels, len(content), "its pixel data", where)
        if len(content) > pixels.native_bytes + 1:
            extra = len(content) - pixels.native_bytes
            notes = (f"W_PIXEL_PADDED {where}: {extra} bytes after the pixels were ignored",)
        stored = _native(content, pixels)
    elif pixels.syntax == RLELossless:
        stored = _run_lengths(content, pixels, where)
    else:
        stored = _codestream(content, pixels, where)
    if stored.shape != (pixels.rows, pixels.columns):
        raise ReadError(
            "E_PIXEL_DECODE",
            "the decoded image has another size than its header says",
            where=where,
            expected=f"{pixels.rows} x {pixels.columns}",
            found=" x ".join(str(n) for n in stored.shape),
            fix="Export the image again",
        )
    return stored, notes


def pixel_data(header: Dataset, pixels: PixelFormat, where: str) -> bytes:
    """The bytes of Pixel Data (7FE0,0010).

    Raises:
        ReadError: ``E_PIXEL_TYPE`` for floating-point pixels, ``E_PIXEL_TRUNCATED`` for none.
    """
    content = header.get("PixelData")
    if isinstance(content, bytes):
        return content
    if header.get("FloatPixelData") is not None or header.get("DoubleFloatPixelData") is not None:
        raise ReadError(
            "E_PIXEL_TYPE",
            "pixels are floating-point numbers, which no CT slice uses",
            where=where,
            expected="integers in Pixel Data (7FE0,0010)",
            fix="Export the original CT slice",
        )
    raise _truncated(pixels, 0, "its pixel data", where)


def _native(content: bytes, pixels: PixelFormat) -> Integer[np.ndarray, "H W"]:
    order = "<" if pixels.syntax.is_little_endian else ">"
    dtype = np.dtype(f"{order}{'i' if pixels.signed else 'u'}{pixels.allocated // 8}")
    flat = np.frombuffer(content, dtype=dtype, count=pixels.rows * pixels.columns)
    stored = flat.reshape(pixels.rows, pixels.columns).astype(dtype.newbyteorder("="), copy=False)
    unused = pixels.allocated - pixels.stored
    # Old files keep overlays up there; an arithmetic shift also extends the sign.
    return (stored << unused) >> unused if unused else stored


def _run_lengths(content: bytes, pixels: PixelFormat, where: str) -> Integer[np.ndarray, "H W"]:
    try:
        return decode(content, _request(pixels, "pydicom"))
    except Exception as fault:  # noqa: BLE001 - damaged run lengths raise many types
        raise ReadError(
            "E_PIXEL_DECODE",
            "the compressed pixels cannot be decoded",
            where=where,
            found=type(fault).__name__,
            fix="Export the image again, without compression if possible",
        ) from None


def _codestream(content: bytes, pixels: PixelFormat, where: str) -> Integer[np.ndarray, "H W"]:
    request = _request(pixels, _plugin(pixels.syntax, pixels, where))
    if not content.rstrip(b"\0").endswith(_END_OF_IMAGE):
        raise ReadError(
            "E_PIXEL_DECODE",
            "the compressed image has no end",
            where=where,
            expected="the end-of-image mark FF D9",
            found=f"{len(content)} bytes without it",
            fix="Export the image again",
        )
    return decode_in_child(content, request, where)


def _request(pixels: PixelFormat, plugin: str) -> dict[str, Any]:
    return {
        "transfer_syntax": str(pixels.syntax),
        "plugin": plugin,
        "rows": pixels.rows,
        "columns": pixels.columns,
        "samples_per_pixel": 1,
        "photometric_interpretation": pixels.photometric,
        "bits_allocated": pixels.allocated,
        "bits_stored": pixels.stored,
        "pixel_representation": int(pixels.signed),
    }


def _plugin(syntax: str, pixels: PixelFormat, where: str) -> str:
    known = plugins_for(syntax, pixels.stored)
    if not known:
        raise ReadError(
            "E_TRANSFER_SYNTAX",
            "this way of storing pixels is not read",
            where=where,
            found=UID(syntax).name[:64],
            fix="Export the image without compression",
        )
    plugin = installed_plugin(syntax, pixels.stored)
    if plugin is None:
        raise MachineError(
            "E_CODEC_MISSING",
            f"no codec for {UID(syntax).name[:64]} is installed",
            where=where,
            expected=" or ".join(known),
            fix=f"Run `pip install {brought_by(syntax, pixels.stored)}`, or export the image"
            " without compression; `tetract doctor` lists what can be read",
        )
    return plugin


def _needed(header: Dataset, keyword: str, where: str) -> int:
    value = integer(header, keyword, where)
    if value is None:
        raise bad_attribute(keyword, where, "nothing")
    return value


def _check_bits(pixels: PixelFormat, high_bit: int | None, where: str) -> None:
    fits = pixels.allocated in (8, 16, 32) and 1 <= pixels.stored <= pixels.allocated
    if not fits or high_bit not in (None, pixels.stored - 1):
        high = "" if high_bit is None else f", high bit {high_bit}"
        raise ReadError(
            "E_BAD_BITS",
            "the bits of a pixel contradict each other",
            where=where,
            expected="8, 16 or 32 bits allocated, no more stored, high bit one less than stored",
            found=f"{pixels.allocated} allocated, {pixels.stored} stored{high}",
            fix="Export the image again",
        )


def _check_bytes(pixels: PixelFormat, found: int, of_what: str, where: str) -> None:
    if found < pixels.native_bytes:
        raise _truncated(pixels, found, of_what, where)


def _truncated(pixels: PixelFormat, found: int, of_what: str, where: str) -> ReadError:
    return ReadError(
        "E_PIXEL_TRUNCATED",
        "pixel data are cut short",
        where=where,
        expected=f"{pixels.native_bytes} bytes for {pixels.rows} x {pixels.columns} pixels",
        found=f"{found} bytes in {of_what}",
        fix="Copy or export the image again",
    )


def _lossy(header: Dataset, syntax: UID) -> bool:
    flag = text(header, "LossyImageCompression")
    return flag == "01" or syntax in _ALWAYS_LOSSY or (syntax in _MAYBE_LOSSY and flag != "00")
