"""Every code that a reader can give is explained."""

from __future__ import annotations

import re
from pathlib import Path

import tetract

SOURCE = Path(tetract.__file__).parent
PAGE = SOURCE.parents[1] / "docs/reference/errors.md"


def _codes(*rooms: str) -> set[str]:
    files = [path for room in rooms for path in (SOURCE / room).rglob("*.py")]
    text = "".join(path.read_text() for path in files)
    return set(re.findall(r'"(E_[A-Z0-9_]+)"', text)) | set(re.findall(r"\bW_[A-Z0-9_]+", text))


def test_every_code_of_the_readers_is_explained() -> None:
    explained = set(re.findall(r"`([EW]_[A-Z0-9_]+)`", PAGE.read_text()))
    assert _codes("io", "types") - explained == set()


def test_no_warning_is_explained_that_nothing_gives() -> None:
    rows = set(re.findall(r"^\| `(W_[A-Z0-9_]+)`", PAGE.read_text(), re.MULTILINE))
    assert rows - _codes(".") == set()


def test_no_code_has_two_rows() -> None:
    rows = re.findall(r"^\| `([EW]_[A-Z0-9_]+)`", PAGE.read_text(), re.MULTILINE)
    assert len(rows) == len(set(rows))
