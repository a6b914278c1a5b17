"""Split a data set anew, pictures that are the same on one side."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from tetract.data.audit.file import AuditFile, Finding, load_audit, rows_hash
from tetract.data.card import SplitCard
from tetract.data.cells import Split
from tetract.data.fold_file import save_folds
from tetract.data.folds import fold_rows
from tetract.data.load import DatasetFolder, write_dataset
from tetract.data.splits import SplitFractions, assign_splits, split_hash
from tetract.data.table import Row


@dataclass(frozen=True, slots=True, kw_only=True)
class Resplit:
    """What a new split did.

    Attributes:
        splits: The rows of the new split, or those of each fold.
        hash: ``split_hash``, or ``fold_hash``.
        moved: Rows whose split changed; 0 for folds, which leave the table alone.
        joined: Patients that were kept together because the audit found the same picture.
    """

    splits: tuple[tuple[Row, ...], ...]
    hash: str
    moved: int
    joined: int


def split_dataset(folder: DatasetFolder, fractions: SplitFractions, seed: int) -> Resplit:
    """Give every row a new split and write table and card.

    Splits that rows had, published ones too, are given up. Patients between whom a valid audit
    found the same picture are treated as one.

    Raises:
        MachineError: ``E_DISK_FULL`` or ``E_CANNOT_WRITE``.
    """
    together = same_patients(folder)
    fresh = [replace(row, split=Split.UNASSIGNED) for row in _as_one(folder.rows, together)]
    rows = _restored(assign_splits(fresh, fractions, seed), folder.rows)
    card = SplitCard(
        seed=seed,
        train=fractions.train,
        val=fractions.val,
        test=fractions.test,
        hash=split_hash(rows),
    )
    write_dataset(folder.root, folder.card.model_copy(update={"split": card}), rows)
    moved = sum(a.split != b.split for a, b in zip(rows, folder.rows, strict=True))
    return Resplit(splits=(rows,), hash=card.hash, moved=moved, joined=len(together))


def split_into_folds(folder: DatasetFolder, folds: int, seed: int) -> Resplit:
    """Write ``folds.json``; table and card stay as they are.

    Raises:
        LabelError: ``E_FEW_PATIENTS`` or ``E_BAD_FOLDS``.
        MachineError: ``E_DISK_FULL`` or ``E_CANNOT_WRITE``.
    """
    together = same_patients(folder)
    dealt = fold_rows(_as_one(folder.rows, together), folds, seed)
    splits = tuple(_restored(rows, folder.rows) for rows in dealt)
    saved = save_folds(folder.root, splits, seed)
    return Resplit(splits=splits, hash=saved.hash, moved=0, joined=len(together))


def same_patients(folder: DatasetFolder) -> dict[str, str]:
    """Each patient that an audit joined with others, with the one that stands for them all.

    Empty without an audit of these very rows.

    Raises:
        ReadError: ``E_BAD_AUDIT``.
    """
    audit: AuditFile | None = load_audit(folder.root)
    if audit is None or audit.rows_hash != rows_hash(folder.rows):
        return {}
    return _joined(audit.findings, folder.rows)


def _joined(findings: Iterable[Finding], rows: Sequence[Row]) -> dict[str, str]:
    stands_for: dict[str, str] = {}

    def root(group: str) -> str:
        while stands_for.get(group, group) != group:
            group = stands_for[group]
        return group

    for finding in findings:
        groups = {rows[finding.first.row].group, rows[finding.second.row].group}
        roots = sorted({root(group) for group in groups})
        if len(groups) > 1:
            stands_for |= dict.fromkeys([*roots, *groups], roots[0])
    return {group: root(group) for group in stands_for}


def _as_one(rows: Sequence[Row], together: dict[str, str]) -> list[Row]:
    return [replace(row, patient=together.get(row.group, row.patient)) for row in rows]


def _restored(split: Sequence[Row], rows: Sequence[Row]) -> tuple[Row, ...]:
    return tuple(replace(row, split=new.split) for row, new in zip(rows, split, strict=True))
