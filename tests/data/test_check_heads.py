"""Claims about the look at the test split's headers before a training."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from check_maker import a_picture, a_row, a_series

from tetract.data import BoxEntry, Row, Split
from tetract.data.check import heads
from tetract.data.check.heads import check_heads
from tetract.errors import TetractError

TEST = Split.TEST


def a_volume_row(folder: Path, **known: object) -> Row:
    if not folder.exists():
        a_series(folder)
    row = Row(image=folder, source="site", slice="all", split=TEST, number=7)
    return replace(row, **known)  # pyright: ignore[reportArgumentType]  fields by name


def strictly(*rows: Row) -> tuple[str, ...]:
    return check_heads(rows, TEST, skip_unreadable=False)


def test_a_readable_split_is_passed_in_silence(tmp_path: Path) -> None:
    one = a_volume_row(tmp_path / "scan", slice=4)
    assert strictly(a_row(tmp_path, "a.png", split=TEST), one, a_volume_row(tmp_path / "two")) == ()


def test_rows_of_other_splits_are_not_looked_at(tmp_path: Path) -> None:
    assert strictly(Row(image=tmp_path / "absent", source="site", split=Split.TRAIN)) == ()


@pytest.mark.parametrize(
    ("known", "code"),
    [
        ({"slice": 5}, "E_BAD_SLICE"),
        ({"slice": None}, "E_BAD_SLICE"),
        ({"boxes": (BoxEntry(label="n", xyxy=(0.0, 0.0, 2.0, 2.0)),)}, "E_BOXES_ON_VOLUME"),
    ],
)
def test_a_row_that_does_not_fit_its_file_is_refused(
    tmp_path: Path, known: dict[str, object], code: str
) -> None:
    with pytest.raises(TetractError, match=rf"{code} table\.csv row 7"):
        strictly(a_volume_row(tmp_path / "scan", **known))


def test_a_series_with_a_gap_is_refused_before_any_pixel(tmp_path: Path) -> None:
    a_series(tmp_path / "scan")[2].unlink()
    with pytest.raises(TetractError, match=r"E_NONUNIFORM_SPACING table\.csv row 7"):
        strictly(a_volume_row(tmp_path / "scan", slice=0))


def test_a_picture_whose_head_is_broken_is_refused(tmp_path: Path) -> None:
    bad = a_picture(tmp_path / "bad.png")
    bad.write_bytes(bad.read_bytes()[:20])
    with pytest.raises(TetractError, match=r"E_IMAGE_DECODE table\.csv row 3.*bad\.png"):
        strictly(Row(image=bad, source="site", split=TEST, number=3))


def test_what_may_be_skipped_is_counted_in_one_warning(tmp_path: Path) -> None:
    a_series(tmp_path / "scan")[2].unlink()
    rows = [a_volume_row(tmp_path / "scan", slice=n, number=n + 2) for n in range(3)]
    told = check_heads([*rows, a_row(tmp_path, "a.png", split=TEST)], TEST, skip_unreadable=True)
    assert len(told) == 1
    assert told[0].startswith("W_HEADS_UNREADABLE 3 of 4 rows of split test cannot be read")
    assert "E_NONUNIFORM_SPACING table.csv row 2" in told[0]


def test_each_file_is_opened_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    a_series(tmp_path / "scan")[2].unlink()
    opened: list[str] = []
    real = heads.count_slices
    monkeypatch.setattr(heads, "count_slices", lambda path: (opened.append(path.name), real(path)))
    rows = [a_volume_row(tmp_path / "scan", slice=n) for n in range(4)]
    assert check_heads(rows, TEST, skip_unreadable=True)
    assert opened == ["scan"]
