"""What an export did, and what it left out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from tetract.data.cells import Split

REPORT_NAME: Final = "export-report.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenCase:
    """One case of the export.

    Attributes:
        name: Its name there.
        split: Where it went.
        source: Its source in the data set.
        row: Its first row in ``table.csv``, so that the way back is known to who has the table.
        image: Path of the image below the export, with ``/``.
        label: What it is labelled with: path of its label map, class number, or class numbers.
        boxes: Corners beside those numbers, or None.
    """

    name: str
    split: Split
    source: str
    row: int
    image: str
    label: str | int | tuple[int, ...]
    boxes: tuple[tuple[float, ...], ...] | None = None


@dataclass(slots=True)
class Tally:
    """Counts of an export under way.

    Attributes:
        cases: What was written.
        left_out: Images left out because the layout cannot say what is known of them, by reason.
        skipped: Images that could not be used, one line each.
        overlaps: Voxels that two classes hold: (class that was written, class that was lost).
    """

    cases: list[WrittenCase] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)
    skipped: list[str] = field(default_factory=list)
    overlaps: Counter[tuple[str, str]] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportReport:
    """What an export did.

    Attributes:
        layout: ``nnunet`` or ``decathlon``.
        content: Which kind of images.
        precedence: Mask classes, the one that wins an overlap first; ``()`` without label maps.
        regions: Whether combinations have values of their own, so that no overlap is lost.
        tally: The counts.
        notes: What else a reader must know, one line each.
    """

    layout: str
    content: str
    precedence: tuple[str, ...]
    regions: bool
    tally: Tally
    notes: Sequence[str] = ()

    @property
    def surprises(self) -> tuple[str, ...]:
        """Images that could not be used."""
        return tuple(self.tally.skipped)

    def as_json(self) -> dict[str, Any]:
        """Plain values, without any place on this machine."""
        return {
            "layout": self.layout,
            "content": self.content,
            "precedence": list(self.precedence),
            "regions": self.regions,
            "overlaps": self._overlaps(),
            "cases": [
                {"case": c.name, "split": str(c.split), "source": c.source, "table_row": c.row}
                for c in self.tally.cases
            ],
            "left_out": dict(sorted(self.tally.left_out.items())),
            "skipped": list(self.tally.skipped),
            "notes": list(self.notes),
        }

    def as_text(self) -> str:
        """Counts per split, what was left out and why, and how overlaps were decided."""
        counts = Counter(str(case.split) for case in self.tally.cases)
        told = ", ".join(f"{word} {n}" for word, n in sorted(counts.items()))
        lines = [f"{len(self.tally.cases)} images exported: {told}"]
        lines += [f"left out {n}: {why}" for why, n in sorted(self.tally.left_out.items())]
        lines += [f"SKIPPED: {line}" for line in self.tally.skipped]
        if self.precedence and not self.regions:
            lines.append("Where classes overlap, the first wins: " + ", ".join(self.precedence))
            lines += [
                f"{o['voxels']} voxels of {o['lost']} lie under {o['written']} and were written"
                f" as {o['written']} only"
                for o in self._overlaps()
            ]
        return "\n".join([*lines, *self.notes])

    def _overlaps(self) -> list[Mapping[str, Any]]:
        return [
            {"written": winner, "lost": loser, "voxels": voxels}
            for (winner, loser), voxels in sorted(self.tally.overlaps.items())
        ]
