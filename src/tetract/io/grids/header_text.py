"""Values of a text header (MetaImage, NRRD), read with one kind of error."""

from __future__ import annotations

import math
from dataclasses import dataclass

from tetract.errors import ReadError

MAX_HEADER_BYTES = 1 << 16


@dataclass(frozen=True, slots=True, kw_only=True)
class HeaderText:
    """The keys of a text header.

    Attributes:
        values: Text by key.
        where: Base name of the file, for errors.
        end: Bytes before what follows the header in its file.
    """

    values: dict[str, str]
    where: str
    end: int

    def text(self, *names: str) -> str:
        """The value under one of several names for one thing; empty where there is none.

        Raises:
            ReadError: ``E_BAD_HEADER`` where two names give two values.
        """
        found = {self.values[name] for name in names if name in self.values}
        if len(found) > 1:
            raise self.bad(names[0], "two values under two names")
        return found.pop() if found else ""

    def floats(self, count: int, *names: str) -> tuple[float, ...] | None:
        """``count`` finite numbers, or None where the key is absent.

        Raises:
            ReadError: ``E_BAD_HEADER`` naming the key.
        """
        words = self.text(*names).split()
        if not words:
            return None
        try:
            numbers = tuple(float(word) for word in words)
        except ValueError:
            raise self.bad(names[0], "something that is no number") from None
        if len(numbers) != count or not all(math.isfinite(number) for number in numbers):
            raise self.bad(names[0], f"{len(numbers)} numbers", f"{count} finite numbers")
        return numbers

    def integers(self, *names: str) -> list[int]:
        """Whole numbers; none where the key is absent.

        Raises:
            ReadError: ``E_BAD_HEADER`` naming the key.
        """
        try:
            return [int(word) for word in self.text(*names).split()]
        except ValueError:
            raise self.bad(names[0], "something that is no whole number") from None

    def integer(self, default: int, *names: str) -> int:
        """One whole number.

        Raises:
            ReadError: ``E_BAD_HEADER`` naming the key.
        """
        numbers = self.integers(*names)
        if len(numbers) > 1:
            raise self.bad(names[0], f"{len(numbers)} numbers", "one number")
        return numbers[0] if numbers else default

    def bad(self, key: str, found: str, expected: str = "") -> ReadError:
        """The error for a key that cannot be used."""
        return ReadError(
            "E_BAD_HEADER",
            f"the header's {key} cannot be used",
            where=self.where,
            expected=expected,
            found=found,
            fix="Correct the header, or save the volume again",
        )


def decoded(line: bytes, where: str) -> str:
    """One header line as text.

    Raises:
        ReadError: ``E_BAD_HEADER`` for bytes that are no UTF-8.
    """
    try:
        return line.decode("utf-8").strip()
    except UnicodeDecodeError:
        raise ReadError(
            "E_BAD_HEADER",
            "the header is not text",
            where=where,
            expected="UTF-8",
            found="other bytes",
            fix="Save the volume again",
        ) from None
