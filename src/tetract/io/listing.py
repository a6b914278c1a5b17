"""The files of one folder, as every reader of folders sees them."""

from __future__ import annotations

from pathlib import Path

from tetract.errors import ReadError


def visible_files(folder: Path) -> list[Path]:
    """The files of a folder itself, hidden ones left out, sorted by name.

    Raises:
        ReadError: ``E_CANNOT_READ``.
    """
    try:
        found = [p for p in folder.iterdir() if p.is_file() and not p.name.startswith(".")]
    except OSError as fault:
        raise ReadError(
            "E_CANNOT_READ",
            "the folder cannot be listed",
            where=folder.name,
            found=type(fault).__name__,
            fix="Check its permissions",
        ) from None
    return sorted(found)
