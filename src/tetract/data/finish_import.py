"""The end of every import: split the rows, write the dataset folder, report what happened."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from tetract.data.card import CARD_NAME, DatasetCard, SplitCard
from tetract.data.import_place import ImportPlace, import_place
from tetract.data.load import check_rows, dataset_warnings, holds_dataset, render_dataset
from tetract.data.splits import SplitFractions, assign_splits, split_hash
from tetract.data.summary import SourceSummary, render_summary, summarise
from tetract.data.table import Row
from tetract.errors import InputError

REPORT_NAME: Final = "import-report.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Skipped:
    """A row of the foreign table that is not in the data set.

    Attributes:
        number: Its row or entry, as the foreign file counts them.
        reason: Why.
        declared: Whether the mapping's ``ignore`` says so; the rest is a surprise.
    """

    number: int
    reason: str
    declared: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportReport:
    """What an import did.

    Attributes:
        folder: The dataset folder.
        read: Rows of the foreign table.
        sources: Counts per source.
        skipped: Rows left out, with reasons.
        warnings: What travels with the data set, as ``DatasetFolder.warnings``.
    """

    folder: Path
    read: int
    sources: tuple[SourceSummary, ...]
    skipped: tuple[Skipped, ...]
    warnings: tuple[str, ...]

    @property
    def surprises(self) -> tuple[Skipped, ...]:
        """Rows skipped for a reason the mapping does not declare."""
        return tuple(row for row in self.skipped if not row.declared)

    def as_json(self) -> dict[str, Any]:
        """Plain values, without the folder's place on this machine."""
        return {
            "read": self.read,
            "used": sum(source.rows for source in self.sources),
            "sources": [asdict(source) for source in self.sources],
            "skipped": [asdict(row) for row in self.skipped],
            "warnings": list(self.warnings),
        }

    def as_text(self) -> str:
        """A table of counts, the skipped rows by reason, and the warnings."""
        kinds: defaultdict[tuple[bool, str], list[Skipped]] = defaultdict(list)
        for row in self.skipped:
            # Surprises are told by code with one example: a lost folder must not flood the screen.
            kind = row.reason if row.declared else row.reason.split()[0].rstrip(":")
            kinds[not row.declared, kind].append(row)
        used = sum(source.rows for source in self.sources)
        lines = [render_summary(self.sources), f"{used} of {self.read} rows imported"]
        for (surprise, _), rows in sorted(kinds.items()):
            first = ", ".join(str(row.number) for row in rows[:3])
            first += ", ..." if len(rows) > 3 else ""
            verb = "SKIPPED" if surprise else "left out"
            lines.append(f"{verb} {len(rows)} (rows {first}): {rows[0].reason}")
        return "\n".join([*lines, *self.warnings])


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportOptions:
    """Choices of an import.

    Attributes:
        images: Folder that the images' paths start from; None: that of the labels.
        seed: Seed of the split.
        fractions: Shares of slices per split.
        overwrite: Replace a different data set that already lies in the folder.
    """

    images: Path | None = None
    seed: int = 0
    fractions: SplitFractions = field(default_factory=SplitFractions)
    overwrite: bool = False


def finish_import(
    folder: Path,
    card: DatasetCard,
    outcomes: Sequence[Row | Skipped],
    options: ImportOptions,
    *,
    origin: str,
) -> ImportReport:
    """As ``finish_at`` for an import that has written nothing of its own.

    Args:
        folder: The dataset folder to write.
        card: What the set is; its split is filled in.
        outcomes: One entry per row or image of the foreign layout.
        options: Seed, shares, overwriting.
        origin: Name of the foreign file or folder, for messages.

    Raises:
        InputError: As ``finish_at``.
    """
    with import_place(folder) as place:
        return finish_at(place, card, outcomes, options, origin=origin)


def finish_at(
    place: ImportPlace,
    card: DatasetCard,
    outcomes: Sequence[Row | Skipped],
    options: ImportOptions,
    *,
    origin: str,
    warnings: Sequence[str] = (),
) -> ImportReport:
    """Split the rows by patient and write them, with a report beside the data set.

    Every importer ends here. Running it again gives the same bytes.

    Args:
        place: Where masks were written, and where all of it goes when nothing is wrong.
        card: What the set is; its split is filled in here.
        outcomes: One entry per row or image of the foreign layout.
        options: Seed, shares, overwriting.
        origin: Name of the foreign file or folder, for messages.
        warnings: What else must travel with the data set, each beginning with a ``W_`` code.

    Raises:
        InputError: ``E_EMPTY_DATASET`` when no row is left, ``E_PATIENT_LEAK`` when published
            splits tear a patient apart, ``E_EXISTS`` when the folder holds another data set, and
            what ``check_rows`` refuses. Nothing is left behind then.
        MachineError: ``E_DISK_FULL`` or ``E_CANNOT_WRITE``.
    """
    rows = [outcome for outcome in outcomes if isinstance(outcome, Row)]
    skipped = tuple(outcome for outcome in outcomes if isinstance(outcome, Skipped))
    if not rows:
        raise InputError(
            "E_EMPTY_DATASET",
            "nothing that was read became a row of the data set",
            where=origin,
            found=next((row.reason for row in skipped if not row.declared), "only ignored rows"),
            fix="Check the labels and --images",
        )
    rows = list(assign_splits(rows, options.fractions, options.seed))
    check_rows(rows, card)
    rows = place.settled(rows)
    card = _with_split(card, rows, options)
    report = ImportReport(
        folder=place.folder,
        read=len(outcomes),
        sources=summarise(rows, card),
        skipped=skipped,
        warnings=(*dataset_warnings(card, rows), *warnings),
    )
    texts = {REPORT_NAME: json.dumps(report.as_json(), indent=1) + "\n"}
    if not holds_dataset(place.folder, card, rows):
        _check_free(place.folder, overwrite=options.overwrite)
        texts |= render_dataset(place.folder, card, rows)
    place.publish(texts, last=CARD_NAME)
    return report


def _with_split(card: DatasetCard, rows: list[Row], options: ImportOptions) -> DatasetCard:
    shares = options.fractions
    split = SplitCard(
        seed=options.seed,
        train=shares.train,
        val=shares.val,
        test=shares.test,
        hash=split_hash(rows),
    )
    return card.model_copy(update={"split": split})


def _check_free(folder: Path, *, overwrite: bool) -> None:
    if (folder / CARD_NAME).exists() and not overwrite:
        raise InputError(
            "E_EXISTS",
            "folder already holds another data set",
            where=folder.name,
            fix="Give another folder, or --overwrite",
        )
