"""Names inside an archive, before any of them touches the disk."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from pathlib import PurePosixPath
from typing import Final

from tetract.errors import ReadError

_LONGEST_PART: Final = 200
_DEEPEST: Final = 40
# What Windows, macOS or a terminal would read differently.
_BAD: Final = re.compile(r'[\x00-\x1f\x7f\\:*?"<>|]')


def check_name(name: str, where: str) -> str:
    """The name of an entry, without a slash at its end.

    Raises:
        ReadError: ``E_ARCHIVE_NAME`` for a name that is absolute, climbs, is blank, too long or too
            deep, or has a character that other systems read differently.
    """
    plain = name.removesuffix("/").removeprefix("./") or "."
    parts = plain.split("/")
    wrong = (
        name.startswith("/")
        or ".." in parts
        or _BAD.search(plain) is not None
        or len(parts) > _DEEPEST
        or any(not part or len(part.encode(errors="replace")) > _LONGEST_PART for part in parts)
    )
    if wrong:
        raise ReadError(
            "E_ARCHIVE_NAME",
            "the archive holds a name that could leave the folder; nothing was unpacked",
            where=where,
            expected="relative names without '..'",
            fix="Do not trust it; ask its source",
        )
    return plain


def check_no_twins(files: Iterable[str], folders: Iterable[str], where: str) -> None:
    """Refuse two files that would be one, also where case does not count, or a file as folder.

    Raises:
        ReadError: ``E_ARCHIVE_NAME``.
    """
    seen: set[str] = set()
    above = {_key(name) for name in folders}
    twice = False
    for key in map(_key, files):
        twice = twice or key in seen
        seen.add(key)
        above.update(str(parent) for parent in PurePosixPath(key).parents)
    if twice or seen & above:
        raise ReadError(
            "E_ARCHIVE_NAME",
            "the archive holds one name twice; nothing was unpacked",
            where=where,
            expected="names that differ in more than case",
            fix="Unpack it with a program of your own, if you trust it",
        )


def _key(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()
