"""Every reader of a folder sees the same files, in an order that does not depend on the disk."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tetract.errors import ReadError
from tetract.io.listing import visible_files
from tetract.io.study import natural_order


def test_hidden_files_and_folders_are_left_out(tmp_path: Path) -> None:
    for name in ("b.png", "a.png", ".DS_Store"):
        (tmp_path / name).touch()
    (tmp_path / "inner").mkdir()
    assert [path.name for path in visible_files(tmp_path)] == ["a.png", "b.png"]


def test_names_of_equal_natural_order_keep_a_fixed_order(tmp_path: Path) -> None:
    for name in ("s1.png", "S1.png", "s01.png"):
        (tmp_path / name).touch()
    found = [path.name for path in sorted(visible_files(tmp_path), key=natural_order)]
    assert found == ["S1.png", "s01.png", "s1.png"]


def test_a_folder_that_cannot_be_listed_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: Path) -> None:
        raise PermissionError(13, os.strerror(13))

    monkeypatch.setattr(Path, "iterdir", refuse)
    with pytest.raises(ReadError, match=r"E_CANNOT_READ .*PermissionError"):
        visible_files(tmp_path)
