"""The parts of a PNG file that Pillow does not check while it decodes."""

from __future__ import annotations

import zlib
from dataclasses import dataclass

from tetract.errors import ReadError

_SIGNATURE_BYTES = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class PngHeader:
    """Fields of the IHDR chunk.

    Attributes:
        depth: Bits per sample.
        colour: 0 grey, 2 RGB, 3 palette, 4 grey with alpha, 6 RGB with alpha.
        animated: Whether the file holds several frames (APNG).
    """

    depth: int
    colour: int
    animated: bool


def check_png(content: bytes, where: str) -> PngHeader:
    """Verify every chunk's CRC and the end mark (W3C PNG, section 5).

    Raises:
        ReadError: ``E_IMAGE_DECODE`` naming the damaged chunk.
    """
    names: list[bytes] = []
    header = b""
    at = _SIGNATURE_BYTES
    while at < len(content) and b"IEND" not in names:
        length = int.from_bytes(content[at : at + 4], "big")
        name, body = content[at + 4 : at + 8], content[at + 8 : at + 8 + length]
        stored = content[at + 8 + length : at + 12 + length]
        if len(stored) < 4 or zlib.crc32(name + body).to_bytes(4, "big") != stored:
            raise _damaged(where, f"a damaged chunk at byte {at}")
        header = body if name == b"IHDR" else header
        names.append(name)
        at += 12 + length
    if b"IEND" not in names or len(header) < 13:
        raise _damaged(where, "no header or no end mark")
    return PngHeader(depth=header[8], colour=header[9], animated=b"acTL" in names)


def _damaged(where: str, found: str) -> ReadError:
    return ReadError(
        "E_IMAGE_DECODE",
        "the PNG file is damaged",
        where=where,
        expected="whole chunks with matching checksums",
        found=found,
        fix="Copy or export the picture again",
    )
