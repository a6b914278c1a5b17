"""The committed mapping on the real manifest; expectations come from the manifest itself."""

from __future__ import annotations

import csv
import os
import re
from collections import Counter, defaultdict
from pathlib import Path

import numpy as np
import pytest

from tetract.data import EMPTY, DatasetFolder, MaskSource, Row, open_dataset
from tetract.data.finish_import import ImportReport
from tetract.data.import_csv import import_csv
from tetract.data.voc import find_voc, read_voc
from tetract.io import read_label_map

pytestmark = pytest.mark.real
RECIPE = Path(__file__).parents[2] / "recipes" / "datasets" / "shared-ct.yaml"
SOURCES = {
    "lidc_luna16": "lidc",
    "covid19_ct_seg": "covid19_ct_seg",
    "msd_lung": "msd_lung",
    "lung_pet_ct_dx": "lung_pet_ct_dx",
    "covid_ct_md": "covid_ct_md",
    "covid_ct_ucsd": "covid_ct_ucsd",
    "iq_oth_nccd": "iq_oth_nccd",
    "covid19_ny_sbu": "covid19_ny_sbu",
}


Imported = tuple[ImportReport, DatasetFolder]
BySource = dict[str, list[Row]]
Images = dict[str, list[dict[str, str]]]


@pytest.fixture(scope="module")
def manifest_path() -> Path:
    root = Path(os.environ.get("TETRACT_SHARED", "")) / "data" / "ct" / "MANIFEST.csv"
    if not root.is_file():
        pytest.skip("TETRACT_SHARED does not point at the real CT")
    return root.resolve()


@pytest.fixture(scope="module")
def manifest(manifest_path: Path) -> list[dict[str, str]]:
    with manifest_path.open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


