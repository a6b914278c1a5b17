"""The layouts rebuilt from the shared CT: the importers agree with its manifest."""

from __future__ import annotations

import csv
import shutil
from collections import defaultdict
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from published import run, surprises

pytestmark = pytest.mark.real


def manifest(shared: Path, folder: str) -> list[dict[str, str]]:
    with (shared / "data/ct/MANIFEST.csv").open(newline="", encoding="utf-8") as stream:
        lines = [line for line in csv.DictReader(stream) if line["file"].startswith(folder + "/")]
    assert lines
    return [line for line in lines if line["role"].startswith("image")]


def test_real_boxes_are_those_of_the_manifest(shared: Path, tmp_path: Path) -> None:
    lines = manifest(shared, "lung_pet_ct_dx")
    source = tmp_path / "lung_pet_ct_dx"
    shutil.copytree(shared / "data/ct/lung_pet_ct_dx", source)
    report, found = run("lung-pet-ct-dx", source)
    assert not surprises(report)
    wanted = sorted(line["boxes"] for line in lines if line["boxes"])
    boxes = [" ".join(f"{c:g}" for c in b.xyxy) for r in found.rows for b in r.boxes or ()]
    assert sorted(boxes) == wanted
    assert len(found.rows) == len(lines)
    assert {r.patient for r in found.rows} == {line["patient"] for line in lines}


def test_real_pictures_keep_their_split_and_patient(shared: Path, tmp_path: Path) -> None:
    lines = manifest(shared, "covid_ct_ucsd")
    source = tmp_path / "ucsd"
    meta: dict[str, list[list[str]]] = {"COVID": [], "NonCOVID": []}
    lists: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    for line in lines:
        path = Path(line["file"])
        kind = "NonCOVID" if line["cls_label"] == "non_covid" else "COVID"
        part = line["note"].split(";")[0].removeprefix("split=")
        target = source / "Images-processed" / f"CT_{kind}" / path.name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.symlink_to(shared / "data/ct" / path)
        lists[kind, part].append(path.name)
        patient = line["patient"].removeprefix("ucsd-")
        meta[kind].append([path.name, "" if patient == "unknown" else patient])
    for kind, part in product(meta, ("train", "val", "test")):
        listed = source / "Data-split" / kind / f"{part}CT_{kind}.txt"
        listed.parent.mkdir(parents=True, exist_ok=True)
        listed.write_text("\n".join(lists[kind, part]), encoding="utf-8")
    for kind, rows in meta.items():
        with (source / f"{kind}-CT-MetaInfo.csv").open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([["File name", "Patient ID"], *rows])
    report, found = run("ucsd-covid-ct", source)
    assert not report.skipped
    rows = {row.image.name: row for row in found.rows}
    assert len(rows) == len(lines)
    for line in lines:
        row = rows[Path(line["file"]).name]
        assert f"split={row.split}" in line["note"]
        assert (row.patient or "ucsd-unknown") == line["patient"]
        assert (row.label == {"covid"}) == (line["cls_label"] == "covid")


def test_real_cases_are_classes(shared: Path, tmp_path: Path) -> None:
    lines = manifest(shared, "iq_oth_nccd")
    (tmp_path / "iq").symlink_to(shared / "data/ct/iq_oth_nccd", target_is_directory=True)
    report, found = run("iq-oth-nccd", tmp_path / "iq")
    assert not report.skipped
    classes = {Path(line["file"]).name: line["cls_label"] for line in lines}
    assert {row.image.name for row in found.rows} == set(classes)
    for row in found.rows:
        (name,) = row.label or ()
        assert classes[row.image.name].startswith(name)


def test_real_series_with_slices_left_out_get_no_slice_labels(shared: Path, tmp_path: Path) -> None:
    source = tmp_path / "covid"
    for patient, kind in (("P001", "COVID-19"), ("cap001", "CAP"), ("normal001", "Normal")):
        target = source / f"{kind} subjects" / patient
        shutil.copytree(shared / "data/ct/covid_ct_md" / patient, target)
    (source / "Index.csv").write_text(
        "Label Index,Diagnosis,Relative Path,Folder/ID\n0,COVID-19,x,P001\n1,CAP,x,cap001\n"
    )
    np.save(source / "Slice-level-labels.npy", np.zeros((2, 300), np.uint8))
    report, found = run("covid-ct-md", source)
    assert [reason.split()[0] for reason in surprises(report)] == ["E_SLICE_LABELS"] * 2
    assert {row.label for row in found.rows} == {frozenset({"normal"})}
