"""What zip and tar files hold, told alike: plain files and folders, and nothing else."""

from __future__ import annotations

import bz2
import gzip
import io
import itertools
import lzma
import stat
import struct
import tarfile
import zipfile
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, cast

from tetract.errors import ReadError
from tetract.io.archives.capped import CappedFile

_END: Final = b"PK\x05\x06"
_END_BYTES: Final = 22
_COMMENT_BYTES: Final = 65_535
_ENTRY_BYTES: Final = 1024  # of a zip directory: 46 bytes, a name and some extra fields
_BLOCK_BYTES: Final = 2048  # of tar: a header, a long name now and then, padding


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One entry of an archive.

    Attributes:
        name: Path as the archive writes it.
        is_folder: A folder; otherwise a plain file.
        size_bytes: What the archive says.
        open: Gives its bytes.
    """

    name: str
    is_folder: bool
    size_bytes: int
    open: Callable[[], io.BufferedIOBase]


@contextmanager
def opened(path: Path, most_entries: int, most_bytes: int) -> Generator[Iterator[Member]]:
    """The entries of an archive, told by its first bytes.

    Args:
        path: Zip, or tar as it is or packed by gzip, bzip2 or xz.
        most_entries: Above this the list itself is refused.
        most_bytes: How much may come out.

    Raises:
        ReadError: ``E_ARCHIVE_NAME`` for links, devices and files with holes; ``E_ARCHIVE_LIMIT``;
            ``E_BAD_ARCHIVE`` for an encrypted one.
        Exception: What the standard library raises for a damaged archive.
    """
    with path.open("rb") as file:
        head = file.read(6)
        file.seek(0)
        if head.startswith(b"PK"):
            _check_directory(file, path.name, most_entries)
            with zipfile.ZipFile(file) as archive:
                yield _zip_members(archive, path.name)
            return
        stream = _unpacked(file, head)
        capped = CappedFile(stream, most_bytes + _BLOCK_BYTES * (most_entries + 16), path.name)
        with tarfile.open(fileobj=cast("Any", capped), mode="r:") as archive:
            yield _tar_members(archive, path.name)


def _unpacked(file: io.BufferedIOBase, head: bytes) -> io.BufferedIOBase:
    openers: dict[bytes, Callable[[Any], Any]] = {
        b"\x1f\x8b": gzip.open,
        b"BZh": bz2.open,
        b"\xfd7zXZ\x00": lzma.open,
    }
    for magic, opener in openers.items():
        if head.startswith(magic):
            return opener(file)
    return file


def _zip_members(archive: zipfile.ZipFile, where: str) -> Iterator[Member]:
    entries = archive.infolist()
    _check_no_overlap(entries, where)
    for entry in entries:
        kind = stat.S_IFMT(entry.external_attr >> 16)
        if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
            raise _not_plain(where)
        if entry.flag_bits & 1:
            raise ReadError(
                "E_BAD_ARCHIVE",
                "the archive is encrypted",
                where=where,
                fix="Unpack it with a program of your own",
            )
        yield Member(
            # The library cuts a name at a zero byte; the original shows what was meant.
            name=entry.orig_filename,
            is_folder=entry.is_dir(),
            size_bytes=entry.file_size,
            open=lambda entry=entry: cast("io.BufferedIOBase", archive.open(entry)),
        )


def _tar_members(archive: tarfile.TarFile, where: str) -> Iterator[Member]:
    for entry in archive:
        if not (entry.isreg() or entry.isdir()) or entry.issparse():
            raise _not_plain(where)
        yield Member(
            name=entry.name,
            is_folder=entry.isdir(),
            size_bytes=entry.size,
            open=lambda entry=entry: cast(
                "io.BufferedIOBase", archive.extractfile(entry) or io.BytesIO()
            ),
        )


def _check_directory(file: io.BufferedIOBase, where: str, most_entries: int) -> None:
    """Refuse a huge list of entries before the library reads it into memory."""
    size = file.seek(0, io.SEEK_END)
    start = file.seek(max(0, size - _END_BYTES - _COMMENT_BYTES))
    tail = file.read()
    file.seek(0)
    found = tail.rfind(_END)
    if found < 0 or found + _END_BYTES > len(tail):
        return  # not a zip file: the library says so
    entries, listed = struct.unpack_from("<HL", tail, found + 10)
    if 0xFFFF in (entries, listed >> 16):  # zip64: the list lies between files and end
        offset = struct.unpack_from("<L", tail, found + 16)[0]
        listed = start + found - offset if offset != 0xFFFF_FFFF else _zip64_listed(tail, found)
    if listed > _ENTRY_BYTES * (most_entries + 1):
        raise ReadError(
            "E_ARCHIVE_LIMIT",
            "the archive has too many entries; nothing was unpacked",
            where=where,
            expected=f"at most {most_entries}",
            fix="Unpack it with a program of your own, if you trust it",
        )


def _zip64_listed(tail: bytes, end: int) -> int:
    """Bytes of the list by the zip64 record (56 bytes), which stands before its locator (20)."""
    record = end - 20 - 56
    if record < 0 or tail[record : record + 4] != b"PK\x06\x06":
        return 2**62
    return int(struct.unpack_from("<Q", tail, record + 40)[0])


def _check_no_overlap(entries: list[zipfile.ZipInfo], where: str) -> None:
    """Entries that share bytes are how a small zip becomes a huge one (D. Fifield, WOOT 2019)."""
    spans = sorted((e.header_offset, e.header_offset + e.compress_size) for e in entries)
    if any(end > start for (_, end), (start, _) in itertools.pairwise(spans)):
        raise ReadError(
            "E_ARCHIVE_LIMIT",
            "entries of the archive share their bytes; nothing was unpacked",
            where=where,
            expected="each byte in one entry",
            fix="Do not trust it; ask its source",
        )


def _not_plain(where: str) -> ReadError:
    return ReadError(
        "E_ARCHIVE_NAME",
        "the archive holds a link, a device or a file with holes; nothing was unpacked",
        where=where,
        expected="plain files and folders",
        fix="Do not trust it; ask its source",
    )