@pytest.fixture(scope="module")
def imported(
    manifest_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[ImportReport, DatasetFolder]:
    folder = tmp_path_factory.mktemp("shared") / "ct"
    return import_csv(manifest_path, RECIPE, folder), open_dataset(folder)


@pytest.fixture(scope="module")
def by_source(imported: tuple[ImportReport, DatasetFolder]) -> dict[str, list[Row]]:
    rows: defaultdict[str, list[Row]] = defaultdict(list)
    for row in imported[1].rows:
        rows[row.source].append(row)
    return rows


@pytest.fixture(scope="module")
def images(manifest: list[dict[str, str]]) -> dict[str, list[dict[str, str]]]:
    found: defaultdict[str, list[dict[str, str]]] = defaultdict(list)
    for line in manifest:
        source = SOURCES.get(line["file"].split("/")[0])
        out_of_scope = line["cls_label"] in {"not_axial", "abdomen_not_chest"}
        if source and line["role"].startswith("image") and not out_of_scope:
            found[source].append(line)
    return found


def labels(rows: list[dict[str, str]]) -> Counter[str]:
    return Counter(row["cls_label"] for row in rows)


def test_every_image_row_becomes_a_row_and_nothing_surprises(
    imported: Imported, by_source: BySource, images: Images
) -> None:
    assert imported[0].surprises == ()
    assert {k: len(v) for k, v in by_source.items()} == {k: len(v) for k, v in images.items()}


def test_exclusions_are_reported_by_reason(imported: Imported) -> None:
    reasons = Counter(row.reason for row in imported[0].skipped)
    assert reasons["not an axial slice"] == reasons["abdomen, not chest"] == 1


def test_lidc_slices_without_nodule_are_looked_at_negatives(
    by_source: BySource, images: Images
) -> None:
    expected = labels(images["lidc"])
    rows = by_source["lidc"]
    negative = [row for row in rows if row.boxes == ()]
    assert len(negative) == expected["no_nodule>=3mm_in_slice"]
    assert all(row.mask == {"nodule": EMPTY} for row in negative)
    assert sum(bool(row.boxes) for row in rows) == expected["nodule"]
    assert {row.label for row in rows} == {None}


@pytest.mark.parametrize("source", ["lidc", "msd_lung"])
def test_boxes_are_half_open_around_the_pixels_of_their_masks(
    by_source: BySource, source: str
) -> None:
    for row in by_source[source]:
        if not row.boxes:
            continue
        (mask,) = row.mask.values()
        ys, xs = np.nonzero(read_label_map(mask.path).values[0])
        corners = np.array([box.xyxy for box in row.boxes])
        around = [*corners[:, :2].min(axis=0), *corners[:, 2:].max(axis=0)]
        assert around == [xs.min(), ys.min(), xs.max() + 1, ys.max() + 1]


def test_covid_is_said_only_of_slices_with_infection(by_source: BySource) -> None:
    for row in by_source["covid19_ct_seg"]:
        assert set(row.mask) == {"infection", "lung"}
        infected = read_label_map(row.mask["infection"].path).values.any()
        assert row.label == (frozenset({"covid"}) if infected else None)
        assert row.boxes is None


def test_msd_slices_without_tumour_are_empty_and_of_unknown_class(
    by_source: BySource, images: Images
) -> None:
    empty = [row for row in by_source["msd_lung"] if row.boxes == ()]
    assert len(empty) == labels(images["msd_lung"])["tumour_not_in_slice"]
    assert all(row.label is None and row.mask == {"tumour": EMPTY} for row in empty)
    assert all(
        isinstance(row.mask["tumour"], MaskSource) for row in by_source["msd_lung"] if row.boxes
    )


def test_boxes_of_lung_pet_ct_equal_the_voc_files(
    by_source: BySource, images: Images, manifest_path: Path
) -> None:
    files = find_voc(manifest_path.parent / "lung_pet_ct_dx" / "Annotation")
    uids = {line["file"].rsplit("/")[-1]: line["note"][15:] for line in images["lung_pet_ct_dx"]}
    for row in by_source["lung_pet_ct_dx"]:
        path = files.get(uids[row.image.name])
        names = {re.compile("A"): "tumour"}
        assert row.boxes == (path and read_voc(path, names, inclusive=False))
        assert row.label == (frozenset({"lung_cancer"}) if path else None)


def test_a_patients_covid_is_not_said_of_slices_without_infection(
    by_source: BySource, images: Images
) -> None:
    counted = Counter(row.label for row in by_source["covid_ct_md"])
    infected = [r for r in images["covid_ct_md"] if r["note"].endswith("slice_infected=1")]
    assert counted[frozenset({"covid"})] == labels(infected)["covid"]
    assert counted[frozenset({"pneumonia"})] == labels(infected)["cap"]
    assert counted[frozenset({"normal"})] == labels(images["covid_ct_md"])["normal"]


def test_ucsd_keeps_its_split_and_its_not_covid_stays_open(
    by_source: BySource, images: Images
) -> None:
    rows = by_source["covid_ct_ucsd"]
    published = Counter(
        "train" if line["note"].startswith("split=train") else "val"
        for line in images["covid_ct_ucsd"]
    )
    assert Counter(str(row.split) for row in rows) == published
    others = frozenset({"normal", "benign", "lung_cancer", "pneumonia"})
    expected = labels(images["covid_ct_ucsd"])
    assert Counter(row.label for row in rows) == {
        frozenset({"covid"}): expected["covid"],
        others: expected["non_covid"],
    }
    assert all((row.patient is None) == (row.label == others) for row in rows)


def test_patients_of_iq_oth_are_unknown_and_that_is_warned_of(
    imported: Imported, by_source: BySource
) -> None:
    assert {row.patient for row in by_source["iq_oth_nccd"]} == {None}
    assert any(w.startswith("W_NO_PATIENT_IDS iq_oth_nccd") for w in imported[1].warnings)


def test_ny_sbu_serves_reconstruction_only(by_source: BySource) -> None:
    assert {(row.label, row.mask, row.boxes) for row in by_source["covid19_ny_sbu"]} == {
        (None, None, None)
    }


def test_no_patient_of_the_manifest_is_in_two_splits(
    imported: Imported, images: Images, manifest_path: Path
) -> None:
    split = {row.image: row.split for row in imported[1].rows}
    parts: defaultdict[str, set[str]] = defaultdict(set)
    for line in (line for lines in images.values() for line in lines):
        if "unknown" not in line["patient"]:
            parts[line["patient"]].add(split[manifest_path.parent / line["file"]])
    assert len(parts) > 200
    assert {patient for patient, found in parts.items() if len(found) > 1} == set()
