"""UCSD COVID-CT: the official split, patients of two tables."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from published import by_name, picture, refused, run, surprises

from tetract.data import Split

UCSD = {
    ("COVID", "train"): ("a-p1%0.png", "a-p1%1.png"),
    ("COVID", "val"): ("b-p2.png",),
    ("COVID", "test"): ("c-p3.png",),
    ("NonCOVID", "train"): ("23.png", "20.jpg"),
    ("NonCOVID", "val"): ("24.png",),
    ("NonCOVID", "test"): ("25.png",),
}
PATIENTS = {
    "COVID": {"a-p1%0.png": "Patient 1", "a-p1%1.png": "Patient 1", "b-p2.png": "Patient 2"},
    "NonCOVID": {"23.png": "medpix_patient_1", "24.png": "medpix_patient_2"},
}


def write_meta(root: Path, covid_header: tuple[str, str] = ("File name", "Patient ID")) -> None:
    with (root / "COVID-CT-MetaInfo.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow([*covid_header, "Captions"])
        writer.writerows([n, p, "['a, \"b\"']"] for n, p in PATIENTS["COVID"].items())
    with (root / "NonCOVID-CT-MetaInfo.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["", "image name", "patient id"])
        writer.writerows([i, n, p] for i, (n, p) in enumerate(PATIENTS["NonCOVID"].items()))


@pytest.fixture
def ucsd(tmp_path: Path) -> Path:
    root = tmp_path / "COVID-CT"
    for (kind, part), names in UCSD.items():
        path = root / "Data-split" / kind / f"{part}CT_{kind}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("\n".join(names) + " \n\n", encoding="utf-8")
        for name in names:
            # As unpacked: the archive holds a folder of its own name.
            picture(root / "Images-processed" / f"CT_{kind}" / f"CT_{kind}" / name)
    old = root / "Data-split" / "COVID" / "old_split" / "trainCT_COVID.txt"
    old.parent.mkdir()
    old.write_text("b-p2.png\n")
    write_meta(root)
    return root


def test_the_official_split_and_patients_are_kept(ucsd: Path) -> None:
    report, found = run("ucsd-covid-ct", ucsd)
    rows = by_name(found.rows)
    assert {n: r.split for n, r in rows.items()} == {
        name: Split(part) for (_, part), names in UCSD.items() for name in names
    }
    assert rows["a-p1%1.png"].patient == "ucsd-Patient 1"
    assert rows["24.png"].patient == "ucsd-medpix_patient_2"
    assert rows["c-p3.png"].patient is None
    assert not report.skipped


def test_not_covid_leaves_every_other_class_possible(ucsd: Path) -> None:
    _, found = run("ucsd-covid-ct", ucsd)
    rows = by_name(found.rows)
    assert rows["a-p1%0.png"].label == {"covid"}
    assert rows["23.png"].label == frozenset(found.card.classes) - {"covid"}
    card = found.card.sources[0]
    assert card.normal_class is None
    assert not card.normal_means_lesion_free


def test_a_picture_in_no_list_is_left_out_as_declared(ucsd: Path) -> None:
    picture(ucsd / "Images-processed" / "CT_NonCOVID" / "CT_NonCOVID" / "1.3.6.mhd_154.png")
    report, found = run("ucsd-covid-ct", ucsd)
    assert len(found.rows) == 8
    assert [row.declared for row in report.skipped] == [True]


def test_a_listed_picture_that_is_not_there_is_told(ucsd: Path) -> None:
    next(ucsd.rglob("23.png")).unlink()
    report, _ = run("ucsd-covid-ct", ucsd)
    assert [reason.split(":")[0] for reason in surprises(report)] == ["E_MISSING_IMAGE 23.png"]


@pytest.mark.parametrize("header", [("image", "patient"), ("IMAGE NAME", "patient id")])
def test_columns_have_had_several_names(ucsd: Path, header: tuple[str, str]) -> None:
    write_meta(ucsd, header)
    assert by_name(run("ucsd-covid-ct", ucsd)[1].rows)["b-p2.png"].patient == "ucsd-Patient 2"


def move(name: str, new: str) -> Callable[[Path], object]:
    return lambda root: next(root.rglob(name)).rename(root / new)


def append(name: str, text: str) -> Callable[[Path], object]:
    def edit(root: Path) -> None:
        path = next(p for p in root.rglob(name) if "old_split" not in p.parts)
        path.write_text(path.read_text() + text)

    return edit


def copy(root: Path) -> None:
    shutil.copytree(root / "Images-processed", root / "again")


@pytest.mark.parametrize(
    ("edit", "code"),
    [
        (move("Data-split", "Splits"), "E_BAD_LAYOUT"),
        (move("valCT_NonCOVID.txt", "x.txt"), "E_NO_FILE"),
        (move("COVID-CT-MetaInfo.csv", "COVID-CT-MetaInfo.xlsx"), "E_NO_FILE"),
        (lambda root: write_meta(root, ("picture", "Patient ID")), "E_NO_COLUMN"),
        (append("COVID-CT-MetaInfo.csv", "b-p2.png,Patient 9,\n"), "E_BAD_TABLE"),
        (append("valCT_COVID.txt", "a-p1%0.png\n"), "E_PATIENT_LEAK"),
        (append("testCT_COVID.txt", "c-p3.png\n"), "E_DUPLICATE_ROW"),
        (copy, "E_DUPLICATE_FILE"),
    ],
)
def test_a_set_that_contradicts_itself_is_refused(
    ucsd: Path, edit: Callable[[Path], object], code: str
) -> None:
    edit(ucsd)
    refused("ucsd-covid-ct", ucsd, code)


def test_a_list_that_is_no_text_is_refused(ucsd: Path) -> None:
    (ucsd / "Data-split" / "COVID" / "valCT_COVID.txt").write_bytes(b"\xff\xfe\x00")
    refused("ucsd-covid-ct", ucsd, "E_BAD_TABLE")
