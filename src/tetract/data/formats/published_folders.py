"""Looking around in the folder of a public set, without guessing."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from tetract.errors import InputError, ReadError

_PICTURES: Final = frozenset({".png", ".jpg", ".jpeg"})
_CLUTTER: Final = frozenset({"__MACOSX"})  # what macOS adds to its zip files


def find_pictures(root: Path) -> tuple[Path, ...]:
    """All PNG and JPEG files by name, at all depths, sorted."""
    return tuple(path for path in _files(root) if path.suffix.lower() in _PICTURES)


def find_one(root: Path, *names: str, needed_for: str) -> Path:
    """The only file of the first name that there is.

    Args:
        root: Searched at all depths.
        names: In order of preference.
        needed_for: What it says, for the message.

    Raises:
        ReadError: ``E_NO_FILE``, or ``E_DUPLICATE_FILE`` for two of that name.
    """
    everything = list(_files(root))
    for name in names:
        found = [path for path in everything if path.name == name]
        if len(found) > 1:
            raise ReadError(
                "E_DUPLICATE_FILE",
                f"{len(found)} files have this name",
                where=name,
                expected="one",
                fix="Give the folder of one copy of the set",
            )
        if found:
            return found[0]
    raise ReadError(
        "E_NO_FILE",
        f"the set's file with {needed_for} is not in the folder",
        where=root.name,
        expected=" or ".join(names),
        fix="Download it too; a spreadsheet has to be saved as CSV (UTF-8)",
    )


def find_folder(root: Path, name: str, needed_for: str) -> Path:
    """The only folder of that name, at any depth; ``root`` itself counts.

    Raises:
        InputError: ``E_BAD_LAYOUT`` for none; ``E_DUPLICATE_FILE`` for several.
    """
    found = [path for path in _folders(root) if path.name == name]
    if len(found) > 1:
        raise ReadError(
            "E_DUPLICATE_FILE",
            f"{len(found)} folders have this name",
            where=name,
            expected="one",
            fix="Give the folder of one copy of the set",
        )
    if not found:
        raise layout_error(root, f"a folder {name} with {needed_for}")
    return found[0]


def layout_error(root: Path, expected: str) -> InputError:
    """The error for a folder that does not look like the set."""
    return InputError(
        "E_BAD_LAYOUT",
        "the folder does not hold the set in its published layout",
        where=root.name,
        expected=expected,
        fix="Give the folder above it, with its archives unpacked",
    )


def relative(path: Path, root: Path) -> str:
    """The path of something below ``root`` with ``/``, as a table would write it."""
    return path.relative_to(root).as_posix()


def _folders(root: Path) -> Iterator[Path]:
    for folder, below, _ in os.walk(root, followlinks=False):
        below[:] = sorted(name for name in below if name not in _CLUTTER and name[0] != ".")
        yield Path(folder)


def _files(root: Path) -> Iterator[Path]:
    for folder in _folders(root):
        yield from sorted(
            path for path in folder.iterdir() if path.is_file() and path.name[0] != "."
        )
