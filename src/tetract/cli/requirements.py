"""The packages that tetract declares, and whether they are here."""

from __future__ import annotations

import re
from dataclasses import dataclass
from importlib import metadata

_DECLARED = re.compile(
    r"^(?P<name>[\w.-]+)>=(?P<oldest>[\w.]+)(?:\s*;.*extra\s*==\s*[\"'](?P<extra>[\w-]+)[\"'])?$"
)
# For those who change the code; a user lacks nothing without it.
_OWN = "dev"


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """One declared package.

    Attributes:
        name: As the index knows it.
        oldest: The oldest version that will do.
        extra: The extra that brings it; empty where tetract itself does.
    """

    name: str
    oldest: str
    extra: str


def declared() -> tuple[Package, ...]:
    """What the installed tetract asks for, in its own order; nothing where it is not installed."""
    try:
        lines = metadata.requires("tetract") or []
    except metadata.PackageNotFoundError:
        return ()
    found = [match for line in lines if (match := _DECLARED.match(line))]
    return tuple(
        Package(name=match["name"], oldest=match["oldest"], extra=match["extra"] or "")
        for match in found
        if match["extra"] != _OWN
    )


def installed(package: Package) -> str | None:
    """The version that is here; None where there is none, or only an older one."""
    try:
        version = metadata.version(package.name)
    except metadata.PackageNotFoundError:
        return None
    return version if _numbers(version) >= _numbers(package.oldest) else None


def _numbers(version: str) -> tuple[int, ...]:
    """The release of a version; ``2.13.0+cpu`` is (2, 13, 0)."""
    release = re.match(r"\d+(?:\.\d+)*", version)
    return tuple(int(part) for part in release[0].split(".")) if release else ()
