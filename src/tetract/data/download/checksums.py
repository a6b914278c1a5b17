"""Size and checksums of a file, and those that it must have."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tetract.errors import ReadError

_BLOCK: Final = 2**20


@dataclass(frozen=True, slots=True, kw_only=True)
class Sums:
    """What a file is.

    Attributes:
        size_bytes: Its size.
        sha256: Hexadecimal.
        md5: Hexadecimal; only ever compared with a published one, never relied on against malice.
    """

    size_bytes: int
    sha256: str
    md5: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What a file must be; None where nobody published it.

    Attributes:
        size_bytes: Its size.
        sha256: Published checksum.
        md5: Published checksum.
        earlier: sha256 of the copy that was downloaded before.
    """

    size_bytes: int | None = None
    sha256: str | None = None
    md5: str | None = None
    earlier: str | None = None

    @property
    def is_published(self) -> bool:
        """Whether somebody published a checksum."""
        return bool(self.sha256 or self.md5)

    @property
    def has_checksum(self) -> bool:
        """Whether a changed file would be noticed."""
        return self.is_published or bool(self.earlier)

    def check(self, found: Sums, where: str) -> None:
        """Compare.

        Raises:
            ReadError: ``E_DOWNLOAD_SIZE`` or ``E_CHECKSUM``.
        """
        if self.size_bytes is not None and found.size_bytes != self.size_bytes:
            raise self.wrong_size(where, f"{found.size_bytes} bytes")
        for kind, wanted, is_so in (
            ("sha256", self.sha256, found.sha256),
            ("md5", self.md5, found.md5),
            ("sha256 of your earlier copy", self.earlier, found.sha256),
        ):
            if wanted is not None and wanted != is_so:
                raise ReadError(
                    "E_CHECKSUM",
                    "the file is not the one that is known",
                    where=where,
                    expected=f"{kind} {wanted}",
                    found=is_so,
                    fix="Download it again; if it stays so, the set has changed: see its home page",
                )

    def wrong_size(self, where: str, found: str) -> ReadError:
        """The error for another size."""
        wanted = "" if self.size_bytes is None else f"{self.size_bytes} bytes"
        return ReadError(
            "E_DOWNLOAD_SIZE",
            "the file has another size than it should have",
            where=where,
            expected=wanted,
            found=found,
            fix="Download it again; if it stays so, the set has changed: see its home page",
        )


def checksums(path: Path) -> Sums:
    """Read a file once for its size, sha256 and md5.

    Raises:
        OSError: When it cannot be read.
    """
    strong, published = hashlib.sha256(), hashlib.md5(usedforsecurity=False)
    size = 0
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            size += len(block)
            strong.update(block)
            published.update(block)
    return Sums(size_bytes=size, sha256=strong.hexdigest(), md5=published.hexdigest())
