from __future__ import annotations

from pathlib import Path

import pytest
from dataset_maker import a_card, a_row, write_table

from tetract.data import EMPTY, BoxEntry, MaskSource, Split, open_dataset, write_dataset
from tetract.data.records import read_records
from tetract.data.table import render_table
from tetract.errors import TetractError


def test_rows_survive_the_disk(tmp_path: Path) -> None:
    (tmp_path / "m.png").touch()
    row = a_row(
        tmp_path,
        slice=3,
        patient="p,1",
        study="s",
        split=Split.VAL,
        label=frozenset({"normal", "covid"}),
        mask={"lung": MaskSource(path=tmp_path / "m.png", value=2), "nodule": EMPTY},
        boxes=(BoxEntry(label="nodule", xyxy=(1.0, 2.0, 3.5, 4.0)),),
        note='said "so"',
        number=2,
    )
    write_dataset(tmp_path, a_card(), [row])
    assert open_dataset(tmp_path).rows == (row,)


def test_files_inside_the_folder_are_named_relative_to_it(tmp_path: Path) -> None:
    inside, outside = a_row(tmp_path, "in.png"), a_row(tmp_path.parent, "out.png")
    lines = render_table([inside, outside], a_card(), tmp_path).splitlines()
    assert lines[1].startswith("in.png,")
    assert lines[2].startswith(str(tmp_path.parent / "out.png"))


def test_a_row_without_patient_is_grouped_by_its_image_wherever_it_lies(tmp_path: Path) -> None:
    (tmp_path / "x" / "ct").mkdir(parents=True)
    (tmp_path / "ct").mkdir()
    here, there = a_row(tmp_path / "ct"), a_row(tmp_path / "x" / "ct")
    assert here.group == there.group == "image:ct/a.png"


def test_a_byte_order_mark_and_another_column_order_are_read(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("﻿b,a\n1, 2 \n\n3,4\n", encoding="utf-8")
    header, records = read_records(tmp_path / "t.csv", required=["a", "b"])
    assert header == ("b", "a")
    assert [(r.number, r.cells["a"]) for r in records] == [(2, "2"), (4, "4")]


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "E_EMPTY_DATASET"),
        (b"a,b\n", "E_EMPTY_DATASET"),
        (b"a,c\n1,2\n", "E_NO_COLUMN.*'b'"),
        (b"a,b,a\n1,2,3\n", "E_BAD_TABLE"),
        (b"a,b\n1,2,3\n", "E_BAD_TABLE.*row 2.*expected 2 cells, found 3"),
        (b'a,b\n1,"2\n', "E_BAD_TABLE"),
        (b"a,b\n\xff\xfe,2\n", "E_BAD_TABLE"),
    ],
)
def test_what_is_not_a_table_is_refused(tmp_path: Path, content: bytes, code: str) -> None:
    (tmp_path / "t.csv").write_bytes(content)
    with pytest.raises(TetractError, match=code):
        read_records(tmp_path / "t.csv", required=["a", "b"])


def test_a_missing_table_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TetractError, match="E_NO_FILE"):
        read_records(tmp_path / "t.csv", required=[])


def test_the_table_maker_of_these_tests_makes_a_good_table(tmp_path: Path) -> None:
    write_dataset(tmp_path, a_card(), [a_row(tmp_path)])
    write_table(tmp_path, {"class": "normal"})
    assert open_dataset(tmp_path).rows[0].label == {"normal"}
