"""A stream that ends in an error before it fills memory or the disk."""

from __future__ import annotations

import io
from typing import Final

from tetract.errors import ReadError

_MOST_AT_ONCE: Final = 8 * 2**20


class CappedFile:
    """Another stream, up to a position and never much at once.

    Tar headers say how long they are, and the library reads them in one piece.

    Args:
        stream: What is read; seekable.
        most_bytes: The furthest position.
        where: Base name for the error.
    """

    def __init__(self, stream: io.BufferedIOBase, most_bytes: int, where: str) -> None:
        self._stream = stream
        self._most = most_bytes
        self._where = where

    def read(self, size: int) -> bytes:
        """Read ``size`` bytes.

        Raises:
            ReadError: ``E_ARCHIVE_LIMIT`` beyond the furthest position or for over 8 MiB at once.
        """
        self._check(self._stream.tell() + size)
        if not 0 <= size <= _MOST_AT_ONCE:
            raise self._beyond(f"{_MOST_AT_ONCE} bytes at once")
        return self._stream.read(size)

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to a position; a compressed stream is read up to it.

        Raises:
            ReadError: ``E_ARCHIVE_LIMIT`` beyond the furthest position.
        """
        self._check(offset if whence == io.SEEK_SET else self._stream.tell() + offset)
        return self._stream.seek(offset, whence)

    def tell(self) -> int:
        """The position."""
        return self._stream.tell()

    def _check(self, position: int) -> None:
        if position > self._most:
            raise self._beyond(f"{self._most} bytes")

    def _beyond(self, most: str) -> ReadError:
        return ReadError(
            "E_ARCHIVE_LIMIT",
            "the archive grows beyond reason; nothing was unpacked",
            where=self._where,
            expected=f"at most {most}",
            fix="Unpack it with a program of your own, if you trust it",
        )
