"""A foreign table and its mapping become a dataset folder."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tetract.data.finish_import import ImportOptions, ImportReport, Skipped, finish_import
from tetract.data.map_row import Surroundings, look_around, map_row
from tetract.data.mapping import ImportMapping, load_mapping
from tetract.data.records import Record, read_records
from tetract.data.table import Row
from tetract.errors import InputError


def import_csv(
    table: Path, mapping: Path, folder: Path, options: ImportOptions | None = None
) -> ImportReport:
    """Make a dataset folder out of a table of images.

    Images stay where they are. Running it again gives the same bytes.

    Args:
        table: A CSV file, one row per image or volume.
        mapping: What its cells mean: ``docs/how-to/import-a-table.md``.
        folder: The dataset folder to write.
        options: Seed, images root and so on.

    Raises:
        InputError: ``E_BAD_MAPPING``, ``E_NO_COLUMN``, ``E_BAD_TABLE``, ``E_EMPTY_DATASET`` when
            no row is left, ``E_PATIENT_LEAK`` when published splits tear a patient apart,
            ``E_EXISTS`` when the folder holds another data set. Nothing is written then.
    """
    options = options or ImportOptions()
    rules = load_mapping(mapping)
    _, records = read_records(table, required=rules.columns())
    root = (options.images or table.parent).resolve()
    return import_records(records, rules, folder, options, root=root, origin=table.name)


def import_records(
    records: Sequence[Record | Skipped],
    rules: ImportMapping,
    folder: Path,
    options: ImportOptions,
    *,
    root: Path,
    origin: str,
) -> ImportReport:
    """As ``import_csv``, for records that did not come from a CSV file.

    Args:
        records: What to import; an entry that is skipped already stays so.
        rules: The mapping; each record has all of its columns.
        folder: The dataset folder to write.
        options: Seed and so on; ``images`` is not used.
        root: Absolute folder that paths start from.
        origin: Name of the foreign folder, for messages.

    Raises:
        InputError: As ``import_csv``.
    """
    around = look_around(rules, root)
    outcomes = [
        record if isinstance(record, Skipped) else _outcome(record, rules, around)
        for record in records
    ]
    return finish_import(folder, rules.dataset_card(), outcomes, options, origin=origin)


def _outcome(record: Record, rules: ImportMapping, around: Surroundings) -> Row | Skipped:
    for ignored in rules.ignore:
        if ignored.applies(record.cells):
            return Skipped(number=record.number, reason=ignored.reason, declared=True)
    for source in rules.sources:
        if source.applies(record.cells):
            try:
                return map_row(record, source, around)
            except InputError as error:
                return Skipped(number=record.number, reason=str(error), declared=False)
    reason = "E_NO_RULE: no source of the mapping claims this row"
    return Skipped(number=record.number, reason=reason, declared=False)
