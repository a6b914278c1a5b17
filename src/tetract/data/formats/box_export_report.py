"""What an export of boxes did, and what of the data set its format cannot say."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from jaxtyping import Bool

from tetract.data.card import DatasetCard
from tetract.data.table import TABLE_NAME, Row
from tetract.errors import InputError

REPORT_NAME: Final = "export-report.json"


@dataclass(slots=True)
class BoxTally:
    """Counts of an export under way.

    Attributes:
        written: Name of each written slice, its split and its row in ``table.csv``.
        negatives: How many of them show nothing.
        lesions: Lesions by class.
        outlined: How many of them have pixels of their own.
        left_out: Slices left out for a reason that is no fault, by reason.
        skipped: Slices that could not be used, one line each.
        silent: Slices by (source, class) whose silence about a class is no negative.
        known: Slices by class on which it was looked for.
    """

    written: list[tuple[str, str, int]] = field(default_factory=list)
    negatives: int = 0
    lesions: Counter[str] = field(default_factory=Counter)
    outlined: int = 0
    left_out: Counter[str] = field(default_factory=Counter)
    skipped: list[str] = field(default_factory=list)
    silent: Counter[tuple[str, str]] = field(default_factory=Counter)
    known: Counter[str] = field(default_factory=Counter)

    def skip(self, row: Row, error: InputError) -> None:
        """Tell of a slice that cannot be used."""
        self.skipped.append(f"{TABLE_NAME} row {row.number}: {error}")

    def sought(
        self, source: str, classes: Sequence[str], annotated: Bool[np.ndarray, " K"]
    ) -> None:
        """Count which classes were looked for on a slice."""
        for name, looked_for in zip(classes, annotated.tolist(), strict=True):
            if looked_for:
                self.known[name] += 1
            else:
                self.silent[source, name] += 1

    def write(self, name: str, row: Row, shown: Sequence[tuple[str, bool]]) -> None:
        """Count a slice that was written.

        Args:
            name: What it is called.
            row: Its row.
            shown: Class of each lesion and whether its pixels are known.
        """
        self.written.append((name, str(row.split), row.number))
        self.negatives += not shown
        self.lesions.update(label for label, _ in shown)
        self.outlined += sum(outlined for _, outlined in shown)

    def check_any(self, where: str) -> None:
        """Refuse an export without a slice.

        Raises:
            InputError: ``E_EMPTY_EXPORT``.
        """
        if self.written:
            return
        reasons = [f"{n} x {why}" for why, n in self.left_out.most_common(3)]
        raise InputError(
            "E_EMPTY_EXPORT",
            "no slice can be exported",
            where=where,
            found="; ".join([*reasons, *self.skipped[:1]]),
            fix="Export a data set with boxes, or with masks of box classes",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class BoxExportReport:
    """What an export did.

    Attributes:
        layout: ``coco``, ``yolo`` or ``voc``.
        tally: The counts.
        notes: What a reader of the export must know, one line each.
    """

    layout: str
    tally: BoxTally
    notes: tuple[str, ...]

    @property
    def surprises(self) -> tuple[str, ...]:
        """Slices that could not be used."""
        return tuple(self.tally.skipped)

    def as_json(self) -> dict[str, Any]:
        """Plain values, without any place on this machine."""
        tally = self.tally
        return {
            "layout": self.layout,
            "slices": [
                {"name": name, "split": split, "table_row": row}
                for name, split, row in tally.written
            ],
            "negatives": tally.negatives,
            "lesions": dict(sorted(tally.lesions.items())),
            "outlined": tally.outlined,
            "left_out": dict(sorted(tally.left_out.items())),
            "skipped": list(tally.skipped),
            "notes": list(self.notes),
        }

    def as_text(self) -> str:
        """Counts per split and class, what was left out and why."""
        tally = self.tally
        splits = Counter(split for _, split, _ in tally.written)
        told = ", ".join(f"{word} {n}" for word, n in sorted(splits.items()))
        shown = ", ".join(f"{name} {n}" for name, n in sorted(tally.lesions.items())) or "none"
        lines = [
            f"{len(tally.written)} slices exported: {told}",
            f"{tally.negatives} of them are looked-at negatives; lesions: {shown}",
        ]
        lines += [f"left out {n}: {why}" for why, n in sorted(tally.left_out.items())]
        lines += [f"SKIPPED: {line}" for line in tally.skipped]
        return "\n".join([*lines, *self.notes])


def export_notes(card: DatasetCard, tally: BoxTally, sources: Sequence[str]) -> tuple[str, ...]:
    """What a format of boxes cannot say of this data set."""
    notes = [
        f"W_CLASS_NOT_SOUGHT {source}: nobody looked for {name} on {count} slices; the format"
        " cannot say so, and a reader will take their silence for a negative"
        for (source, name), count in sorted(tally.silent.items())
        if name in tally.known
    ]
    unboxed = [name for name in card.mask_classes if name not in card.box_classes]
    if unboxed:
        notes.append(f"Masks that are no lesions were left out: {', '.join(unboxed)}")
    if card.classes:
        notes.append("Classes of whole images were left out: " + ", ".join(card.classes))
    used = [s for s in card.sources if not sources or s.name in sources]
    notes += [f"Licence of {s.name}: {s.licence}. Cite: {s.citation}" for s in used]
    return tuple(notes)
