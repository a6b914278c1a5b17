"""Paths that a foreign file writes down, kept inside the folder they start from."""

from __future__ import annotations

from pathlib import Path, PurePosixPath, PureWindowsPath

from tetract.errors import ReadError


def inside(root: Path, text: str, where: str) -> Path:
    """The path ``text`` below ``root``.

    Links are followed: who lays them into a data set of his own means them.

    Args:
        root: Folder that the text starts from.
        text: A relative path with ``/``.
        where: Base name of the file that says so.

    Raises:
        ReadError: ``E_PATH_ESCAPE`` for an absolute path or one with ``..``.
    """
    path, windows = PurePosixPath(text), PureWindowsPath(text)
    absolute = path.is_absolute() or windows.drive or windows.root
    climbs = ".." in path.parts or ".." in windows.parts
    if not text or "\0" in text or absolute or climbs:
        raise ReadError(
            "E_PATH_ESCAPE",
            "a path leaves the folder that it starts from",
            where=where,
            expected="a relative path without ..",
            found=f"'{path.name}' by way of '..'" if climbs else f"'{path.name}', absolute",
            fix="Make the paths relative, and name their folder with --images",
        )
    return root / path
