"""Archives of strangers, unpacked whole or not at all.

Nothing is believed: names that leave the folder, links, devices and holes are refused, and bytes
are counted as they come, not as the archive announces them. An archive inside an archive stays
packed.
"""

from __future__ import annotations

import errno
import io
import lzma
import secrets
import shutil
import tarfile
import zipfile
import zlib
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tetract.errors import MachineError, ReadError, TetractError
from tetract.io.archives.members import Member, opened
from tetract.io.archives.names import check_name, check_no_twins
from tetract.io.atomic import make_folder

_BLOCK: Final = 2**20
_PACKED: Final = (".zip", ".tar", ".tgz", ".tar.gz", ".tar.bz2", ".tar.xz", ".7z", ".rar")
_SPARE_BYTES: Final = 64 * 2**20
_FLOOR_BYTES: Final = 64 * 2**20  # a small archive of blank pictures may shrink beyond any ratio
_DAMAGED: Final = (
    zipfile.BadZipFile,
    tarfile.TarError,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    ValueError,
    LookupError,
    ArithmeticError,
    NotImplementedError,
    RecursionError,
    RuntimeError,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class UnpackLimits:
    """Beyond these an archive is refused.

    Attributes:
        total_bytes: Size of all files together.
        ratio: Times the size of the archive; 64 MiB are always allowed.
        members: Number of files and folders.
    """

    total_bytes: int = 2 * 10**9
    ratio: int = 200
    members: int = 20_000

    def most_bytes(self, archive_bytes: int) -> int:
        """How much may come out of an archive of this size."""
        return min(self.total_bytes, max(self.ratio * archive_bytes, _FLOOR_BYTES))


@dataclass(frozen=True, slots=True, kw_only=True)
class Unpacked:
    """What came out.

    Attributes:
        folder: Where it lies.
        files: Number of files.
        size_bytes: Their size.
        packed: Paths below the folder that look like archives themselves; they stay as they are.
    """

    folder: Path
    files: int
    size_bytes: int
    packed: tuple[str, ...] = ()


def unpack_archive(path: Path, folder: Path, limits: UnpackLimits | None = None) -> Unpacked:
    """Unpack a zip or tar file (plain, gzip, bzip2, xz) into a new folder.

    Args:
        path: The archive; told by content, not by name.
        folder: Must not exist yet; it appears when everything is out.
        limits: What is too much.

    Raises:
        ReadError: ``E_NOT_FOUND``; ``E_BAD_ARCHIVE`` (damaged, encrypted, neither zip nor tar),
            ``E_ARCHIVE_NAME`` (a name that leaves the folder, a link, a device),
            ``E_ARCHIVE_LIMIT``, ``E_EXISTS``.
        MachineError: ``E_DISK_FULL`` or ``E_CANNOT_WRITE``.
    """
    limits = limits or UnpackLimits()
    if not path.is_file():
        raise ReadError("E_NOT_FOUND", "no such file", where=path.name, fix="Check the path")
    if folder.exists():
        raise ReadError(
            "E_EXISTS",
            "the folder is there already",
            where=folder.name,
            fix="Remove it to unpack again",
        )
    make_folder(folder.parent)
    work = _Work(path, limits)
    new = folder.with_name(f".{folder.name}.{secrets.token_hex(4)}.tmp")
    try:
        with _reading(path):
            work.look()
            work.extract(new)
            new.rename(folder)
    finally:
        shutil.rmtree(new, ignore_errors=True)
    packed = tuple(name for name in work.files if name.lower().endswith(_PACKED))
    return Unpacked(folder=folder, files=len(work.files), size_bytes=work.came, packed=packed)


class _Work:
    """One archive, looked at first and unpacked then."""

    def __init__(self, path: Path, limits: UnpackLimits) -> None:
        self._path = path
        self._most_entries = limits.members
        self._most_bytes = limits.most_bytes(path.stat().st_size)
        self.files: list[str] = []
        self.came = 0
        self._announced = 0

    def look(self) -> None:
        """Check all names and announced sizes."""
        folders: list[str] = []
        with opened(self._path, self._most_entries, self._most_bytes) as members:
            for member in members:
                name = check_name(member.name, self._path.name)
                (folders if member.is_folder else self.files).append(name)
                self._announced += member.size_bytes
                self._check_count(len(folders) + len(self.files))
                self._check_bytes(self._announced)
        if not self.files:
            raise ReadError(
                "E_BAD_ARCHIVE",
                "the archive holds no file",
                where=self._path.name,
                fix="Download it again",
            )
        check_no_twins(self.files, folders, self._path.name)

    def extract(self, folder: Path) -> None:
        """Write the files below a new folder."""
        self._check_room(folder.parent)
        folder.mkdir()
        with opened(self._path, self._most_entries, self._most_bytes) as members:
            for member in members:
                self._write(member, folder / check_name(member.name, self._path.name))

    def _write(self, member: Member, target: Path) -> None:
        made = target if member.is_folder else target.parent
        made.mkdir(parents=True, exist_ok=True)
        if not member.is_folder:
            with member.open() as source, target.open("xb") as file:
                self._copy(source, file, member)

    def _copy(self, source: io.BufferedIOBase, file: io.BufferedIOBase, member: Member) -> None:
        size = 0
        while block := source.read(_BLOCK):
            size += len(block)
            self.came += len(block)
            self._check_bytes(self.came)
            file.write(block)
        if size != member.size_bytes:
            raise ReadError(
                "E_BAD_ARCHIVE",
                "an entry has another size than announced; nothing was unpacked",
                where=self._path.name,
                fix="Download the archive again",
            )

    def _check_count(self, entries: int) -> None:
        if entries > self._most_entries:
            raise ReadError(
                "E_ARCHIVE_LIMIT",
                "the archive has too many entries; nothing was unpacked",
                where=self._path.name,
                expected=f"at most {self._most_entries}",
                fix="Unpack it with a program of your own, if you trust it",
            )

    def _check_bytes(self, size: int) -> None:
        if size > self._most_bytes:
            raise ReadError(
                "E_ARCHIVE_LIMIT",
                "the archive grows beyond reason; nothing was unpacked",
                where=self._path.name,
                expected=f"at most {self._most_bytes / 1e6:.0f} MB",
                found=f"{size / 1e6:.0f} MB",
                fix="Unpack it with a program of your own, if you trust it",
            )

    def _check_room(self, folder: Path) -> None:
        free, needed = shutil.disk_usage(folder).free, self._announced + _SPARE_BYTES
        if needed > free:
            raise MachineError(
                "E_DISK_FULL",
                "the disk has no room to unpack",
                where=self._path.name,
                expected=f"{needed / 1e6:.0f} MB",
                found=f"{free / 1e6:.0f} MB free",
                fix="Free some space",
            )


@contextmanager
def _reading(path: Path) -> Generator[None]:
    """Turn whatever the standard library says of a bad archive into one error."""
    try:
        yield
    except TetractError:
        raise
    except OSError as fault:
        if fault.errno is None:  # how gzip and bzip2 tell damage
            raise _bad(path) from None
        raise _cannot_write(path, fault) from None
    except _DAMAGED:
        raise _bad(path) from None


def _bad(path: Path) -> ReadError:
    return ReadError(
        "E_BAD_ARCHIVE",
        "the archive is damaged, or neither zip nor tar",
        where=path.name,
        fix="Download it again",
    )


def _cannot_write(path: Path, fault: OSError) -> MachineError:
    if fault.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return MachineError(
            "E_DISK_FULL",
            "the disk is full; nothing was unpacked",
            where=path.name,
            fix="Free some space",
        )
    return MachineError(
        "E_CANNOT_WRITE",
        "the archive cannot be unpacked here",
        where=path.name,
        found=type(fault).__name__,
        fix="Check that the archive can be read and the folder written",
    )
