"""A results folder that is either complete or not there."""

from __future__ import annotations

import errno
import json
import os
import re
import secrets
import shutil
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import cast

from tetract.errors import InputError, MachineError
from tetract.report.findings_json import SCHEMA


@contextmanager
def replaced_folder(out: Path) -> Generator[Path, None, None]:
    """A fresh folder beside ``out`` to write into; it takes the place of ``out`` on success.

    On any error, an interrupt included, the fresh folder is removed and ``out`` is as it was.

    Args:
        out: Must not exist, be empty, or be an earlier findings folder with nothing added.

    Raises:
        InputError: ``E_OUT_NOT_EMPTY`` when something of somebody else's would be lost.
        MachineError: ``E_DISK_FULL`` or ``E_CANNOT_WRITE``.
    """
    out = out.resolve()
    check_free(out)
    mark = f"{os.getpid()}-{secrets.token_hex(4)}"
    part, old = out.with_name(f".{out.name}.{mark}.part"), out.with_name(f".{out.name}.{mark}.old")
    try:
        part.mkdir(parents=True)
        yield part
        _exchange(part, out, old)
        shutil.rmtree(old, ignore_errors=True)
    except OSError as problem:
        raise _machine_error(out, problem) from problem
    finally:
        shutil.rmtree(part, ignore_errors=True)


def check_free(out: Path) -> None:
    """Refuse an output place that holds anything but an earlier, untouched findings folder.

    Raises:
        InputError: ``E_OUT_NOT_EMPTY``.
    """
    if not out.exists():
        return
    stranger = out.name if not out.is_dir() else _stranger(out)
    if stranger:
        raise InputError(
            "E_OUT_NOT_EMPTY",
            "the output place holds something that was not written by TetraCT",
            where=out.name,
            expected="a new or empty folder, or earlier findings",
            found=stranger,
            fix="Give another folder",
        )


def safe_stem(index: int, name: str) -> str:
    """``0012_name`` with nothing in it that a file system or a shell could mistake.

    Args:
        index: Position of the slice, which keeps names apart.
        name: Any text; only its last path part is used, at most 40 characters of it.
    """
    base = re.split(r"[\\/]", name)[-1]
    base = re.sub(r"\.(png|jpe?g|dcm|nii|nii\.gz)$", "", base, flags=re.IGNORECASE)
    clean = re.sub(r"[^A-Za-z0-9-]+", "_", base).strip("_-")[:40].strip("_-")
    return f"{index:04d}_{clean}" if clean else f"{index:04d}"


def _stranger(folder: Path) -> str:
    """A file in the folder that the earlier findings do not list, or an empty string."""
    present = sorted(
        path.relative_to(folder).as_posix() for path in folder.rglob("*") if not path.is_dir()
    )
    known = _listed(folder / "findings.json")
    return next((path for path in present if path not in known), "")


def _listed(record: Path) -> frozenset[str]:
    """What an earlier findings.json says it wrote; nothing when it is not one of ours."""
    try:
        raw = json.loads(record.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return frozenset()
    if not isinstance(raw, dict):
        return frozenset()
    content = cast("dict[str, object]", raw)
    files = content.get("files")
    if content.get("schema") != SCHEMA or not isinstance(files, dict):
        return frozenset()
    groups = cast("dict[str, object]", files).values()
    listed = [item for group in groups for item in (group if isinstance(group, list) else [group])]
    return frozenset(item for item in listed if isinstance(item, str))


def _exchange(part: Path, out: Path, old: Path) -> None:
    if not out.exists():
        part.rename(out)
        return
    out.rename(old)
    try:
        part.rename(out)
    except BaseException:
        if not out.exists():
            old.rename(out)
        raise


def _machine_error(out: Path, problem: OSError) -> MachineError:
    if problem.errno in {errno.ENOSPC, errno.EDQUOT}:
        return MachineError(
            "E_DISK_FULL",
            "the disk is full",
            where=out.name,
            fix="Nothing was written; free some space or give another folder",
        )
    return MachineError(
        "E_CANNOT_WRITE",
        "the output folder cannot be written",
        where=out.name,
        found=problem.strerror or type(problem).__name__,
        fix="Nothing was written; give another folder",
    )
