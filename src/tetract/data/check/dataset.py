"""A dataset folder, checked by the very code that training reads it with."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tetract.data.card import DatasetCard, SourceCard, load_card
from tetract.data.cells import Split
from tetract.data.check.labels import LabelTally
from tetract.data.check.report import (
    TABLE_ROW,
    CheckReport,
    Entry,
    Progress,
    Section,
    Verdict,
    refused_line,
    shown,
    shown_all,
)
from tetract.data.check.summary import ImageTally
from tetract.data.config import DataConfig
from tetract.data.dataset import SliceDataset
from tetract.data.label_algebra import Resolved
from tetract.data.load import DatasetFolder, dataset_warnings, open_dataset, row_problems
from tetract.data.records import read_records
from tetract.data.row_slices import LeftOut
from tetract.data.table import TABLE_NAME, Row, check_names, parse_row
from tetract.errors import InputError
from tetract.types import Volume


class SourceTally:
    """Everything that is counted for one source."""

    def __init__(self, card: DatasetCard, source: SourceCard, rows: Sequence[Row]) -> None:
        self.card = source
        self.rows = [row for row in rows if row.source == source.name]
        self.images = ImageTally()
        self.labels = LabelTally(space=card.label_space)
        self.refused = 0
        self._seen: set[Path] = set()

    def sees(self, path: Path) -> bool:
        """Whether an image is met for the first time."""
        is_new = path not in self._seen
        self._seen.add(path)
        return is_new

    def count(self, row: Row, volume: Volume, resolved: Resolved) -> None:
        """Count one slice, all of which went well."""
        if self.sees(row.image):
            self.images.add(volume)
        grid = volume.geometry
        pixel_mm = None if grid is None else (grid.spacing_mm[1], grid.spacing_mm[2])
        self.labels.add(Split(row.split), resolved, pixel_mm)

    def section(self) -> Section:
        """The counts for a report; patients are counted, never named."""
        patients = {split: self._patients(split) for split in Split}
        known = {row.patient for row in self.rows if row.patient is not None}
        nameless = sum(row.patient is None for row in self.rows)
        usable = self.labels.slices.total()
        counts: dict[str, Any] = {
            "rows": len(self.rows),
            "patients": len(known),
            "patients_per_split": {str(split): n for split, n in patients.items()},
            "rows_without_patient": nameless,
            "refused": self.refused,
        }
        told = ", ".join(f"{split} {n}" for split, n in patients.items() if n)
        head = f"{len(self.rows)} rows, {usable} usable slices, {self.refused} refused; "
        head += f"{len(known)} patients" + (f" ({told})" if told else "")
        head += f", {nameless} rows without a patient" if nameless else ""
        text = (head, *self.images.as_text(), *self.labels.as_text())
        plain = counts | self.images.as_json() | self.labels.as_json()
        return Section(name=self.card.name, text=text, plain=plain)

    def _patients(self, split: Split) -> int:
        mine = (row.patient for row in self.rows if row.split == split)
        return len({patient for patient in mine if patient is not None})


def check_dataset(folder: Path, progress: Progress | None = None) -> CheckReport:
    """Read every slice of a dataset folder as training would, and count what it teaches.

    Args:
        folder: Holds ``dataset.yaml`` and ``table.csv``.
        progress: Told (slices read, slices in all).

    Returns:
        What is refused row by row, and the counts per source. A table that cannot be opened is
        a problem in the report; its good rows are read all the same.
    """
    opened, problems = _open(folder)
    if opened is None:
        return CheckReport(
            name=shown(folder.resolve().name),
            kind="dataset",
            entries=(),
            sections=(),
            problems=problems,
        )
    card = opened.card
    tallies = {source.name: SourceTally(card, source, opened.rows) for source in card.sources}
    entries: list[Entry] = []
    splits = _watched(opened, tallies)
    total, done = sum(map(len, splits)), 0
    for watched in splits:
        asked = len(watched)
        watched.warm(_onwards(progress, done, total))
        for one in watched.left_out:
            tallies[one.row.source].refused += 1
            entries.append(_entry(one))
        done += asked
    if progress is not None:
        progress(total, total)
    return CheckReport(
        name=shown(card.name),
        kind="dataset",
        entries=tuple(entries),
        sections=tuple(tally.section() for tally in tallies.values()),
        problems=problems,
        warnings=shown_all(opened.warnings),
        usable_slices=sum(tally.labels.slices.total() for tally in tallies.values()),
    )


def _open(folder: Path) -> tuple[DatasetFolder | None, tuple[str, ...]]:
    """The data set; where training refuses it, its good rows and everything against it."""
    try:
        return open_dataset(folder), ()
    except InputError as refusal:
        opened, problems = _salvage(folder)
        told = {(problem.code, problem.where) for problem in problems}
        if (refusal.code, refusal.where) not in told:
            problems.insert(0, refusal)
        return opened, tuple(refused_line(problem) for problem in problems)


def _salvage(folder: Path) -> tuple[DatasetFolder | None, list[InputError]]:
    root = folder.absolute()
    try:
        card = load_card(root)
        _, records = read_records(root / TABLE_NAME, required=("image", "source"))
    except InputError as refusal:
        return None, [refusal]
    rows: list[Row] = []
    problems: list[InputError] = []
    for record in records:
        try:
            row = parse_row(record, card, root)
            check_names(row, card)
        except InputError as refusal:
            problems.append(refusal)
        except KeyError:  # a column is missing, which ``open_dataset`` has told
            return None, problems
        else:
            rows.append(row)
    problems += row_problems(rows, card)
    warnings = tuple(dataset_warnings(card, rows))
    return DatasetFolder(card=card, rows=tuple(rows), root=root, warnings=warnings), problems


def _watched(folder: DatasetFolder, tallies: dict[str, SourceTally]) -> list[SliceDataset]:
    """Training's own slices of each split, counted while they are read.

    What is refused here is refused in training and nothing else, because it is the same code.
    """
    config = DataConfig(folder=folder.root, cache=False)

    def count(row: Row, volume: Volume, resolved: Resolved) -> None:
        tallies[row.source].count(row, volume, resolved)

    return [
        SliceDataset(folder, config, folder.card.label_space, split, strict=False, watch=count)
        for split in Split
    ]


def _onwards(progress: Progress | None, done: int, total: int) -> Progress | None:
    if progress is None:
        return None
    # One bar over all splits; the last step is told at the very end, where the bar may go.
    return lambda ready, _: progress(min(done + ready, total - 1), total)


def _entry(one: LeftOut) -> Entry:
    return Entry(
        name=f"{TABLE_NAME} row {one.row.number}",
        what=TABLE_ROW,
        verdict=Verdict.REFUSED,
        code=one.error.code,
        line=refused_line(one.error),
    )
