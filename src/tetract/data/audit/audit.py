"""The leak audit: every slice of a data set against every other."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Final, Literal

import numpy as np
from jaxtyping import Shaped

from tetract.data.audit.duplicates import Pair, Thresholds, exact_pairs, near_pairs
from tetract.data.audit.file import (
    AuditedPicture,
    AuditFile,
    AuditThresholds,
    Finding,
    Unread,
    is_leak,
    rows_hash,
)
from tetract.data.audit.thumbnail import Thumbnails, shrink, stack_thumbnails
from tetract.data.cells import ALL
from tetract.data.load import DatasetFolder
from tetract.data.read_row import RowReader, slice_index
from tetract.data.splits import split_hash
from tetract.data.table import Row
from tetract.errors import TetractError

Progress = Callable[[int, int], None]
_DIGITS: Final = 3  # of a similarity; the rest depends on the machine's arithmetic


@dataclass(frozen=True, slots=True, kw_only=True)
class _Read:
    """What was read of a data set.

    Attributes:
        pictures: Row and slice of each thumbnail.
        digests: Hash of each picture's values.
        thumbnails: The pictures made small.
        unread: Rows that could not be read.
    """

    pictures: tuple[AuditedPicture, ...]
    digests: tuple[str, ...]
    thumbnails: Thumbnails
    unread: tuple[Unread, ...]


def audit_dataset(
    folder: DatasetFolder,
    thresholds: Thresholds | None = None,
    *,
    on_read: Progress | None = None,
    on_compared: Progress | None = None,
) -> AuditFile:
    """Find the pictures that a data set holds twice.

    Equal pixels are found everywhere; near duplicates are looked for between patients only, since
    neighbours in a scan are near duplicates of each other and lie in one split anyway. Rows
    without a patient count as patients of their own. Slices that show nothing are left out.

    Args:
        folder: The opened data set.
        thresholds: What counts as near.
        on_read: Told (rows read, rows in all).
        on_compared: Told (pairs compared, pairs that were worth it).

    Raises:
        MachineError: ``E_OUT_OF_MEMORY``. Rows that cannot be read are told in the result.
    """
    limits = thresholds or Thresholds()
    read = _read_all(folder, on_read)
    shown = np.flatnonzero(~read.thumbnails.is_blank)
    digests = [read.digests[k] for k in shown]
    exact = exact_pairs(digests)
    again = {pair.second for pair in exact}
    once = np.array([k for k in range(len(shown)) if k not in again], dtype=np.int64)
    patients = _numbered([folder.rows[read.pictures[k].row].group for k in shown])
    near = near_pairs(
        read.thumbnails.pick(shown[once]), patients[once], limits, progress=on_compared
    )
    places = shown[once]
    findings = [_finding(pair, shown, read, folder.rows) for pair in exact]
    findings += [_finding(pair, places, read, folder.rows) for pair in near]
    return AuditFile(
        rows_hash=rows_hash(folder.rows),
        split_hash=split_hash(folder.rows),
        thresholds=AuditThresholds.model_validate(asdict(limits)),
        pictures=len(shown),
        blank=len(read.pictures) - len(shown),
        unread=read.unread,
        findings=tuple(sorted(findings, key=_worst_first)),
    )


def picture_digest(values: Shaped[np.ndarray, "H W"]) -> str:
    """sha256 (hex) of a picture's decoded values, its shape and their type."""
    head = f"{values.dtype.str} {values.shape}".encode()
    return hashlib.sha256(head + np.ascontiguousarray(values).tobytes()).hexdigest()


def _read_all(folder: DatasetFolder, tell: Progress | None) -> _Read:
    reader = RowReader()
    pictures: list[AuditedPicture] = []
    digests: list[str] = []
    small: list[Thumbnails] = []
    unread: list[Unread] = []
    for place, row in enumerate(folder.rows):
        try:
            volume = reader.volume(row, folder.card.source(row.source))
            wanted = range(volume.depth) if row.slice == ALL else (slice_index(row, volume),)
            made = [shrink(volume.values[k], hu_known=volume.hu_known) for k in wanted]
        except TetractError as error:
            unread.append(Unread(row=place, name=row.image.name, code=error.code))
        else:
            small += made
            digests += [picture_digest(volume.values[k]) for k in wanted]
            pictures += [AuditedPicture(row=place, slice=k, name=row.image.name) for k in wanted]
        if tell is not None:
            tell(place + 1, len(folder.rows))
    return _Read(
        pictures=tuple(pictures),
        digests=tuple(digests),
        thumbnails=stack_thumbnails(small),
        unread=tuple(unread),
    )


def _numbered(groups: Sequence[str]) -> np.ndarray:
    numbers = {group: number for number, group in enumerate(dict.fromkeys(groups))}
    return np.array([numbers[group] for group in groups], dtype=np.int64)


def _finding(pair: Pair, places: np.ndarray, read: _Read, rows: Sequence[Row]) -> Finding:
    first, second = (read.pictures[int(places[k])] for k in (pair.first, pair.second))
    one, other = rows[first.row], rows[second.row]
    return Finding(
        kind="exact" if pair.is_exact else "near",
        similarity=round(pair.similarity, _DIGITS),
        first=first,
        second=second,
        splits=(one.split, other.split),
        patients=_patients(one, other),
    )


def _patients(one: Row, other: Row) -> Literal["same", "different", "unknown"]:
    if one.patient is None or other.patient is None:
        return "same" if one is other else "unknown"
    return "same" if one.patient == other.patient else "different"


def _worst_first(finding: Finding) -> tuple[bool, float, int, int, int, int]:
    first, second = finding.first, finding.second
    return (
        not is_leak(*finding.splits),
        -finding.similarity,
        first.row,
        first.slice,
        second.row,
        second.slice,
    )
