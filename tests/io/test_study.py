"""A folder of pictures is a study, and slices are counted without decoding."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from io_makers import ct_numbers, make_series, save_nifti

from tetract.errors import ReadError
from tetract.io import count_slices, read_study, read_volume, write_png


def _pictures(folder: Path, *names: str) -> None:
    for index, name in enumerate(names):
        write_png(folder / name, np.full((4, 6), index, np.uint8))


def test_pictures_come_in_natural_order(tmp_path: Path) -> None:
    _pictures(tmp_path, "s10.png", "s9.png", "S2.png", "a.png")
    names = [volume.provenance.name for volume in read_study(tmp_path)]
    assert names == ["a.png", "S2.png", "s9.png", "s10.png"]


def test_other_files_are_ignored_with_a_warning(tmp_path: Path) -> None:
    _pictures(tmp_path, "1.png", "2.png")
    (tmp_path / "notes.txt").write_text("x")
    (tmp_path / ".DS_Store").write_text("x")
    first, second = read_study(tmp_path)
    assert first.provenance.warnings[0].startswith("W_SKIPPED")
    assert "notes.txt" in first.provenance.warnings[0]
    assert second.provenance.warnings == ()


def test_pictures_may_differ_in_size(tmp_path: Path) -> None:
    _pictures(tmp_path, "1.png")
    write_png(tmp_path / "2.png", np.zeros((9, 3), np.uint8))
    assert [v.values.shape for v in read_study(tmp_path)] == [(1, 4, 6), (1, 9, 3)]


def test_a_picture_folder_is_no_volume(tmp_path: Path) -> None:
    _pictures(tmp_path, "1.png", "2.png")
    with pytest.raises(ReadError, match=r"E_NO_SERIES.*2 png"):
        read_volume(tmp_path)


def test_a_series_is_a_study_of_one_volume(tmp_path: Path) -> None:
    make_series(tmp_path)
    (volume,) = read_study(tmp_path)
    assert volume.depth == 6


def test_slices_are_counted(tmp_path: Path) -> None:
    make_series(tmp_path / "ct")
    (tmp_path / "p").mkdir()
    _pictures(tmp_path / "p", "1.png", "2.png")
    nifti = save_nifti(tmp_path / "a.nii.gz", ct_numbers((8, 7, 5)))
    found = [count_slices(p) for p in (tmp_path / "ct", tmp_path / "p", nifti)]
    assert [*found, count_slices(tmp_path / "p" / "1.png")] == [6, 2, 5, 1]
