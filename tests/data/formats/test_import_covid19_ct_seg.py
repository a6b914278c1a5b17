"""COVID-19-CT-Seg: scans in HU and scans in grey levels, never mixed up."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner
from volume_sets import a_label, put_labels, put_volume, some_grey, some_hu

from tetract.cli.data import app
from tetract.data import EMPTY, DatasetFolder, MaskSource, open_dataset
from tetract.data.finish_import import ImportOptions, ImportReport
from tetract.data.formats.import_covid19_ct_seg import import_covid19_ct_seg
from tetract.errors import TetractError
from tetract.io import read_label_map

IMAGES, INFECTION, LUNG = "COVID-19-CT-Seg_20cases", "Infection_Mask", "Lung_Mask"
GREY = ("radiopaedia_10_85902_1", "radiopaedia_10_85902_3", "radiopaedia_4_85506_1")


def put_case(root: Path, name: str, values: np.ndarray, *, image: str | None = None) -> None:
    """A scan with infection on slice 2 and both lungs on slices 1 and 2."""
    put_volume(root / IMAGES / f"{image or name}.nii.gz", values)
    put_labels(root / INFECTION / f"{name}.nii.gz", a_label((2, 1, 1, 1)))
    lungs = a_label((1, 1, 1, 1), (2, 2, 2, 2))
    put_labels(root / LUNG / f"{name}.nii.gz", lungs)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Two scans in HU, three in grey levels."""
    raw = tmp_path / "raw"
    put_case(raw, "coronacases_001", some_hu(1))
    put_case(raw, "coronacases_002", some_hu(2))
    for number, name in enumerate(GREY):
        put_case(raw, name, some_grey(number))
    return raw


def run(root: Path) -> tuple[ImportReport, DatasetFolder]:
    out = root.parent / "set"
    report = import_covid19_ct_seg(root, out, ImportOptions(overwrite=True))
    return report, open_dataset(out)


def test_grey_scans_have_a_source_of_their_own_that_is_not_hu(root: Path) -> None:
    report, folder = run(root)
    assert report.surprises == ()
    found: defaultdict[str, set[str]] = defaultdict(set)
    for row in folder.rows:
        found[row.source].add(row.series or "")
    assert {s.name: s.hu_known for s in folder.card.sources} == {
        "covid19_ct_seg": True,
        "covid19_ct_seg-grey": False,
    }
    assert found["covid19_ct_seg"] == {"coronacases_001", "coronacases_002"}
    assert found["covid19_ct_seg-grey"] == set(GREY)


def test_scans_of_one_case_are_one_patient(root: Path) -> None:
    _, folder = run(root)
    patients = {row.series: row.patient for row in folder.rows}
    assert patients["radiopaedia_10_85902_1"] == patients["radiopaedia_10_85902_3"]
    assert len(set(patients.values())) == 4
    assert folder.card.sources[0].patient_ids == "known"


def test_only_slices_with_infection_are_called_covid(root: Path) -> None:
    _, folder = run(root)
    rows = [row for row in folder.rows if row.series == "coronacases_001"]
    assert [row.slice for row in rows] == [0, 1, 2, 3]
    assert [row.label for row in rows] == [None, None, frozenset({"covid"}), None]
    assert rows[0].mask == {"lung": EMPTY, "infection": EMPTY}


def test_both_lungs_are_the_class_lung(root: Path) -> None:
    _, folder = run(root)
    mask = (next(row for row in folder.rows if row.slice == 2).mask or {})["lung"]
    assert isinstance(mask, MaskSource)
    values = read_label_map(mask.path).values
    chosen = values != 0 if mask.value is None else values == mask.value
    assert (chosen[1].sum(), chosen[2].sum()) == (1, 1)


def test_grey_levels_that_were_resampled_are_refused(root: Path) -> None:
    values = some_grey().astype(np.int16)
    values[0, 0, 0] = -7
    put_case(root, "radiopaedia_7_85703_0", values)
    report, folder = run(root)
    assert "E_NOT_HU radiopaedia_7_85703_0.nii.gz" in report.surprises[0].reason
    assert "radiopaedia_7_85703_0" not in {row.series for row in folder.rows}


def test_the_other_naming_is_the_same_set(root: Path) -> None:
    put_case(root, "coronacases_007", some_hu(), image="coronacases_org_case007")
    long = "radiopaedia_org_covid-19-pneumonia-14_85914_0-dcm"
    put_case(root, "radiopaedia_14_85914_0", some_grey(), image=long)
    _, folder = run(root)
    rows = [row for row in folder.rows if row.series == "radiopaedia_14_85914_0"]
    assert (rows[2].patient, rows[2].study) == ("radiopaedia_14", "radiopaedia_85914")
    assert rows[2].label == frozenset({"covid"})
    assert any(row.series == "coronacases_007" for row in folder.rows)


def test_a_missing_mask_is_unknown_and_told(root: Path) -> None:
    (root / INFECTION / "coronacases_002.nii.gz").unlink()
    report, folder = run(root)
    rows = [row for row in folder.rows if row.series == "coronacases_002"]
    assert all("infection" not in (row.mask or {}) and row.label is None for row in rows)
    assert report.surprises[0].reason.startswith("E_MISSING_MASK coronacases_002")


@pytest.mark.parametrize("value", [2, 9])
def test_values_that_the_set_does_not_have_are_refused(root: Path, value: int) -> None:
    put_labels(root / INFECTION / "coronacases_001.nii.gz", a_label((0, 0, 0, value)))
    report, _ = run(root)
    assert f"{value} in 1 voxels" in report.surprises[0].reason


def test_files_of_other_names_are_told(root: Path) -> None:
    put_volume(root / IMAGES / "tuberculosis_001.nii.gz", some_hu())
    assert run(root)[0].surprises[0].reason.startswith("E_NO_RULE tuberculosis_001.nii.gz")


def test_a_folder_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(TetractError) as caught:
        import_covid19_ct_seg(tmp_path, tmp_path / "set", ImportOptions())
    assert caught.value.code == "E_BAD_LAYOUT"
    assert IMAGES in str(caught.value)


def test_the_command_writes_a_data_set(root: Path) -> None:
    out = str(root.parent / "set")
    done = CliRunner().invoke(app, ["import", "covid19-ct-seg", str(root), "-o", out])
    assert (done.exit_code, done.exception) == (0, None)
    assert "20 of 20 rows imported" in done.stdout
