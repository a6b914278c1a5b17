"""The frames of a segmentation as numbers (DICOM PS3.3 C.8.20.2, PS3.5 section 8.2)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Shaped, UInt8
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate, get_frame
from pydicom.uid import UID

from tetract.errors import ReadError
from tetract.io.dicom.header import bad_attribute, integer, text, transfer_syntax
from tetract.io.dicom.pixels import PixelFormat, stored_pixels
from tetract.io.guard import reading

MAX_SEG_PIXELS = 2**33


@dataclass(frozen=True, slots=True, kw_only=True)
class SegPixels:
    """The pixels of all frames, unpacked one at a time.

    Attributes:
        content: Value of Pixel Data (7FE0,0010).
        frames: Number of frames.
        format: How one frame is stored; ``allocated`` is 1 for packed bits.
        where: Base name of the file.
    """

    content: bytes
    frames: int
    format: PixelFormat
    where: str

    def frame(self, index: int) -> Shaped[np.ndarray, "H W"]:
        """Frame ``index`` from 0, (H, W): 0 and 1, fractions, or segment numbers.

        Raises:
            ReadError: ``E_PIXEL_DECODE``, ``E_PIXEL_TRUNCATED`` or ``E_TRANSFER_SYNTAX``.
            MachineError: ``E_CODEC_MISSING``.
        """
        layout = self.format
        if layout.allocated == 1:
            return self._bits(index)
        if layout.syntax.is_encapsulated:
            with reading(self.where, code="E_PIXEL_DECODE", what="a frame is damaged"):
                single = get_frame(self.content, index, number_of_frames=self.frames)
            content = encapsulate([single], has_bot=False)
        else:
            size = layout.native_bytes
            content = self.content[index * size : (index + 1) * size]
        return stored_pixels(content, layout, self.where)[0]

    def _bits(self, index: int) -> UInt8[np.ndarray, "H W"]:
        # Frames follow one another without a gap: one may begin in the middle of a byte.
        size = self.format.rows * self.format.columns
        begin, end = index * size, (index + 1) * size
        packed = np.frombuffer(self.content[begin // 8 : (end + 7) // 8], dtype=np.uint8)
        bits = np.unpackbits(packed, bitorder="little")[begin % 8 : begin % 8 + size]
        return bits.reshape(self.format.rows, self.format.columns)


def seg_pixels(found: Dataset, frames: int, where: str) -> SegPixels:
    """Check how the frames are stored, before anything is allocated.

    Args:
        found: The segmentation.
        frames: How many frames its functional groups describe.
        where: Base name of the file.

    Raises:
        ReadError: ``E_BAD_ATTRIBUTE``, ``E_BAD_BITS``, ``E_TOO_LARGE``, ``E_TRANSFER_SYNTAX``, or
            ``E_SEG_FRAMES`` when descriptions and pixels differ in number.
    """
    layout = _format(found, where)
    stated = integer(found, "NumberOfFrames", where)
    content = found.get("PixelData")
    if not isinstance(content, bytes):
        raise bad_attribute("PixelData", where, "nothing")
    if stated not in (None, frames):
        raise bad_frames(where, f"{frames} frames, as described one by one", f"{stated} stated")
    if layout.rows * layout.columns * frames > MAX_SEG_PIXELS:
        raise ReadError(
            "E_TOO_LARGE",
            "the segmentation claims more pixels than we read",
            where=where,
            expected=f"at most {MAX_SEG_PIXELS}",
            found=f"{frames} frames of {layout.rows} x {layout.columns}",
            fix="Split it by segment",
        )
    needed = (layout.rows * layout.columns * layout.allocated * frames + 7) // 8
    if not layout.syntax.is_encapsulated and len(content) < needed:
        told = f"{len(content)} bytes of pixels"
        raise bad_frames(where, f"{needed} bytes for {frames} frames", told)
    return SegPixels(content=content, frames=frames, format=layout, where=where)


def _format(found: Dataset, where: str) -> PixelFormat:
    kind = text(found, "SegmentationType").upper()
    allowed = {"BINARY": (1,), "FRACTIONAL": (8,), "LABELMAP": (8, 16)}.get(kind, ())
    allocated = integer(found, "BitsAllocated", where) or 0
    if allocated not in allowed:
        raise ReadError(
            "E_BAD_BITS",
            "the type of the segmentation and the bits of its pixels contradict each other",
            where=where,
            expected="BINARY of 1 bit, FRACTIONAL of 8 or LABELMAP of 8 or 16 bits",
            found=f"{kind[:16] or 'no type'} of {allocated} bits",
            fix="Export the segmentation again",
        )
    sizes = [integer(found, keyword, where) or 0 for keyword in ("Rows", "Columns")]
    for keyword, size in zip(("Rows", "Columns"), sizes, strict=True):
        if size < 1:
            raise bad_attribute(keyword, where, str(size))
    syntax = UID(transfer_syntax(found))
    if allocated == 1 and syntax.is_encapsulated:
        raise ReadError(
            "E_TRANSFER_SYNTAX",
            "compressed BINARY segmentations are not read",
            where=where,
            found=syntax.name[:64],
            fix="Export the segmentation without compression",
        )
    return PixelFormat(
        rows=sizes[0],
        columns=sizes[1],
        allocated=allocated,
        stored=allocated,
        signed=False,
        photometric="MONOCHROME2",
        syntax=syntax,
        lossy=False,
    )


def bad_frames(where: str, expected: str, found: str) -> ReadError:
    """The error for frames, pixels and descriptions that do not belong together."""
    return ReadError(
        "E_SEG_FRAMES",
        "the frames of the segmentation and their descriptions do not belong together",
        where=where,
        expected=expected,
        found=found,
        fix="Export the segmentation again",
    )
