"""What ``tetract data check`` found: one entry per file or series, and the answer in one word."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, Final

from tetract.errors import Exit, TetractError

SCHEMA: Final = "tetract.data-check/1"
TABLE_ROW: Final = "row of the table"

Progress = Callable[[int, int], None]


class Verdict(StrEnum):
    """What becomes of a file.

    ``usable`` is read as it is. ``refused`` is an image, or says that it is one, and is not read.
    ``skipped`` may hold images, but not of a kind that is read: another modality, an archive, a
    link. ``ignored`` is no image and does not want to be one.
    """

    USABLE = "usable"
    REFUSED = "refused"
    SKIPPED = "skipped"
    IGNORED = "ignored"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One file, one series, or one row of a table.

    Attributes:
        name: Base name of the file, or of the folder that holds a series.
        what: What it is, in words: ``dicom series``, ``png``, ``archive (zip)``.
        verdict: What becomes of it.
        code: Error code, "" where there is none.
        line: Why, in one line, beginning with the code where there is one; "" where nothing is
            to be said.
        folder: Base name of its folder.
        folder_number: Place of that folder in the walk, from 0; tells folders of one name apart.
        slices: Slices it gives, 0 where it is not read.
        matrix: ``(rows, columns)`` in pixels, or None.
        spacing_mm: Distance of voxel centres along ``(slice, row, column)``, or None.
        hu: Lowest and highest HU, or None where there are none.
        alone: Files of a refused folder that can be read as single slices.
        warnings: What the reader repaired or found odd, one line each.
    """

    name: str
    what: str
    verdict: Verdict
    code: str = ""
    line: str = ""
    folder: str = ""
    folder_number: int = 0
    slices: int = 0
    matrix: tuple[int, int] | None = None
    spacing_mm: tuple[float, float, float] | None = None
    hu: tuple[int, int] | None = None
    alone: int = 0
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """One source of a data set, or all images of one format in a tree of files.

    Attributes:
        name: The source or the format.
        text: Counts and histograms as lines.
        plain: The same as plain values for JSON.
    """

    name: str
    text: tuple[str, ...]
    plain: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckReport:
    """Everything that one check found.

    Attributes:
        name: Base name of what was checked, or the data set's name.
        kind: ``dataset`` or ``tree``.
        entries: In the order of the walk, or of splits and rows.
        sections: Per source, or per format.
        problems: What stands against the whole, one line each; with one, nothing is usable.
        warnings: What must travel with every result, one line each, beginning with a ``W_`` code.
        usable_slices: Slices that can be used.
        hidden: Files and folders whose name begins with a dot; they are not looked at.
    """

    name: str
    kind: str
    entries: tuple[Entry, ...]
    sections: tuple[Section, ...]
    problems: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    usable_slices: int = 0
    hidden: int = 0

    @property
    def exit_code(self) -> Exit:
        """0 all usable, 1 usable but something is refused or skipped, 2 not usable."""
        if self.problems or not self.usable_slices:
            return Exit.BAD_INPUT
        left_out = self.count(Verdict.REFUSED) + self.count(Verdict.SKIPPED)
        return Exit.SKIPPED if left_out else Exit.OK

    @property
    def answer(self) -> str:
        """The exit code in words."""
        words = {Exit.OK: "usable", Exit.SKIPPED: "usable with skips"}
        return words.get(self.exit_code, "not usable")

    def count(self, verdict: Verdict) -> int:
        """Number of entries with that verdict."""
        return sum(entry.verdict is verdict for entry in self.entries)

    def as_json(self) -> dict[str, Any]:
        """Plain values; equal input gives equal values, whenever and wherever it is checked."""
        return {
            "schema": SCHEMA,
            "name": self.name,
            "kind": self.kind,
            "answer": self.answer,
            "exit_code": int(self.exit_code),
            "usable_slices": self.usable_slices,
            "counts": {str(verdict): self.count(verdict) for verdict in Verdict},
            "hidden": self.hidden,
            "problems": list(self.problems),
            "warnings": list(self.warnings),
            "sections": [{"name": part.name, **part.plain} for part in self.sections],
            "entries": [asdict(entry) for entry in self.entries],
        }


def refused_line(error: TetractError) -> str:
    """The line of an error, safe for a terminal and without a patient's key."""
    if error.code == "E_PATIENT_LEAK":  # the one message that quotes the key; its rows stay
        error = type(error)(
            error.code,
            "a patient is in two splits",
            where=error.where,
            expected=error.expected,
            found=error.found,
            fix=error.fix,
        )
    return shown(str(error))


def shown(text: str) -> str:
    """``text`` without control characters or broken bytes, which names of files may hold."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)


def shown_all(lines: Iterable[str]) -> tuple[str, ...]:
    """Each line as ``shown``."""
    return tuple(shown(line) for line in lines)
