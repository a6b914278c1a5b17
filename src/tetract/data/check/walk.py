"""Every folder under a path with its files, in an order that never changes, without traps."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tetract.data.check.report import Entry, Verdict, shown
from tetract.errors import ReadError
from tetract.io.study import natural_order

_LEFT_BY_SYSTEMS: Final = frozenset({"__MACOSX"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One folder of the walk.

    Attributes:
        path: The folder.
        number: Place in the walk, from 0.
        files: Its regular files, links to files included, hidden ones left out; natural order.
        entries: What is there and not walked into or read: links to folders, sockets, pipes,
            or the folder itself where it cannot be listed.
        hidden: Files and folders whose name begins with a dot, not looked at.
    """

    path: Path
    number: int
    files: tuple[Path, ...]
    entries: tuple[Entry, ...]
    hidden: int

    @property
    def name(self) -> str:
        """Base name, safe for a terminal."""
        return shown(self.path.name)

    def entry(self, path: Path, what: str, verdict: Verdict, line: str = "") -> Entry:
        """An entry for something in this folder; its code is the first word of the line."""
        word = line.split(" ", 1)[0]
        return Entry(
            name=shown(path.name),
            what=what,
            verdict=verdict,
            code=word if word.startswith("E_") else "",
            line=shown(line),
            folder=self.name,
            folder_number=self.number,
        )


def check_there(path: Path) -> None:
    """Refuse a path that leads nowhere.

    Raises:
        ReadError: ``E_NOT_FOUND``.
    """
    if not path.exists():
        raise ReadError(
            "E_NOT_FOUND", "no such file or folder", where=path.name, fix="Check the path"
        )


def walk(root: Path) -> Iterator[Place]:
    """``root`` and every folder below it, each before those inside it.

    Links to folders are not followed, so that a loop cannot catch the walk and an unpacked
    archive cannot lead it elsewhere. Links to files are read, as the readers do.
    """
    ahead = [root]
    number = 0
    while ahead:
        place, inner = _look(ahead.pop(), number)
        ahead += reversed(inner)
        number += 1
        yield place


def single(file: Path) -> Place:
    """The walk of one file."""
    return Place(path=file.parent, number=0, files=(file,), entries=(), hidden=0)


def _look(folder: Path, number: int) -> tuple[Place, list[Path]]:
    here = Place(path=folder, number=number, files=(), entries=(), hidden=0)
    try:
        found = sorted(folder.iterdir(), key=lambda path: (natural_order(path), path.name))
    except OSError as fault:
        refusal = ReadError(
            "E_CANNOT_READ",
            "the folder cannot be listed",
            where=folder.name,
            found=type(fault).__name__,
            fix="Check its permissions",
        )
        unlisted = here.entry(folder, "folder", Verdict.REFUSED, str(refusal))
        return Place(path=folder, number=number, files=(), entries=(unlisted,), hidden=0), []
    visible = [path for path in found if not _is_hidden(path)]
    files = [path for path in visible if _is_file(path)]
    inner = [path for path in visible if _is_folder(path) and not path.is_symlink()]
    walked = {*files, *inner}
    told = [
        here.entry(path, what, Verdict.SKIPPED, line)
        for path in visible
        if path not in walked
        for what, line in [_why_not(path)]
    ]
    place = Place(
        path=folder,
        number=number,
        files=tuple(files),
        entries=tuple(told),
        hidden=len(found) - len(visible),
    )
    return place, inner


def _is_hidden(path: Path) -> bool:
    return path.name.startswith(".") or path.name in _LEFT_BY_SYSTEMS


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # a loop of links, on Pythons that raise for it
        return False


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:
        return False


def _why_not(path: Path) -> tuple[str, str]:
    if not path.is_symlink():
        return "device, pipe or socket", "not opened"
    if _is_folder(path):
        return "link to a folder", "not followed; check the folder that it leads to by itself"
    return "link", "it leads to no file"
