"""``folds.json``: a k-fold split on disk, with its hash."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final, Literal

from pydantic import ValidationError

from tetract.data.cells import Split
from tetract.data.folds import fold_hash
from tetract.data.table import Row
from tetract.data.yaml_model import Strict
from tetract.errors import LabelError, ReadError
from tetract.io import atomic_write_text

FOLDS_NAME: Final = "folds.json"


class FoldFile(Strict):
    """What ``folds.json`` holds.

    Attributes:
        schema_version: Version of this layout.
        folds: How many.
        seed: Seed of ``fold_rows``.
        hash: ``fold_hash`` of all folds.
        splits: Patient (or image without one) to its split in each fold.
    """

    schema_version: Literal[1] = 1
    folds: int
    seed: int
    hash: str
    splits: dict[str, tuple[Split, ...]]


def save_folds(folder: Path, folds: Sequence[Sequence[Row]], seed: int) -> FoldFile:
    """Write ``folds.json`` into a dataset folder; equal folds give equal bytes.

    Raises:
        MachineError: ``E_DISK_FULL`` or ``E_CANNOT_WRITE``.
    """
    groups = sorted({row.group for row in folds[0]})
    where = [{row.group: row.split for row in rows} for rows in folds]
    file = FoldFile(
        folds=len(folds),
        seed=seed,
        hash=fold_hash(folds),
        splits={group: tuple(splits[group] for splits in where) for group in groups},
    )
    text = json.dumps(file.model_dump(mode="json"), indent=1, ensure_ascii=False)
    atomic_write_text(folder / FOLDS_NAME, text + "\n")
    return file


def load_folds(folder: Path, rows: Sequence[Row]) -> tuple[tuple[Row, ...], ...]:
    """The rows of each fold, as they were saved.

    Raises:
        ReadError: ``E_NO_FOLDS`` without the file; ``E_BAD_FOLDS`` when it cannot be read.
        LabelError: ``E_FOLDS_CHANGED`` when the table's patients are not those of the file.
    """
    file = _read(folder / FOLDS_NAME)
    strangers = {row.group for row in rows} ^ set(file.splits)
    folds = tuple(
        tuple(replace(row, split=file.splits[row.group][fold]) for row in rows)
        for fold in range(file.folds if not strangers else 0)
    )
    if strangers or fold_hash(folds) != file.hash:
        raise LabelError(
            "E_FOLDS_CHANGED",
            "the folds were made for other patients or sources than the table has",
            where=FOLDS_NAME,
            found=f"{len(strangers)} patients in only one of the two",
            fix="Make them again with tetract data split --folds",
        )
    return folds


def _read(path: Path) -> FoldFile:
    if not path.is_file():
        raise ReadError(
            "E_NO_FOLDS",
            "the data set has no folds",
            where=path.parent.name,
            fix="Make them with tetract data split FOLDER --folds K",
        )
    try:
        file = FoldFile.model_validate_json(path.read_text(encoding="utf-8"))
    except (ValidationError, UnicodeDecodeError):
        raise _damaged(path) from None
    if file.folds < 2 or any(len(splits) != file.folds for splits in file.splits.values()):
        raise _damaged(path)
    return file


def _damaged(path: Path) -> ReadError:
    return ReadError(
        "E_BAD_FOLDS",
        "not a list of folds as this version writes it",
        where=path.name,
        fix="Make it again with tetract data split --folds",
    )
