"""What a file or a folder of slices holds, as one hash, remembered while files look the same."""

from __future__ import annotations

import hashlib
import json
import os
import time
from dataclasses import dataclass
from pathlib import Path

from tetract.data.cache.folder import CacheFolder
from tetract.io.study import natural_order

# Two writings within one tick of a file system's clock look the same; coarse ones tick in 2 s.
_SETTLED_NS = 2_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class ContentHash:
    """A hash, and how the files looked when it was made.

    Attributes:
        sha256: Over the SHA-256 of each file, in the order in which readers take them.
        looks: Hash of each file's size, time of change and inode.
    """

    sha256: str
    looks: str


class ContentHashes:
    """Hashes of paths, each computed at most once here and remembered in a cache folder.

    A later run takes the remembered hash when names, sizes, times of change (ns) and inodes are as
    they were, and reads the files otherwise.

    Args:
        folder: Where hashes are remembered, under the hash of the path.
    """

    def __init__(self, folder: CacheFolder) -> None:
        self._folder = folder
        self._known: dict[Path, ContentHash] = {}

    def of(self, path: Path) -> ContentHash:
        """The hash of a file, or of the files of a folder (hidden ones and subfolders excepted).

        Raises:
            OSError: When a file cannot be read.
        """
        if path not in self._known:
            self._known[path] = self._remembered(path)
        return self._known[path]

    def is_unchanged(self, path: Path) -> bool:
        """Whether the files still look as they did when they were hashed."""
        try:
            return self.of(path).looks == _looks(path)[0]
        except OSError:
            return False

    def _remembered(self, path: Path) -> ContentHash:
        looks, newest_ns = _looks(path)
        name = hashlib.sha256(os.fsencode(path.absolute())).hexdigest() + ".memo"
        found = self._folder.find(name)
        if found is not None and (content := _memo(bytes(found), looks)) is not None:
            return ContentHash(sha256=content, looks=looks)
        whole = hashlib.sha256()
        for file in _files(path):
            with file.open("rb") as opened:
                whole.update(hashlib.file_digest(opened, "sha256").digest())
        content = whole.hexdigest()
        if newest_ns < time.time_ns() - _SETTLED_NS:
            self._folder.keep(name, json.dumps({"looks": looks, "content": content}).encode())
        return ContentHash(sha256=content, looks=looks)


def _memo(raw: bytes, looks: str) -> str | None:
    try:
        memo = json.loads(raw)
    except ValueError:
        return None
    if not isinstance(memo, dict) or memo.get("looks") != looks:
        return None
    content = memo.get("content")
    return content if isinstance(content, str) and len(content) == 64 else None


def _files(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    return sorted((path / name for name in _names(path)), key=natural_order)


def _names(folder: Path) -> list[str]:
    with os.scandir(folder) as entries:
        return [e.name for e in entries if not e.name.startswith(".") and e.is_file()]


def _looks(path: Path) -> tuple[str, int]:
    """Hash of size, time of change and inode of each file, and the newest time in ns."""
    newest_ns = 0
    rows: list[tuple[str, int, int, int]] = []
    for name in sorted(_names(path)) if path.is_dir() else [""]:
        found = (path / name).stat()
        newest_ns = max(newest_ns, found.st_mtime_ns)
        rows.append((name, found.st_size, found.st_mtime_ns, found.st_ino))
    return hashlib.sha256(json.dumps(rows).encode()).hexdigest(), newest_ns
