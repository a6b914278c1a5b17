"""The bytes of a NIfTI file: all of them, checked, and not one more than promised."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from jaxtyping import Shaped

from tetract.errors import ReadError
from tetract.io.guard import reading
from tetract.io.nifti_header import NiftiHeader, parse_header
from tetract.io.sniff import Kind

_HEAD = 1024
_CHUNK = 1 << 20
# Deflate cannot pack more tightly than this (zlib's technical notes).
_MAX_RATIO = 1032


def read_nifti_header(path: Path, kind: Kind) -> NiftiHeader:
    """The checked header, without touching the voxels.

    Raises:
        ReadError: ``E_BAD_HEADER`` and the codes of ``parse_header``.
        GeometryError: See ``parse_header``.
    """
    with reading(path.name, code="E_BAD_HEADER", what="the NIfTI header is damaged"):
        head = b""
        for piece in _pieces(path, kind):
            head += piece
            if len(head) >= _HEAD:
                break
        return parse_header(head[:_HEAD], path.name)


def read_nifti_stored(path: Path, header: NiftiHeader, kind: Kind) -> Shaped[np.ndarray, "I J K"]:
    """The stored numbers, (i, j, k), before scaling.

    A gzip stream is read to its end, so that its checksum counts.

    Raises:
        ReadError: ``E_TRUNCATED`` or ``E_BAD_CHECKSUM``.
    """
    with reading(path.name, code="E_TRUNCATED", what="the voxel data are damaged or cut short"):
        end = header.offset + header.data_bytes
        size = path.stat().st_size
        if end > size * (_MAX_RATIO if kind is Kind.NIFTI_GZ else 1):
            raise _short(path.name, end, size, kind)
        content = bytearray(end)  # the size was held against the file's own just above
        at = 0
        for piece in _pieces(path, kind):
            take = min(len(piece), end - at)
            content[at : at + take] = piece[:take]
            at += take
        if at < end:
            raise _short(path.name, end, at, kind)
        flat = np.frombuffer(content, dtype=header.dtype, offset=header.offset)
        return flat.reshape(header.shape, order="F")


def _pieces(path: Path, kind: Kind) -> Iterator[bytes]:
    with path.open("rb") as file:
        if kind is Kind.NIFTI_GZ:
            yield from _inflated(file, path.name)
        else:
            yield from iter(lambda: file.read(_CHUNK), b"")


def _inflated(file: BinaryIO, where: str) -> Iterator[bytes]:
    """Every member of a gzip file, each to its end, so that its checksum is compared."""
    pending = file.read(_CHUNK)
    while pending.strip(b"\0"):  # zero padding after the last member is allowed
        stream = zlib.decompressobj(wbits=31)
        while not stream.eof:
            pending = pending or file.read(_CHUNK)
            yield _inflate(stream, pending, where)
            pending = stream.unconsumed_tail
        pending = stream.unused_data or file.read(_CHUNK)


def _inflate(stream: Any, packed: bytes, where: str) -> bytes:
    if not packed:
        raise ReadError(
            "E_TRUNCATED",
            "the compressed file ends too early",
            where=where,
            fix="Copy the file again",
        )
    try:
        return stream.decompress(packed, _CHUNK)
    except zlib.error:
        raise ReadError(
            "E_BAD_CHECKSUM",
            "the compressed data are damaged (gzip checksum or code)",
            where=where,
            fix="Copy the file again",
        ) from None


def _short(where: str, expected: int, found: int, kind: Kind) -> ReadError:
    packed = " compressed" if kind is Kind.NIFTI_GZ and found < expected // _MAX_RATIO else ""
    return ReadError(
        "E_TRUNCATED",
        "the file holds fewer bytes than its header promises",
        where=where,
        expected=f"{expected} bytes",
        found=f"{found}{packed} bytes",
        fix="Copy or convert the file again",
    )
