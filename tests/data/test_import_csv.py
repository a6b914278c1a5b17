from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from tetract.cli.data import app
from tetract.data import EMPTY, MaskSource, Row, open_dataset
from tetract.data.finish_import import ImportOptions, ImportReport
from tetract.data.import_csv import import_csv
from tetract.errors import TetractError
from tetract.io import write_png

MAPPING = """
name: toy
classes: [normal, covid, cancer]
mask_classes: [infection, lung]
box_classes: [nodule]
ignore:
  - {when: {role: mask}, reason: a mask}
sources:
  - card: {name: site, citation: c, licence: l, hu_known: false, patient_ids: partly,
           group_by: patient, mask_classes: [infection, lung], box_classes: [nodule]}
    when: {role: image}
    image: {column: file}
    patient: {column: patient, unknown: ['anon.*']}
    class:
      - {when: {label: covid}, is: covid, if_mask: infection}
      - {when: {label: normal}, is: normal}
      - {when: {label: not_covid}, is: {not: covid}}
      - {when: {label: either}, is: [normal, cancer]}
      - {when: {label: ''}, is: unknown}
    mask:
      - when: {masks: '.+'}
        column: masks
        files:
          - {path: '.*inf.*', class: infection}
          - {path: '.*lung.*', class: lung, value: 2}
      - {when: {label: normal}, is: empty}
      - {is: unknown}
    boxes:
      - {when: {boxes: '.+', last: 'in'}, column: boxes, label: nodule, inclusive: true}
      - {when: {boxes: '.+'}, column: boxes, label: nodule}
      - when: {}
        voc: {folder: xml, key: {column: file, pattern: '(.*)\\.png'}, names: {n: nodule}}
      - {when: {label: normal}, is: empty}
      - {is: unknown}
    split:
      - {when: {split: tr}, is: train}
"""
COLUMNS = ("file", "role", "patient", "label", "masks", "boxes", "last", "split")


