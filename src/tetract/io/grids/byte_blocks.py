"""A block of bytes out of a file: all of it, checked, and not one more than promised."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import Any, BinaryIO

from tetract.errors import ReadError

_CHUNK = 1 << 20
# Deflate cannot pack more tightly than this (zlib's technical notes).
_MAX_RATIO = 1032


class Packing(StrEnum):
    """How a block is packed."""

    RAW = "raw"
    ZLIB = "zlib"
    GZIP = "gzip"


_WINDOW_BITS = {Packing.ZLIB: zlib.MAX_WBITS, Packing.GZIP: 16 + zlib.MAX_WBITS}


def read_block(
    path: Path, *, start: int, size: int, packing: Packing, where: str, exact: bool
) -> bytearray:
    """``size`` bytes, unpacked, of the block that begins at byte ``start`` of a file.

    A packed block is read to its end, so that its checksum counts.

    Args:
        path: The file.
        start: First byte of the block, packed or not.
        size: Bytes after unpacking.
        packing: How it is packed.
        where: Base name for errors.
        exact: Whether bytes beyond ``size`` are refused: they may mean that the block begins
            elsewhere.

    Raises:
        ReadError: ``E_TRUNCATED``, ``E_BAD_CHECKSUM``, ``E_BAD_HEADER`` for too many bytes.
    """
    held = max(0, path.stat().st_size - start)
    if size > held * (1 if packing is Packing.RAW else _MAX_RATIO):
        raise _short(where, size, held, packing)
    content = bytearray(size)  # the size was held against the file's own just above
    at = 0
    for piece in pieces(path, packing, where, start=start):
        take = min(len(piece), size - at)
        content[at : at + take] = piece[:take]
        at += take
        if exact and take < len(piece):
            raise ReadError(
                "E_BAD_HEADER",
                "the file holds more bytes than its header promises",
                where=where,
                expected=f"{size} bytes of voxels",
                found="more",
                fix="Correct the sizes or the type of the voxels in the header",
            )
    if at < size:
        raise _short(where, size, at, Packing.RAW)
    return content


def pieces(path: Path, packing: Packing, where: str, *, start: int = 0) -> Iterator[bytes]:
    """The unpacked bytes from ``start`` on, piece by piece.

    Raises:
        ReadError: ``E_TRUNCATED`` or ``E_BAD_CHECKSUM``.
    """
    with path.open("rb") as file:
        file.seek(start)
        if packing is Packing.RAW:
            yield from iter(lambda: file.read(_CHUNK), b"")
        else:
            yield from _inflated(file, packing, where)


def _inflated(file: BinaryIO, packing: Packing, where: str) -> Iterator[bytes]:
    """Every member of a gzip file, or one zlib stream, to its end, so that checksums count."""
    pending = file.read(_CHUNK)
    while pending.strip(b"\0"):  # zero padding after the last member is allowed
        stream = zlib.decompressobj(wbits=_WINDOW_BITS[packing])
        while not stream.eof:
            pending = pending or file.read(_CHUNK)
            yield _inflate(stream, pending, where)
            pending = stream.unconsumed_tail
        if packing is Packing.ZLIB:
            return
        pending = stream.unused_data or file.read(_CHUNK)


def _inflate(stream: Any, packed: bytes, where: str) -> bytes:
    if not packed:
        raise ReadError(
            "E_TRUNCATED",
            "the compressed data end too early",
            where=where,
            fix="Copy the file again",
        )
    try:
        return stream.decompress(packed, _CHUNK)
    except zlib.error:
        raise ReadError(
            "E_BAD_CHECKSUM",
            "the compressed data are damaged (checksum or code)",
            where=where,
            fix="Copy the file again",
        ) from None


def _short(where: str, expected: int, found: int, packing: Packing) -> ReadError:
    packed = "" if packing is Packing.RAW else " compressed"
    return ReadError(
        "E_TRUNCATED",
        "the file holds fewer bytes than its header promises",
        where=where,
        expected=f"{expected} bytes",
        found=f"{found}{packed} bytes",
        fix="Copy or convert the file again",
    )
