"""Downloaded archives become folders beside them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from tetract.io.archives.unpack import UnpackLimits, unpack_archive

_SUFFIXES: Final = (".tar.gz", ".tgz", ".tar", ".zip")
# A set of scans is large by nature; the share by which it may grow is what tells a bomb.
LIMITS: Final = UnpackLimits(total_bytes=500 * 10**9, ratio=200, members=200_000)


def unpack_downloads(paths: Iterable[Path]) -> Iterator[str]:
    """Unpack each archive among ``paths`` into a folder of its name; one line for each.

    Raises:
        ReadError: As ``unpack_archive``.
        MachineError: As ``unpack_archive``.
    """
    for path in paths:
        suffix = next((s for s in _SUFFIXES if path.name.lower().endswith(s)), None)
        if suffix is None:
            continue
        folder = path.with_name(path.name[: -len(suffix)])
        if folder.is_dir():
            yield f"{folder.name}: was unpacked already"
            continue
        found = unpack_archive(path, folder, LIMITS)
        inner = f"; archives inside stay packed: {', '.join(found.packed)}" if found.packed else ""
        yield f"{folder.name}: {found.files} files, {found.size_bytes / 1e6:.1f} MB{inner}"
