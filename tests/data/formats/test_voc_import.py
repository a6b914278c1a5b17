from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from box_sets import SIDE, choices, picture

from tetract.data import Row, open_dataset
from tetract.data.finish_import import ImportOptions, ImportReport
from tetract.data.formats.patient_rule import patient_rule
from tetract.data.formats.voc_read import VocRules, import_voc
from tetract.errors import TetractError

TAGS = ("xmin", "ymin", "xmax", "ymax")


class Voc:
    def __init__(self, folder: Path) -> None:
        self.xml, self.images, self.out = folder / "xml", folder / "im", folder / "out"
        self.xml.mkdir()
        for name in "abc":
            picture(self.images / f"{name}.png")

    def add(
        self, key: str, *boxes: tuple[Any, ...], name: str = "nodule", size: int = SIDE
    ) -> None:
        objects = "".join(
            f"<object><name>{name}</name><bndbox>"
            + "".join(f"<{tag}>{v}</{tag}>" for tag, v in zip(TAGS, box, strict=True))
            + "</bndbox></object>"
            for box in boxes
        )
        said = f"<size><width>{size}</width><height>{size}</height></size>"
        (self.xml / f"{key}.xml").write_text(f"<annotation>{said}{objects}</annotation>")

    def run(self, *renames: str, **k: Any) -> ImportReport:
        said = {key: k.pop(key) for key in ("unannotated",) if key in k}
        rules = VocRules(**({"key": "name", "convention": "half-open"} | k))
        told = choices(*renames, **said)
        return import_voc(self.xml, self.images, self.out, told, ImportOptions(), rules=rules)

    def rows(self, *renames: str, **k: Any) -> dict[str, Row]:
        assert self.run(*renames, **k).surprises == ()
        return {row.image.stem: row for row in open_dataset(self.out).rows}


@pytest.fixture
def voc(tmp_path: Path) -> Voc:
    made = Voc(tmp_path)
    made.add("a", (10, 20, 40, 30))
    return made


@pytest.mark.parametrize(
    ("convention", "expected"),
    [
        ("half-open", (10, 20, 40, 30)),
        ("inclusive", (10, 20, 41, 31)),
        ("from-1", (9, 19, 40, 30)),
    ],
)
def test_corners_are_counted_as_a_person_says(
    voc: Voc, convention: str, expected: tuple[int, ...]
) -> None:
    (box,) = voc.rows(convention=convention)["a"].boxes or ()
    assert box.xyxy == expected


def test_a_file_without_objects_is_a_negative_and_no_file_is_unknown(voc: Voc) -> None:
    voc.add("b")
    found = voc.rows()
    assert (found["b"].boxes, found["c"].boxes) == ((), None)
    assert {row.mask for row in found.values()} == {None}


def test_a_person_may_say_that_a_missing_file_is_a_negative(voc: Voc) -> None:
    assert voc.rows(unannotated="empty")["c"].boxes == ()


def test_names_are_renamed(voc: Voc) -> None:
    (box,) = voc.rows("nodule=tumour")["a"].boxes or ()
    assert box.label == "tumour"


def test_lists_of_splits_are_followed(voc: Voc, tmp_path: Path) -> None:
    (tmp_path / "val.txt").write_text("a\n")
    assert str(voc.rows(image_sets=tmp_path)["a"].split) == "val"
    (tmp_path / "test.txt").write_text("a\n")
    with pytest.raises(TetractError, match="E_PATIENT_LEAK"):
        voc.run(image_sets=tmp_path)


@pytest.mark.parametrize(
    ("boxes", "said"),
    [
        ([(1, 2, 1, 4)], "E_BAD_XML ...b.xml: 1 fault: found bndbox without area (object 1)"),
        ([(1, 2, 3, "x"), (9, 2, 3, 4)], "E_BAD_XML ...b.xml: 2 faults: found bndbox is not four"),
        ([(1, 2, "nan", 4)], "E_BAD_XML"),
        ([(60, 60, 100, 100)], "E_BOX_OUTSIDE b.png"),
    ],
)
def test_a_faulty_file_costs_its_image(voc: Voc, boxes: list[Any], said: str) -> None:
    voc.add("b", *boxes)
    (skipped,) = voc.run().surprises
    assert skipped.reason.startswith(said)


@pytest.mark.parametrize(
    "text", ["<!DOCTYPE a [<!ENTITY x 'y'>]><annotation>&x;</annotation>", "<annotation>"]
)
def test_hostile_or_damaged_xml_costs_its_image(voc: Voc, text: str) -> None:
    (voc.xml / "b.xml").write_text(text)
    (skipped,) = voc.run().surprises
    assert skipped.reason.startswith("E_BAD_XML b.xml")


def test_a_size_that_is_not_the_images_costs_it_and_a_size_of_0_says_nothing(voc: Voc) -> None:
    voc.add("b", size=32)
    voc.add("c", size=0)
    (skipped,) = voc.run().surprises
    assert skipped.reason.startswith("E_SHAPE_MISMATCH b.png")


def test_an_annotation_without_image_is_told_and_two_images_of_one_name_too(voc: Voc) -> None:
    voc.add("d")
    picture(voc.images / "more" / "b.png")
    assert [s.reason.split()[0] for s in voc.run().surprises] == [
        "E_MISSING_IMAGE",
        "E_DUPLICATE_FILE",
    ]


@pytest.mark.real
def test_lung_pet_ct_dx_is_keyed_by_uid_and_its_other_slices_stay_unknown(
    shared: Path, tmp_path: Path
) -> None:
    root = shared / "data" / "ct" / "lung_pet_ct_dx"
    told = choices("A=tumour", hu_known=True, patients=patient_rule(r"(Lung_Dx-[A-Z]\d+)/.*"))
    report = import_voc(
        root / "Annotation",
        root,
        tmp_path,
        told,
        ImportOptions(),
        rules=VocRules(key="uid", convention="half-open"),
    )
    assert report.surprises == ()
    rows = open_dataset(tmp_path).rows
    boxed = [row for row in rows if row.boxes is not None]
    assert len(boxed) == len(list((root / "Annotation").rglob("*.xml")))
    assert len(rows) > len(boxed) > 0
    assert {row.patient for row in rows} == {"Lung_Dx-A0001"}
    assert {box.label for row in boxed for box in row.boxes or ()} == {"tumour"}
    table = (tmp_path / "table.csv").read_text() + (tmp_path / "import-report.json").read_text()
    assert not any(path.stem in table for path in root.rglob("*.xml"))
