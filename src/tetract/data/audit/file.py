"""``audit.json``: what an audit found, on disk."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import Field, ValidationError

from tetract.data.cells import Split, format_slice
from tetract.data.table import Row
from tetract.data.yaml_model import Strict
from tetract.errors import ReadError
from tetract.io import atomic_write_text

AUDIT_NAME: Final = "audit.json"
_LARGEST_BYTES: Final = 2**28

Place = Annotated[int, Field(ge=0)]


class AuditedPicture(Strict):
    """One slice of a pair.

    Attributes:
        row: Its row, counted from 0 in the order of the table.
        slice: Which slice of its file, from 0.
        name: Base name of the file.
    """

    row: Place
    slice: Place
    name: str


class Finding(Strict):
    """Two slices that show the same picture.

    Attributes:
        kind: ``exact`` when every pixel has the same value, else ``near``.
        similarity: Correlation inside the body once they lie over each other; 1 if exact.
        first: One of them.
        second: The other.
        splits: Where they were when the audit was made.
        patients: Whether the table gives them the same patient, different ones (one patient
            under two ids, or a picture filed twice), or does not know.
    """

    kind: Literal["exact", "near"]
    similarity: float
    first: AuditedPicture
    second: AuditedPicture
    splits: tuple[Split, Split]
    patients: Literal["same", "different", "unknown"]


class Unread(Strict):
    """A row whose pictures could not be compared.

    Attributes:
        row: Counted from 0 in the order of the table.
        name: Base name of its file.
        code: Why, as an error code.
    """

    row: Place
    name: str
    code: str


class AuditThresholds(Strict):
    """``tetract.data.audit.duplicates.Thresholds`` that were used."""

    most_bits: int
    least_glance: float
    least_coarse: float
    least_similarity: float


class AuditFile(Strict):
    """A whole audit.

    Attributes:
        schema_version: Version of this layout.
        rows_hash: ``rows_hash`` of the rows that were audited.
        split_hash: ``split_hash`` of them, as the splits were then.
        thresholds: What counted as near.
        pictures: Slices that were compared.
        blank: Slices left out because they show nothing.
        unread: Rows that could not be read.
        findings: Pairs across splits first, then by similarity.
    """

    schema_version: Literal[1] = 1
    rows_hash: str
    split_hash: str
    thresholds: AuditThresholds
    pictures: int
    blank: int
    unread: tuple[Unread, ...]
    findings: tuple[Finding, ...]


def rows_hash(rows: Iterable[Row]) -> str:
    """sha256 (hex) of which slices there are, in order, and of whom; splits have no part in it."""
    lines = [
        f"{row.image.parent.name}/{row.image.name}\t{format_slice(row.slice)}\t{row.group}"
        for row in rows
    ]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def leaks_of(findings: Iterable[Finding], rows: Sequence[Row]) -> tuple[Finding, ...]:
    """The pairs that lie in two splits, as ``rows`` are split now."""
    return tuple(
        finding
        for finding in findings
        if is_leak(rows[finding.first.row].split, rows[finding.second.row].split)
    )


def is_leak(one: Split, other: Split) -> bool:
    """Whether a picture in both splits would make a score too good; unassigned rows score none."""
    return one != other and Split.UNASSIGNED not in (one, other)


def save_audit(folder: Path, audit: AuditFile) -> None:
    """Write ``audit.json`` into a dataset folder; equal audits give equal bytes.

    Raises:
        MachineError: ``E_DISK_FULL`` or ``E_CANNOT_WRITE``.
    """
    text = json.dumps(audit.model_dump(mode="json"), indent=1, ensure_ascii=False)
    atomic_write_text(folder / AUDIT_NAME, text + "\n")


def load_audit(folder: Path) -> AuditFile | None:
    """The audit of a dataset folder, or None where none was made.

    Raises:
        ReadError: ``E_BAD_AUDIT`` when the file is damaged or of another version.
    """
    path = folder / AUDIT_NAME
    if not path.is_file():
        return None
    try:
        if path.stat().st_size > _LARGEST_BYTES:
            raise _damaged(path)
        return AuditFile.model_validate_json(path.read_text(encoding="utf-8"))
    except (ValidationError, UnicodeDecodeError):
        raise _damaged(path) from None


def _damaged(path: Path) -> ReadError:
    return ReadError(
        "E_BAD_AUDIT",
        "not an audit as this version writes it",
        where=path.name,
        fix="Make it again with tetract data audit",
    )
