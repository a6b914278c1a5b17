"""Files that are whole or absent, never half written."""

from __future__ import annotations

import errno
import os
import secrets
from pathlib import Path

from tetract.errors import MachineError


def atomic_write_bytes(path: Path, content: bytes) -> None:
    """Write ``content`` so that ``path`` holds either the old bytes or all of the new ones.

    Raises:
        MachineError: ``E_DISK_FULL`` or ``E_CANNOT_WRITE``; the old file stays as it was.
    """
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    try:
        try:
            with temporary.open("xb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
        _sync_folder(path.parent)
    except OSError as fault:
        raise _write_error(path, fault) from None


def atomic_write_text(path: Path, content: str) -> None:
    """As ``atomic_write_bytes``, in UTF-8 with the newlines as given."""
    atomic_write_bytes(path, content.encode("utf-8"))


def make_folder(path: Path) -> None:
    """Create ``path`` and its parents.

    Raises:
        MachineError: ``E_DISK_FULL`` or ``E_CANNOT_WRITE``.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as fault:
        raise _write_error(path, fault) from None


def _sync_folder(folder: Path) -> None:
    if os.name != "posix":  # elsewhere a folder cannot be opened for syncing
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _write_error(path: Path, fault: OSError) -> MachineError:
    if fault.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return MachineError(
            "E_DISK_FULL",
            "the disk is full; nothing was replaced",
            where=path.name,
            fix="Free some space and run the command again",
        )
    return MachineError(
        "E_CANNOT_WRITE",
        "the file cannot be written",
        where=path.name,
        found=type(fault).__name__,
        fix="Check that the folder exists and that you may write to it",
    )
