"""A dataset folder on disk: written whole, opened only when everything cheap to check is right."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tetract.data.card import CARD_NAME, DatasetCard, load_card, render_card
from tetract.data.cells import MaskSource, SliceIndex
from tetract.data.records import read_records
from tetract.data.splits import check_no_patient_in_two_splits, split_hash
from tetract.data.table import (
    COLUMNS,
    TABLE_NAME,
    Row,
    check_names,
    parse_row,
    place,
    render_table,
)
from tetract.errors import InputError, LabelError, ReadError
from tetract.io import atomic_write_text

_OPTIONAL = {"study", "series", "note"}


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetFolder:
    """An opened data set.

    Attributes:
        card: What it is.
        rows: Its rows, in the order of the table.
        root: Absolute folder.
        warnings: What a reader of results must know, one line each, beginning with a ``W_`` code.
    """

    card: DatasetCard
    rows: tuple[Row, ...]
    root: Path
    warnings: tuple[str, ...] = ()


def open_dataset(folder: Path) -> DatasetFolder:
    """Open a dataset folder; no image is decoded.

    Raises:
        InputError: The first problem, with the number of further ones: a bad card
            (``E_BAD_CARD``), cell, label name, split word, file, duplicate, or a patient in two
            splits (``E_PATIENT_LEAK``).
    """
    root = folder.absolute()
    card = load_card(root)
    required = [column for column in COLUMNS if column not in _OPTIONAL]
    header, records = read_records(root / TABLE_NAME, required=required)
    strangers = [name for name in header if name not in COLUMNS]
    if strangers:
        raise InputError(
            "E_BAD_TABLE",
            f"unknown column '{strangers[0]}'",
            where=TABLE_NAME,
            expected=", ".join(COLUMNS),
            fix="Put remarks into the note column",
        )
    rows: list[Row] = []
    problems: list[InputError] = []
    for record in records:
        try:
            rows.append(parse_row(record, card, root))
        except InputError as error:
            problems.append(error)
    problems += row_problems(rows, card)
    _raise_first(problems)
    return DatasetFolder(
        card=card, rows=tuple(rows), root=root, warnings=tuple(dataset_warnings(card, rows))
    )


def write_dataset(folder: Path, card: DatasetCard, rows: Sequence[Row]) -> None:
    """Write ``table.csv`` and ``dataset.yaml``; equal input gives equal bytes.

    The old card goes first and the new card comes last: a folder that an interrupt left half
    written has no card and is refused, never mixed up.

    Raises:
        InputError: What ``open_dataset`` would refuse; nothing is written then.
        MachineError: ``E_DISK_FULL``.
    """
    root = folder.absolute()
    if not rows:
        raise InputError("E_EMPTY_DATASET", "there is no row to write", where=root.name)
    check_rows(rows, card)
    texts = render_dataset(root, card, rows)
    root.mkdir(parents=True, exist_ok=True)
    (root / CARD_NAME).unlink(missing_ok=True)
    for name in (TABLE_NAME, CARD_NAME):
        atomic_write_text(root / name, texts[name])


def holds_dataset(folder: Path, card: DatasetCard, rows: Sequence[Row]) -> bool:
    """Whether ``folder`` already holds exactly this data set."""
    root = folder.absolute()
    return all(
        (root / name).is_file() and (root / name).read_bytes() == text.encode()
        for name, text in render_dataset(root, card, rows).items()
    )


def render_dataset(folder: Path, card: DatasetCard, rows: Sequence[Row]) -> dict[str, str]:
    """The texts of ``table.csv`` and ``dataset.yaml`` as they stand in ``folder``."""
    root = folder.absolute()
    return {TABLE_NAME: render_table(rows, card, root), CARD_NAME: render_card(card)}


def check_rows(rows: Sequence[Row], card: DatasetCard) -> None:
    """Refuse rows that ``open_dataset`` would refuse.

    Raises:
        InputError: The first problem, with the number of further ones.
    """
    _raise_first(row_problems(rows, card))


def row_problems(rows: Sequence[Row], card: DatasetCard) -> list[InputError]:
    """Everything wrong with rows that parsed, as errors not yet raised."""
    checks: list[Callable[[], None]] = [lambda row=row: check_names(row, card) for row in rows]
    checks += [lambda row=row: _check_patient(row, card) for row in rows]
    checks += [
        lambda: check_no_patient_in_two_splits(rows),
        lambda: _check_duplicates(rows),
        lambda: _check_files([row.image for row in rows], "E_MISSING_IMAGE", "image"),
        lambda: _check_files(_mask_paths(rows), "E_MISSING_MASK", "mask"),
    ]
    problems: list[InputError] = []
    for check in checks:
        try:
            check()
        except InputError as error:
            problems.append(error)
    return problems


def dataset_warnings(card: DatasetCard, rows: Iterable[Row]) -> list[str]:
    """What is permitted but must travel with every result."""
    rows = list(rows)
    lines: list[str] = []
    for source in card.sources:
        mine = [row for row in rows if row.source == source.name]
        nameless = sum(row.patient is None for row in mine)
        if nameless:
            lines.append(
                f"W_NO_PATIENT_IDS {source.name}: {nameless} of {len(mine)} rows have no patient "
                "id and are grouped by image; one patient may lie in two splits, scores may be "
                "too high"
            )
    lines += _mixed_greys(card, rows)
    if card.split is not None and card.split.hash != split_hash(rows):
        lines.append(
            "W_SPLIT_CHANGED the split differs from the one the card was written with; results "
            "are not comparable with earlier ones"
        )
    return lines


def _mixed_greys(card: DatasetCard, rows: Sequence[Row]) -> list[str]:
    used = {row.source for row in rows}
    names = {
        known: ", ".join(s.name for s in card.sources if s.name in used and s.hu_known is known)
        for known in (True, False)
    }
    if not all(names.values()):
        return []
    return [
        f"W_MIXED_GREYS HU of {names[True]} are normalised by the window data.window_hu, grey "
        f"values of {names[False]} by the whole range of their type (255 or 65535), for their "
        "window is lost; a model can tell these sources apart by brightness, so scores pooled "
        "over them may be too high"
    ]


def _raise_first(problems: list[InputError]) -> None:
    if not problems:
        return
    first = problems[0]
    more = f" ({len(problems) - 1} more problems in this table)" if len(problems) > 1 else ""
    raise type(first)(
        first.code,
        first.what + more,
        where=first.where,
        expected=first.expected,
        found=first.found,
        fix=first.fix,
    )


def _check_patient(row: Row, card: DatasetCard) -> None:
    sources = {source.name: source for source in card.sources}
    if row.patient is None and row.source in sources:
        if sources[row.source].patient_ids != "known":
            return
        raise LabelError(
            "E_PATIENT_UNKNOWN",
            "patient is unknown, but the card says that this source's patients are known",
            where=place(row.number, "patient"),
            fix="Give the patient's key, or set patient_ids to partly or unknown",
        )


def _check_duplicates(rows: Iterable[Row]) -> None:
    seen: defaultdict[Path, dict[SliceIndex, Row]] = defaultdict(dict)
    for row in rows:
        slices = seen[row.image]
        whole = None if isinstance(row.slice, int) else next(iter(slices.values()), None)
        # "all" and "-" speak for the whole file, so they tolerate no other row beside them.
        twin = slices.get(row.slice) or slices.get("all") or slices.get(None) or whole
        if twin is not None:
            raise LabelError(
                "E_DUPLICATE_ROW",
                f"the same slice of {row.image.name} stands in the table twice",
                where=f"{TABLE_NAME} rows {twin.number} and {row.number}",
                fix="Keep one of them",
            )
        slices[row.slice] = row


def _mask_paths(rows: Iterable[Row]) -> list[Path]:
    sources = (source for row in rows for source in (row.mask or {}).values())
    return [source.path for source in sources if isinstance(source, MaskSource)]


def _check_files(paths: Iterable[Path], code: str, kind: str) -> None:
    missing = [path.name for path in dict.fromkeys(paths) if not path.exists()]
    if missing:
        more = f" and {len(missing) - 3} more" if len(missing) > 3 else ""
        raise ReadError(
            code,
            f"{len(missing)} {kind} files of the table do not exist",
            where=", ".join(missing[:3]) + more,
            fix="Check the paths, which start from the dataset folder",
        )
