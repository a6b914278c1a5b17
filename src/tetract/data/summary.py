"""What a data set holds, counted per source."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tetract.data.card import DatasetCard
from tetract.data.cells import MaskSource, Split
from tetract.data.table import Row


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceSummary:
    """Counts of one source.

    Attributes:
        name: The source.
        rows: Rows in the table.
        patients: Known patients.
        nameless: Rows without a patient.
        counts: Rows by ``class …``, ``mask …``, ``boxes …`` state and ``split …`` word.
    """

    name: str
    rows: int
    patients: int
    nameless: int
    counts: dict[str, int]


def summarise(rows: Sequence[Row], card: DatasetCard) -> tuple[SourceSummary, ...]:
    """Count rows per source and label state, in the card's order of sources."""
    return tuple(_source(s.name, [r for r in rows if r.source == s.name]) for s in card.sources)


def render_summary(summary: Iterable[SourceSummary]) -> str:
    """The counts as a plain text table."""
    header = ["source", "rows", "patients", "class", "mask", "boxes", "train/val/test"]
    lines = [header]
    for source in summary:
        counts = source.counts
        nameless = f" (+{source.nameless} rows unknown)" if source.nameless else ""
        lines.append(
            [
                source.name,
                str(source.rows),
                f"{source.patients}{nameless}",
                _states(counts, "class"),
                _states(counts, "mask"),
                _states(counts, "boxes"),
                "/".join(str(counts.get(f"split {word}", 0)) for word in ("train", "val", "test")),
            ]
        )
    widths = [max(len(line[i]) for line in lines) for i in range(len(header))]
    padded = [[cell.ljust(w) for cell, w in zip(line, widths, strict=True)] for line in lines]
    return "\n".join("  ".join(line).rstrip() for line in padded)


def _source(name: str, rows: list[Row]) -> SourceSummary:
    counts: Counter[str] = Counter()
    for row in rows:
        counts[f"class {_class(row)}"] += 1
        counts[f"mask {_mask(row)}"] += 1
        counts[f"boxes {_boxes(row)}"] += 1
        counts[f"split {Split(row.split)}"] += 1
    return SourceSummary(
        name=name,
        rows=len(rows),
        patients=len({row.patient for row in rows if row.patient is not None}),
        nameless=sum(row.patient is None for row in rows),
        counts=dict(sorted(counts.items())),
    )


def _class(row: Row) -> str:
    if row.label is None:
        return "unknown"
    return next(iter(row.label)) if len(row.label) == 1 else "candidates"


def _mask(row: Row) -> str:
    if row.mask is None:
        return "unknown"
    return "present" if any(isinstance(m, MaskSource) for m in row.mask.values()) else "empty"


def _boxes(row: Row) -> str:
    if row.boxes is None:
        return "unknown"
    return "present" if row.boxes else "empty"


def _states(counts: dict[str, int], column: str) -> str:
    prefix = f"{column} "
    return ", ".join(
        f"{key.removeprefix(prefix)} {n}" for key, n in counts.items() if key.startswith(prefix)
    )
