"""New names for old ones: the same secret gives the same, and without it nothing leads back."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import uuid
from dataclasses import dataclass
from pathlib import Path

from pydicom.uid import UID

from tetract.errors import InputError, ReadError

_LEAST_BYTES = 16
_MOST_BYTES = 4096
# Well-known UIDs name a class or an encoding, never an instance (PS3.6 Annex A).
_STANDARD_ROOT = "1.2.840.10008."


@dataclass(frozen=True, slots=True, kw_only=True)
class Renamer:
    """Makes pseudonyms by HMAC-SHA-256.

    UIDs hold an organisation, a machine's serial number and often the time of day: short enough to
    be tried out. That is why they are hashed with a secret and not alone.

    Attributes:
        secret: At least 16 bytes.
    """

    secret: bytes

    def __repr__(self) -> str:
        """Without the secret, for logs."""
        return "Renamer()"

    def uid(self, old: str) -> UID:
        """Another UID, below 2.25 (PS3.5 B.2); UIDs that the standard defines stay."""
        if old.startswith(_STANDARD_ROOT):
            return UID(old)
        digest = self._digest("uid", old)
        return UID(f"2.25.{uuid.UUID(bytes=digest[:16], version=5).int}")

    def patient(self, identifier: str) -> str:
        """A code for a patient: ``P`` and 16 hexadecimal digits; empty for an empty identifier."""
        return f"P{self._digest('patient', identifier).hex()[:16].upper()}" if identifier else ""

    def file(self, content: bytes) -> str:
        """A name for a file, from its content: 24 hexadecimal digits."""
        return self._digest("file", content).hex()[:24]

    def _digest(self, kind: str, value: str | bytes) -> bytes:
        raw = value if isinstance(value, bytes) else value.encode("utf-8", "surrogateescape")
        return hmac.new(self.secret, kind.encode() + b"\0" + raw, hashlib.sha256).digest()


def new_renamer(secret_file: Path | None = None) -> Renamer:
    """A renamer with the secret of a file, or with a new one that nobody keeps.

    Raises:
        ReadError: ``E_CANNOT_READ``.
        InputError: ``E_BAD_SECRET`` for fewer than 16 bytes or more than 4096.
    """
    if secret_file is None:
        return Renamer(secret=secrets.token_bytes(32))
    try:
        with secret_file.open("rb") as file:
            secret = file.read(_MOST_BYTES + 1)
    except OSError as fault:
        raise ReadError(
            "E_CANNOT_READ",
            "the secret cannot be read",
            where=secret_file.name,
            found=type(fault).__name__,
            fix="Check the path and its permissions",
        ) from None
    if not _LEAST_BYTES <= len(secret) <= _MOST_BYTES:
        raise InputError(
            "E_BAD_SECRET",
            "the secret has the wrong length",
            where=secret_file.name,
            expected=f"{_LEAST_BYTES} to {_MOST_BYTES} bytes",
            found=f"{min(len(secret), _MOST_BYTES + 1)} bytes",
            fix="Make one with `head -c 32 /dev/urandom > secret.bin`, and keep it to yourself",
        )
    return Renamer(secret=secret)
