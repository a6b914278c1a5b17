"""No key of a hospital leaves the data room."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from tetract.data.pseudonyms import patient_names, series_names
from tetract.data.table import Row

ROW = Row(image=Path("a.png"), source="A")
ROWS = [
    replace(ROW, patient="MRN-4711", series="1"),
    replace(ROW, patient="MRN-4712", series="1"),
    replace(ROW, patient="MRN-4711", series="2"),
    replace(ROW, patient="MRN-4711", series="1"),
    replace(ROW, patient="MRN-4711", series="1", source="B"),
    ROW,
    ROW,
]


def test_a_patient_is_the_row_it_first_appears_in() -> None:
    assert patient_names(ROWS) == [
        *("patient of row 0", "patient of row 1", "patient of row 0", "patient of row 0"),
        *("patient of row 4", "", ""),
    ]


def test_a_series_belongs_to_its_patient_and_source() -> None:
    assert series_names(ROWS) == [
        *("series of row 0", "series of row 1", "series of row 2", "series of row 0"),
        *("series of row 4", "", ""),
    ]


def test_no_key_is_left() -> None:
    assert "47" not in "".join([*patient_names(ROWS), *series_names(ROWS)])
