"""Every error a user can meet, as one tree. Callers catch the root.

::

    TetractError                 one line: code, what, where, expected/found, what to do
    ├── InputError      exit 2   a file, label, recipe or argument is wrong
    │   ├── ReadError            a file cannot be read as what it claims to be
    │   ├── GeometryError        positions, spacing or orientation are missing or contradictory
    │   ├── LabelError           a label, mask, box or split does not fit its image or its data set
    │   ├── RecipeError          a recipe asks for something impossible
    │   └── BundleError          a saved model is damaged or does not fit the request
    ├── MachineError    exit 3   disk, codec, memory, GPU or a missing package
    └── BugError        exit 4   ours: something nobody foresaw

An interrupt is exit 130. 0 is success and 1 is "finished, with skipped inputs".
"""

from __future__ import annotations

from enum import IntEnum


class Exit(IntEnum):
    """Exit codes of the command line."""

    OK = 0
    SKIPPED = 1
    BAD_INPUT = 2
    MACHINE = 3
    BUG = 4
    INTERRUPTED = 130


class TetractError(Exception):
    """One problem, told in one line.

    Args:
        code: A stable name such as ``E_NO_GEOMETRY``, listed in ``docs/reference/errors.md``.
        what: What is wrong, in plain words.
        where: The file, row or key it concerns; base names only, never a patient's identity.
        expected: What would have been right, with its unit.
        found: What was there instead, with its unit.
        fix: What the reader can do about it.
    """

    exit_code = Exit.BAD_INPUT

    def __init__(
        self,
        code: str,
        what: str,
        *,
        where: str = "",
        expected: str = "",
        found: str = "",
        fix: str = "",
    ) -> None:
        self.code = code
        self.what = what
        self.where = where
        self.expected = expected
        self.found = found
        self.fix = fix
        super().__init__(self._line())

    def _line(self) -> str:
        place = f" {self.where}" if self.where else ""
        head = f"{self.code}{place}: {self.what}"
        compared = [
            f"{name} {value}"
            for name, value in (("expected", self.expected), ("found", self.found))
            if value
        ]
        parts = [head]
        if compared:
            parts.append(": " + ", ".join(compared))
        line = "".join(parts).rstrip(".") + "."
        if self.fix:
            line += f" {self.fix.rstrip('.')}."
        # One line whatever the inputs held: a newline inside a file name must not split it.
        return " ".join(line.split())

    def __reduce__(self) -> tuple[object, ...]:
        """Survive the trip back from a worker process."""
        keywords = {
            "where": self.where,
            "expected": self.expected,
            "found": self.found,
            "fix": self.fix,
        }
        return (_rebuild, (type(self), self.code, self.what, keywords))


class InputError(TetractError):
    """A file, label, recipe or argument is wrong."""


class ReadError(InputError):
    """A file cannot be read as what it claims to be."""


class GeometryError(InputError):
    """Positions, spacing or orientation are missing or contradict each other."""


class LabelError(InputError):
    """A label, mask, box or split does not fit its image or its data set."""


class RecipeError(InputError):
    """A recipe asks for something impossible."""


class BundleError(InputError):
    """A saved model is damaged or does not fit the request."""


class MachineError(TetractError):
    """The machine lacks something: disk space, a codec, memory, a GPU, a package."""

    exit_code = Exit.MACHINE


class BugError(TetractError):
    """Something nobody foresaw: a fault of TetraCT."""

    exit_code = Exit.BUG


def _rebuild(
    kind: type[TetractError], code: str, what: str, keywords: dict[str, str]
) -> TetractError:
    return kind(code, what, **keywords)
