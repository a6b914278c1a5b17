"""A bounded folder of small files that many processes fill and none can spoil.

A file appears whole, by renaming, or not at all; it is never changed afterwards. Whoever lost a
file to another process's clearing finds it missing and makes it again. So no lock is needed, and a
process killed while writing leaves only a temporary file, which goes after an hour.
"""

from __future__ import annotations

import mmap
import os
import secrets
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tetract.io.atomic import make_folder

_TEMPORARY = ".tmp"
_STALE_S = 3600.0
_ROOM = 0.9  # share of the bound that is left filled by a clearing
_LOOK = 0.01  # share of the bound a process writes before it looks at what others wrote


@dataclass(frozen=True, slots=True, kw_only=True)
class _File:
    path: Path
    name: str
    size: int
    used_ns: int


class CacheFolder:
    """Files by name, the least recently used going first when the bound is reached.

    What this process has read or written is not removed by it: it is in use. When that alone
    fills the folder, nothing more is kept.

    Args:
        root: The folder; made if need be.
        limit_bytes: Bound on the size of all files together.

    Raises:
        MachineError: ``E_DISK_FULL`` or ``E_CANNOT_WRITE`` when the folder cannot be made.
    """

    def __init__(self, root: Path, limit_bytes: int) -> None:
        self.root = root.absolute()
        self.limit_bytes = limit_bytes
        self._mine: set[str] = set()
        self._held: int | None = None  # bytes at the last look, plus what was written since
        self._unseen = 0
        self._closed = False
        make_folder(self.root)

    def find(self, name: str) -> memoryview | None:
        """The content of a file, mapped into memory, or None. It stays readable if removed."""
        path = self._path(name)
        try:
            file = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
            try:
                mapped = mmap.mmap(file, 0, access=mmap.ACCESS_READ)
            finally:
                os.close(file)
            if name not in self._mine:
                os.utime(path)
                self._mine.add(name)
        except (OSError, ValueError):  # absent, or empty
            return None
        return memoryview(mapped)

    def keep(self, name: str, content: bytes) -> bool:
        """Store a file; False when the folder is full or cannot be written.

        A cache that fails costs time and must not cost the run, so nothing is raised.
        """
        if self._closed:
            return False
        try:
            if not self._has_room(len(content)):
                self._closed = True
                return False
            path = self._path(name)
            path.parent.mkdir(exist_ok=True)
            temporary = path.with_name(f"{secrets.token_hex(8)}{_TEMPORARY}")
            try:
                # Not flushed to the disk: a crash of the machine is caught by the checksum.
                temporary.write_bytes(content)
                temporary.replace(path)
            finally:
                temporary.unlink(missing_ok=True)
        except OSError:
            self._closed = True
            return False
        self._mine.add(name)
        self._held = (self._held or 0) + len(content)
        self._unseen += len(content)
        return True

    def drop(self, name: str) -> None:
        """Remove a file that turned out to be damaged."""
        try:
            self._path(name).unlink(missing_ok=True)
        except OSError:  # another process has it open, on a system that minds
            return

    def size_bytes(self) -> int:
        """Size of all files together, as found now."""
        return sum(file.size for file in self._files())

    def _path(self, name: str) -> Path:
        return self.root / name[:2] / name

    def _has_room(self, wanted: int) -> bool:
        if self._held is None or self._unseen > _LOOK * self.limit_bytes:
            self._held, self._unseen = self.size_bytes(), 0
        if self._held + wanted <= self.limit_bytes:
            return True
        self._clear(wanted)
        return self._held + wanted <= self.limit_bytes

    def _clear(self, wanted: int) -> None:
        files = sorted(self._files(), key=lambda file: (file.used_ns, file.name))
        held = sum(file.size for file in files)
        for file in files:
            if held + wanted <= _ROOM * self.limit_bytes:
                break
            if file.name not in self._mine:
                file.path.unlink(missing_ok=True)
                held -= file.size
        self._held, self._unseen = held, 0

    def _files(self) -> Iterator[_File]:
        stale_ns = time.time_ns() - int(_STALE_S * 1e9)
        folders = [one for one in os.scandir(self.root) if one.is_dir(follow_symlinks=False)]
        for entry in (entry for folder in folders for entry in os.scandir(folder)):
            try:
                found = entry.stat(follow_symlinks=False)
            except FileNotFoundError:  # another process removed it meanwhile
                continue
            if entry.name.endswith(_TEMPORARY) and found.st_mtime_ns < stale_ns:
                Path(entry.path).unlink(missing_ok=True)
                continue
            yield _File(
                path=Path(entry.path),
                name=entry.name,
                size=found.st_size,
                used_ns=found.st_mtime_ns,
            )
