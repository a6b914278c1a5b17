"""A JSON file of another program, taken as plain values only after it proved harmless."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

from tetract.errors import MachineError, ReadError

# The largest list of cases that we know of has 7 MB.
MAX_BYTES: Final = 2**27


def load_json(
    path: Path, *, most_bytes: int = MAX_BYTES, cure: str = "Correct the file"
) -> dict[str, Any]:
    """Read a JSON object; a key that stands twice is refused, and so is NaN.

    Args:
        path: The file.
        most_bytes: A larger file is refused before a byte of it is read. Reading takes about
            seven times the size of a file of polygons in memory.
        cure: What to do about a file that is larger.

    Raises:
        ReadError: ``E_NO_FILE``, or ``E_BAD_JSON`` for text that is no such object or too large.
        MachineError: ``E_OUT_OF_MEMORY``.
    """
    content = _load(path, most_bytes, cure)
    if not isinstance(content, dict):
        raise bad_json(path.name, "the file is no object", found=type(content).__name__)
    return content


def load_json_list(path: Path) -> list[Any]:
    """As ``load_json`` for a list.

    Raises:
        ReadError: As ``load_json``.
        MachineError: As ``load_json``.
    """
    content = _load(path, MAX_BYTES, "Correct the file")
    if not isinstance(content, list):
        raise bad_json(path.name, "the file is no list", found=type(content).__name__)
    return content


def bad_json(
    where: str, what: str, *, expected: str = "", found: str = "", fix: str = "Correct the file"
) -> ReadError:
    """The error of a JSON file that does not say what its layout wants."""
    return ReadError("E_BAD_JSON", what, where=where, expected=expected, found=found, fix=fix)


def _load(path: Path, most_bytes: int, cure: str) -> object:
    if not path.is_file():
        raise ReadError("E_NO_FILE", "file does not exist", where=path.name)
    size = path.stat().st_size
    if size > most_bytes:
        raise bad_json(
            path.name,
            "too large",
            expected=f"at most {most_bytes / 2**20:g} MiB",
            found=f"{size / 2**20:.1f} MiB",
            fix=cure,
        )
    try:
        text = path.read_text(encoding="utf-8-sig")
        return json.loads(text, object_pairs_hook=_once, parse_constant=_refused)
    except (ValueError, RecursionError) as fault:  # UnicodeDecodeError and JSONDecodeError are too
        raise bad_json(path.name, "not a JSON file", found=type(fault).__name__) from None
    except MemoryError:
        raise MachineError(
            "E_OUT_OF_MEMORY",
            "the file does not fit into memory",
            where=path.name,
            found=f"{size / 2**20:.1f} MiB of text",
            fix=f"{cure}, or use a machine with more memory",
        ) from None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands twice")
    return found


def _refused(word: str) -> object:
    raise ValueError(word)
