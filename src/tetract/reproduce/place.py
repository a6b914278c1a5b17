"""The folder of a reproduction: whose it is, and the data sets inside it."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from tetract.data import DatasetFolder, Split, open_dataset, split_hash
from tetract.data.audit.file import rows_hash
from tetract.data.load import holds_dataset, write_dataset
from tetract.data.phantom.cohort import write_phantom_cohort
from tetract.data.phantom.lesions import CLEAR_LESIONS
from tetract.data.phantom.patient import PhantomConfig
from tetract.data.table import Row
from tetract.errors import InputError, MachineError
from tetract.io import atomic_write_text, make_folder
from tetract.reproduce.basis import Left
from tetract.reproduce.plan import Plan, Run, Where
from tetract.reproduce.profile import Profile

CLAIM: Final = "reproduction.json"
PHANTOM: Final = "phantom"
_SCHEMA: Final = "tetract.reproduction/1"
_RUN_BYTES: Final = 600e6  # two models and an optimiser of ResNet-50 while it trains
_KEPT_BYTES: Final = 3e6  # rows, logs and tables of a finished run


def own_data(out: Path, profile: Profile, data: Path | None) -> DatasetFolder:
    """The data set: the one named, or phantoms drawn into ``out`` for the smoke profile.

    Raises:
        InputError: ``E_NO_DATASET`` where the profile needs one; as ``open_dataset``.
    """
    if data is not None:
        return open_dataset(data)
    if profile.name != "smoke":
        raise InputError(
            "E_DATA_NEEDED",
            f"the {profile.name} profile needs a data set",
            where="--data",
            expected="a dataset folder",
            fix="Import one (tetract data import), or try --profile smoke, which draws phantoms",
        )
    folder = out / PHANTOM
    if not (folder / "dataset.yaml").is_file():
        make_folder(out)
        patients = PhantomConfig(
            patients=(12, 3, 5), slices=(6, 8), size_px=96, vessels=0.7, lesions=CLEAR_LESIONS
        )
        write_phantom_cohort(folder, patients)
    return open_dataset(folder)


def claim(out: Path, profile: Profile, data: DatasetFolder) -> None:
    """Say in ``out`` what it holds, so that no other reproduction is mixed into it.

    Raises:
        InputError: ``E_OTHER_PLAN`` when it holds one of another profile or data set, or
            ``E_OUT_NOT_EMPTY`` when it holds something else.
    """
    said = {"schema": _SCHEMA, "profile": profile.name, "data": data_hash(data)}
    file = out / CLAIM
    if file.is_file():
        found = json.loads(file.read_text(encoding="utf-8"))
        if found != said:
            raise InputError(
                "E_OTHER_PLAN",
                "this folder holds the reproduction of another profile or data set",
                where=out.name,
                expected=f"profile {profile.name}, data {said['data'][:12]}",
                found=f"profile {found.get('profile')}, data {str(found.get('data'))[:12]}",
                fix="Choose another folder with --out",
            )
        return
    check_free(out)
    make_folder(out)
    atomic_write_text(file, json.dumps(said, indent=1) + "\n")


def check_free(out: Path) -> None:
    """Refuse a folder that holds something else.

    Raises:
        InputError: ``E_OUT_NOT_EMPTY``.
    """
    if out.is_dir() and not (out / CLAIM).is_file():
        strangers = sorted(path.name for path in out.iterdir() if path.name != PHANTOM)
        if strangers:
            raise InputError(
                "E_OUT_NOT_EMPTY",
                "this folder holds something else than a reproduction",
                where=out.name,
                found=strangers[0],
                fix="Choose another folder with --out",
            )


def data_hash(data: DatasetFolder) -> str:
    """Which slices there are, whose, and in which split."""
    words = f"{rows_hash(data.rows)} {split_hash(data.rows)}"
    return hashlib.sha256(words.encode()).hexdigest()


def lay_out(out: Path, data: DatasetFolder, left: Sequence[Left]) -> Where:
    """Where everything is; no file is written."""
    folders: dict[str | None, Path] = {None: data.root}
    hashes: dict[str | None, str] = {None: data_hash(data)}
    for one in left:
        folders[one.source] = out / "data" / f"without-{_plain(one.source)}"
        hashes[one.source] = data_hash(replace(data, rows=_kept_out(data.rows, one.source)))
    return Where(out=out, data=folders, hashes=hashes)


def write_left_out(where: Where, data: DatasetFolder, runs: Sequence[Run]) -> None:
    """The data sets of runs that keep a source out of training."""
    for source in {run.without for run in runs if run.without is not None}:
        rows, card = _kept_out(data.rows, source), data.card.model_copy(update={"split": None})
        folder = where.data[source]
        if not holds_dataset(folder, card, rows):
            write_dataset(folder, card, rows)


def check_room(out: Path, plan: Plan, waiting: Sequence[Run], *, jobs: int) -> None:
    """Refuse to begin what the disk cannot hold.

    Raises:
        MachineError: ``E_DISK_FULL``.
    """
    sides = {run.recipe.data.image_px for run in waiting}
    cached = sum(plan.basis.slices) * 4 * sum(side**2 for side in sides)
    kept = sum(run.letters == "C" for run in waiting) * _RUN_BYTES / 4
    needed = jobs * _RUN_BYTES + len(waiting) * _KEPT_BYTES + kept + cached
    place = out if out.exists() else out.absolute().parent
    free = shutil.disk_usage(place).free
    if waiting and free < needed:
        raise MachineError(
            "E_DISK_FULL",
            "the disk has no room for these runs",
            where=out.name,
            expected=f"about {needed / 1e9:.1f} GB free",
            found=f"{free / 1e9:.1f} GB",
            fix="Free some space, choose another --out, or make fewer tables with --only",
        )


def _kept_out(rows: Sequence[Row], source: str) -> tuple[Row, ...]:
    """The source's slices are all tested on; other sources' test slices rest."""
    return tuple(replace(row, split=_new_split(row, source)) for row in rows)


def _new_split(row: Row, source: str) -> Split:
    if row.source == source:
        return Split.TEST
    return Split.UNASSIGNED if row.split == Split.TEST else row.split


def _plain(name: str) -> str:
    return "".join(sign if sign.isalnum() or sign in "-_" else "-" for sign in name)
