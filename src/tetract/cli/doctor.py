"""``tetract doctor``: what this machine has and lacks."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from tetract.errors import Exit

_RESEARCH_USE = "Research use only. Not a medical device."
_NEEDED_GIB = 1.0
_OLDEST_PYTHON = (3, 11)


class State(StrEnum):
    """How one thing stands."""

    OK = "ok"
    OPTIONAL = "not installed"
    MISSING = "MISSING"


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One thing that was looked at.

    Attributes:
        name: What it is.
        state: Whether it is there, may be absent, or is needed and absent.
        found: A version, a name or an amount with its unit.
        fix: What to do about it; empty where nothing is to be done.
    """

    name: str
    state: State
    found: str
    fix: str = ""


def doctor(
    folder: Annotated[
        Path, typer.Option(help="Folder whose disk is looked at, such as that of a run.")
    ] = Path(),
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
) -> None:
    """List Python, packages, device, codecs and disk space. Changes nothing; sends nothing.

    Exits with 0, or with 3 when something that is needed is missing.
    """
    import json

    machine = [_python(), *_packages(), _device(), _bfloat16(), _disk(folder)]
    codecs = _codecs()
    lacking = any(check.state is State.MISSING for check in [*machine, *codecs])
    if as_json:
        record = {
            "ok": not lacking,
            "machine": [asdict(check) for check in machine],
            "codecs": [asdict(check) for check in codecs],
            "research_use": _RESEARCH_USE,
        }
        typer.echo(json.dumps(record, indent=1))
    else:
        for title, checks in (("Machine", machine), ("Compressed DICOM", codecs)):
            typer.echo(f"{title}\n{_table(checks)}\n")
        typer.echo(_RESEARCH_USE)
    raise typer.Exit(Exit.MACHINE if lacking else Exit.OK)


def _table(checks: list[Check]) -> str:
    width = max(len(check.name) for check in checks)
    lines: list[str] = []
    for check in checks:
        cure = f"; {check.fix}" if check.fix else ""
        lines.append(f"  {check.name:<{width}}  {check.state:<13}  {check.found}{cure}".rstrip())
    return "\n".join(lines)


def _python() -> Check:
    found = ".".join(str(part) for part in sys.version_info[:3])
    fits = sys.version_info[:2] >= _OLDEST_PYTHON
    state = State.OK if fits else State.MISSING
    return Check(name="Python", state=state, found=found, fix="" if fits else "install 3.11")


def _packages() -> list[Check]:
    """Every package that tetract declares, and one line per extra."""
    from tetract.cli.requirements import declared, installed

    checks: list[Check] = []
    lacking: dict[str, list[str]] = {}
    extras: list[str] = []
    for package in declared():
        found = installed(package)
        if package.extra:
            extras.append(package.extra)
            if found is None:
                lacking.setdefault(package.extra, []).append(package.name)
            continue
        if found is None:
            cure = f"pip install '{package.name}>={package.oldest}'"
            checks.append(
                Check(name=package.name, state=State.MISSING, found="not here or older", fix=cure)
            )
        else:
            checks.append(Check(name=package.name, state=State.OK, found=found))
    for extra in dict.fromkeys(extras):
        absent = lacking.get(extra, [])
        checks.append(
            Check(
                name=f"tetract[{extra}]",
                state=State.OPTIONAL if absent else State.OK,
                found=f"without {', '.join(absent)}" if absent else "complete",
                fix=f"pip install 'tetract[{extra}]'" if absent else "",
            )
        )
    return checks


def _device() -> Check:
    return _tried("device", _device_in_words, "install torch")


def _device_in_words() -> str:
    from tetract.infer.machine import device_in_words

    return device_in_words()


def _bfloat16() -> Check:
    try:
        from tetract.train.machine import choose_device, choose_precision
    except ImportError:
        return Check(
            name="bfloat16",
            state=State.OPTIONAL,
            found="used in training only",
            fix="pip install 'tetract[train]'",
        )
    has_it = choose_precision("auto", choose_device("auto")) == "bf16-mixed"
    found = "in hardware" if has_it else "not in hardware: training takes float32"
    return Check(name="bfloat16", state=State.OK, found=found)


def _tried(name: str, ask: Callable[[], str], fix: str) -> Check:
    try:
        return Check(name=name, state=State.OK, found=ask())
    except ImportError as fault:
        return Check(name=name, state=State.MISSING, found=f"no module {fault.name}", fix=fix)


def _disk(folder: Path) -> Check:
    import shutil

    try:
        free = shutil.disk_usage(folder).free / 2**30
    except OSError:
        return Check(
            name="disk", state=State.MISSING, found="no such folder", fix="give another --folder"
        )
    fits = free >= _NEEDED_GIB
    return Check(
        name="disk",
        state=State.OK if fits else State.MISSING,
        found=f"{free:.1f} GiB free",
        fix="" if fits else f"free at least {_NEEDED_GIB:g} GiB",
    )


def _codecs() -> list[Check]:
    try:
        from tetract.io.dicom.codecs import list_codecs
        from tetract.io.dicom.decode_client import try_decoder
    except ImportError as fault:
        return [Check(name="codecs", state=State.MISSING, found=f"no module {fault.name}")]
    child = try_decoder()
    limit = (
        f"at most {child.memory_bytes >> 30} GiB of memory"
        if child.memory_bytes
        else ("this system sets no limit of memory")
    )
    checks = [
        Check(
            name="child process that decodes",
            state=State.OK if child.starts else State.MISSING,
            found=f"starts; {limit}" if child.starts else "does not start",
            fix="" if child.starts else "allow tetract to start processes",
        )
    ]
    for codec in list_codecs():
        absent = State.MISSING if codec.brought_by == "tetract" else State.OPTIONAL
        checks.append(
            Check(
                name=codec.name,
                state=absent if codec.plugin is None else State.OK,
                found=codec.plugin or "no codec",
                fix="" if codec.plugin else f"pip install '{codec.brought_by}'",
            )
        )
    return checks
