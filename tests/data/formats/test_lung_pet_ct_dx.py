"""Lung-PET-CT-Dx: boxes by instance UID, histology by letter."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from published import make_series, refused, run, surprises


def box_xml(path: Path, *boxes: tuple[str, int, int, int, int]) -> None:
    objects = "".join(
        f"<object><name>{n}</name><bndbox><xmin>{a}</xmin><ymin>{b}</ymin>"
        f"<xmax>{c}</xmax><ymax>{d}</ymax></bndbox></object>"
        for n, a, b, c, d in boxes
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"<annotation>{objects}</annotation>")


class Lung:
    """Two patients, one with a second series that nobody boxed."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "lung"
        scans = self.root / "manifest-1608669183333" / "Lung-PET-CT-Dx"
        self.uids = {
            name: make_series(scans / f"Lung_Dx-{name}" / "04-04-2007-Chest" / "2.0-5mm", name)
            for name in ("A0001", "G0012")
        }
        make_series(scans / "Lung_Dx-A0001" / "04-04-2007-Chest" / "3.0-1mm", "other")
        self.box("A0001", 2, ("A", 3, 4, 9, 12))
        self.box("A0001", 3, ("A", 3, 4, 9, 12), ("a", 10, 1, 20, 16))
        self.box("G0012", 0, ("G", 0, 0, 5, 5))

    def xml(self, patient: str, index: int) -> Path:
        return self.root / "rev" / "Annotation" / patient / f"{self.uids[patient][index]}.xml"

    def box(self, patient: str, index: int, *boxes: tuple[str, int, int, int, int]) -> None:
        box_xml(self.xml(patient, index), *boxes)


@pytest.fixture
def lung(tmp_path: Path) -> Lung:
    return Lung(tmp_path)


def test_boxes_find_their_slices(lung: Lung) -> None:
    report, found = run("lung-pet-ct-dx", lung.root)
    assert not surprises(report)
    assert [row.reason for row in report.skipped] == ["CT series without a boxed slice"]
    assert len(found.rows) == 12
    boxed = {(r.patient, r.slice): [b.xyxy for b in r.boxes or ()] for r in found.rows if r.boxes}
    assert boxed == {
        ("Lung_Dx-A0001", 2): [(3, 4, 9, 12)],
        ("Lung_Dx-A0001", 3): [(3, 4, 9, 12), (10, 1, 20, 16)],
        ("Lung_Dx-G0012", 0): [(0, 0, 5, 5)],
    }


def test_a_slice_without_a_box_is_unknown(lung: Lung) -> None:
    rows = run("lung-pet-ct-dx", lung.root)[1].rows
    for row in rows:
        assert row.label == (frozenset({"lung_cancer"}) if row.boxes else None)
        assert row.boxes != ()
        assert row.mask is None


def test_the_letter_of_the_patient_is_the_histology(lung: Lung) -> None:
    _, found = run("lung-pet-ct-dx-histology", lung.root)
    labels = {row.patient: row.label for row in found.rows if row.boxes}
    assert labels == {"Lung_Dx-A0001": {"adenocarcinoma"}, "Lung_Dx-G0012": {"squamous_cell"}}
    assert found.card.sources[0].class_unit == "patient"
    assert {row.note for row in run("lung-pet-ct-dx", lung.root)[1].rows} == {
        "adenocarcinoma",
        "squamous cell carcinoma",
    }


@pytest.mark.parametrize(
    ("box", "code"),
    [(("G", 3, 4, 9, 12), "E_LABEL_UNKNOWN"), (("A", 3, 4, 21, 12), "E_BOX_OUTSIDE")],
)
def test_a_box_that_cannot_be_right_is_skipped_with_its_slice(
    lung: Lung, box: tuple[str, int, int, int, int], code: str
) -> None:
    lung.box("A0001", 2, box)
    report, found = run("lung-pet-ct-dx", lung.root)
    assert [reason.split()[0] for reason in surprises(report)] == [code]
    assert ("Lung_Dx-A0001", 2) not in {(row.patient, row.slice) for row in found.rows}


def test_a_damaged_annotation_is_skipped_with_its_slice(lung: Lung) -> None:
    lung.xml("A0001", 2).write_text('<!DOCTYPE x [<!ENTITY a "b">]><x/>')
    assert surprises(run("lung-pet-ct-dx", lung.root)[0])[0].startswith("E_BAD_XML")


def test_a_file_without_objects_says_nothing(lung: Lung) -> None:
    lung.box("A0001", 5)
    report, found = run("lung-pet-ct-dx", lung.root)
    assert not surprises(report)
    rows = {(row.patient, row.slice): row for row in found.rows}
    assert rows["Lung_Dx-A0001", 5].boxes is None


def test_annotations_without_their_slice_are_told(lung: Lung) -> None:
    lung.xml("A0001", 2).rename(lung.xml("A0001", 2).with_name("1.2.3.xml"))
    report, _ = run("lung-pet-ct-dx", lung.root)
    (reason,) = surprises(report)
    assert reason.startswith("E_NO_CT Lung_Dx-A0001: 1 boxed slices")


def test_a_broken_series_is_told_and_the_others_stay(lung: Lung) -> None:
    sorted(next(lung.root.rglob("Lung_Dx-G0012")).rglob("*.dcm"))[2].unlink()
    report, found = run("lung-pet-ct-dx", lung.root)
    assert [reason.split()[0] for reason in surprises(report)] == [
        "E_NONUNIFORM_SPACING",
        "E_NO_CT",
    ]
    assert {row.patient for row in found.rows} == {"Lung_Dx-A0001"}


def test_a_series_of_nobody_is_no_guess(lung: Lung) -> None:
    make_series(lung.root / "stray", "stray")
    report, _ = run("lung-pet-ct-dx", lung.root)
    assert [reason.split()[0] for reason in surprises(report)] == ["E_BAD_LAYOUT"]


@pytest.mark.parametrize("gone", ["Annotation", "manifest-1608669183333"])
def test_half_of_the_set_is_refused(lung: Lung, gone: str) -> None:
    shutil.rmtree(next(lung.root.rglob(gone)))
    refused("lung-pet-ct-dx", lung.root, "E_BAD_LAYOUT")
