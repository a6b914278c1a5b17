"""Warnings of many slices or pictures, told without a flood."""

from __future__ import annotations

from collections.abc import Iterable


def once_per_code(lines: Iterable[str], of_what: str) -> tuple[str, ...]:
    """The first line of each code, with the number of slices or pictures more that it concerns."""
    by_code: dict[str, list[str]] = {}
    for line in lines:
        by_code.setdefault(line.split(" ", 1)[0], []).append(line)
    return tuple(
        found[0] if len(found) == 1 else f"{found[0]} (and {len(found) - 1} {of_what} more)"
        for found in by_code.values()
    )
