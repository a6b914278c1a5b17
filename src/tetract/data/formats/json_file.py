"""A JSON file of another program, taken as plain values only after it proved harmless."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

from tetract.errors import ReadError

# The largest list of cases that we know of has 7 MB.
MAX_BYTES: Final = 2**27


def load_json(path: Path) -> dict[str, Any]:
    """Read a JSON object; a key that stands twice is refused, and so is NaN.

    Raises:
        ReadError: ``E_NO_FILE``, or ``E_BAD_JSON`` for text that is no such object or too large.
    """
    content = _load(path)
    if not isinstance(content, dict):
        raise bad_json(path.name, "the file is no object", found=type(content).__name__)
    return content


def load_json_list(path: Path) -> list[Any]:
    """As ``load_json`` for a list.

    Raises:
        ReadError: As ``load_json``.
    """
    content = _load(path)
    if not isinstance(content, list):
        raise bad_json(path.name, "the file is no list", found=type(content).__name__)
    return content


def bad_json(where: str, what: str, *, expected: str = "", found: str = "") -> ReadError:
    """The error of a JSON file that does not say what its layout wants."""
    return ReadError(
        "E_BAD_JSON", what, where=where, expected=expected, found=found, fix="Correct the file"
    )


def _load(path: Path) -> object:
    if not path.is_file():
        raise ReadError("E_NO_FILE", "file does not exist", where=path.name)
    size = path.stat().st_size
    if size > MAX_BYTES:
        raise bad_json(
            path.name, "too large", expected=f"at most {MAX_BYTES} bytes", found=f"{size} bytes"
        )
    try:
        text = path.read_text(encoding="utf-8-sig")
        return json.loads(text, object_pairs_hook=_once, parse_constant=_refused)
    except (ValueError, RecursionError) as fault:  # UnicodeDecodeError and JSONDecodeError are too
        raise bad_json(path.name, "not a JSON file", found=type(fault).__name__) from None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands twice")
    return found


def _refused(word: str) -> object:
    raise ValueError(word)