class Foreign:
    """A table of pictures as somebody else might have left it."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.out = folder / "raw", folder / "out"
        (self.folder / "xml").mkdir(parents=True)
        self.table, self.mapping = self.folder / "t.csv", self.folder / "map.yaml"
        self.mapping.write_text(MAPPING, encoding="utf-8")
        self.rows: list[dict[str, str]] = []

    def picture(self, name: str, value: int = 0) -> None:
        write_png(self.folder / name, np.full((4, 5), value, dtype=np.uint8))

    def add(self, name: str, *, exists: bool = True, **cells: str) -> None:
        if exists:
            self.picture(name)
        blank = dict.fromkeys(COLUMNS, "")
        self.rows.append(blank | {"file": name, "role": "image", "patient": name} | cells)

    def run(self, **options: Any) -> ImportReport:
        with self.table.open("w", newline="", encoding="utf-8") as stream:
            writer = csv.DictWriter(stream, COLUMNS)
            writer.writeheader()
            writer.writerows(self.rows)
        return import_csv(self.table, self.mapping, self.out, ImportOptions(**options))

    def only_row(self) -> Row:
        report = self.run()
        assert report.skipped == ()
        (row,) = open_dataset(self.out).rows
        return row


@pytest.fixture
def foreign(tmp_path: Path) -> Foreign:
    return Foreign(tmp_path)


@pytest.mark.parametrize(
    ("label", "expected"),
    [
        ("", None),
        ("normal", {"normal"}),
        ("not_covid", {"normal", "cancer"}),
        ("either", {"normal", "cancer"}),
    ],
)
def test_class_rules_tell_unknown_known_and_candidates_apart(
    foreign: Foreign, label: str, expected: set[str] | None
) -> None:
    foreign.add("a.png", label=label)
    assert foreign.only_row().label == expected


@pytest.mark.parametrize(("value", "expected"), [(0, None), (255, {"covid"})])
def test_if_mask_gives_the_class_only_to_slices_that_show_it(
    foreign: Foreign, value: int, expected: set[str] | None
) -> None:
    foreign.picture("inf.png", value)
    foreign.add("a.png", label="covid", masks="inf.png")
    assert foreign.only_row().label == expected


def test_mask_files_find_their_classes_and_values(foreign: Foreign) -> None:
    foreign.picture("inf.png")
    foreign.picture("lung.png")
    foreign.add("a.png", masks="inf.png|lung.png")
    assert foreign.only_row().mask == {
        "infection": MaskSource(path=foreign.folder / "inf.png"),
        "lung": MaskSource(path=foreign.folder / "lung.png", value=2),
    }


def test_a_blank_mask_is_empty_only_where_the_rule_says_so(foreign: Foreign) -> None:
    foreign.add("a.png", label="normal")
    foreign.add("b.png")
    foreign.run()
    first, second = open_dataset(foreign.out).rows
    assert first.mask == {"infection": EMPTY, "lung": EMPTY}
    assert first.boxes == ()
    assert second.mask is None
    assert second.boxes is None


@pytest.mark.parametrize(("last", "far"), [("in", (4.0, 5.0)), ("", (3.0, 4.0))])
def test_inclusive_boxes_gain_a_pixel_and_others_do_not(
    foreign: Foreign, last: str, far: tuple[float, float]
) -> None:
    foreign.add("a.png", boxes="1 2 3 4; 1,2,3,4", last=last)
    assert [box.xyxy for box in foreign.only_row().boxes] == [(1.0, 2.0, *far)] * 2


def test_voc_boxes_are_found_by_key(foreign: Foreign) -> None:
    corners = "<xmin>1</xmin><ymin>2</ymin><xmax>3</xmax><ymax>4</ymax>"
    (foreign.folder / "xml" / "a.xml").write_text(
        f"<r><object><name>n</name><bndbox>{corners}</bndbox></object></r>"
    )
    foreign.add("a.png")
    assert [box.xyxy for box in foreign.only_row().boxes] == [(1.0, 2.0, 3.0, 4.0)]


def test_unknown_patients_and_published_splits_are_kept(foreign: Foreign) -> None:
    for i in range(6):
        foreign.add(f"{i}.png", patient="anon 1", split="tr")
    report = foreign.run()
    rows = open_dataset(foreign.out).rows
    assert {(row.patient, row.split) for row in rows} == {(None, "train")}
    assert report.warnings[0].startswith("W_NO_PATIENT_IDS site: 6 of 6 rows")


@pytest.mark.parametrize(
    ("cells", "code"),
    [
        ({"label": "mystery"}, "E_NO_RULE"),
        ({"role": "video"}, "E_NO_RULE"),
        ({"masks": "heart.png"}, "E_NO_RULE"),
        ({"masks": "inf.png"}, "E_MISSING_MASK"),
        ({"boxes": "1 2 1 4"}, "E_BOX_EMPTY"),
        ({"boxes": "1 2 3"}, "E_BAD_BOX"),
    ],
)
def test_a_row_that_no_rule_explains_is_skipped_and_told(
    foreign: Foreign, cells: dict[str, str], code: str
) -> None:
    foreign.add("good.png")
    foreign.add("bad.png", **cells)
    report = foreign.run()
    (skipped,) = report.surprises
    assert (skipped.number, skipped.reason.split()[0].rstrip(":")) == (3, code)
    assert f"SKIPPED 1 (rows 3): {code}" in report.as_text()
    assert len(open_dataset(foreign.out).rows) == 1


def test_missing_images_are_told_once_with_their_number(foreign: Foreign) -> None:
    foreign.add("good.png")
    for i in range(9):
        foreign.add(f"{i}.png", exists=False)
    text = foreign.run().as_text()
    assert "SKIPPED 9 (rows 3, 4, 5, ...): E_MISSING_IMAGE 0.png" in text


def test_declared_reasons_are_no_surprise(foreign: Foreign) -> None:
    foreign.add("a.png")
    foreign.add("m.png", role="mask")
    report = foreign.run()
    assert report.surprises == ()
    assert "left out 1 (rows 3): a mask" in report.as_text()


def test_nothing_imported_is_refused_and_nothing_written(foreign: Foreign) -> None:
    foreign.add("a.png", role="mask")
    with pytest.raises(TetractError, match="E_EMPTY_DATASET"):
        foreign.run()
    assert not foreign.out.exists()


def test_a_column_that_the_mapping_needs_is_asked_for(foreign: Foreign) -> None:
    foreign.add("a.png")
    foreign.mapping.write_text(MAPPING.replace("column: boxes", "column: rois"), encoding="utf-8")
    with pytest.raises(TetractError, match=r"E_NO_COLUMN t.csv.*'rois'"):
        foreign.run()


def test_the_same_import_twice_is_silent_and_another_is_refused(foreign: Foreign) -> None:
    for i in range(9):
        foreign.add(f"{i}.png")
    foreign.run()
    before = (foreign.out / "table.csv").read_bytes()
    foreign.run()
    assert (foreign.out / "table.csv").read_bytes() == before
    with pytest.raises(TetractError, match="E_EXISTS"):
        foreign.run(seed=1)
    foreign.run(seed=1, overwrite=True)
    assert (foreign.out / "table.csv").read_bytes() != before


def test_the_command_exits_with_1_on_surprises_and_prints_json(foreign: Foreign) -> None:
    foreign.add("a.png")
    foreign.run()
    arguments = ["import", "csv", str(foreign.table), "--mapping", str(foreign.mapping), "--json"]
    result = CliRunner().invoke(app, [*arguments, "-o", str(foreign.out)])
    assert result.exit_code == 0
    assert json.loads(result.stdout)["used"] == 1
    foreign.add("b.png", label="mystery")
    foreign.run()
    result = CliRunner().invoke(app, [*arguments, "-o", str(foreign.out)])
    assert result.exit_code == 1
    assert json.loads(result.stdout)["skipped"][0]["declared"] is False
