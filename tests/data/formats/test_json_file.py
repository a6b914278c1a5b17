"""Claims about how large a JSON file may be, and what is said of one that is larger."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tetract.data.formats import json_file
from tetract.data.formats.coco_file import load_coco
from tetract.data.formats.json_file import load_json
from tetract.errors import Exit, MachineError, ReadError

MIB = 2**20


def a_file(folder: Path, size: int) -> Path:
    """A file of that size which takes no room on the disk."""
    path = folder / "big.json"
    path.touch()
    os.truncate(path, size)
    return path


def test_a_list_of_cases_may_have_128_mib(tmp_path: Path) -> None:
    with pytest.raises(ReadError, match=r"expected at most 128 MiB, found 128\.0 MiB"):
        load_json(a_file(tmp_path, 128 * MIB + 1))


def test_a_coco_file_may_have_a_gib_and_the_cure_is_told(tmp_path: Path) -> None:
    with pytest.raises(ReadError, match=r"at most 1024 MiB, found 1025\.0.*Split the file"):
        load_coco(a_file(tmp_path, 1025 * MIB))


def test_a_coco_file_beyond_the_limit_of_lists_is_read(tmp_path: Path) -> None:
    path = a_file(tmp_path, 129 * MIB)
    path.write_bytes(b'{"images": [], "annotations": [], "categories": []}' + b" " * 129 * MIB)
    assert load_coco(path).annotations == ()


def test_a_file_that_does_not_fit_into_memory_is_told_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise MemoryError

    monkeypatch.setattr(json_file.json, "loads", full)
    with pytest.raises(MachineError, match=r"E_OUT_OF_MEMORY big\.json.*Split") as caught:
        load_coco(a_file(tmp_path, 10))
    assert caught.value.exit_code == Exit.MACHINE
