"""No command writes or prints what names a patient: docs/explanation/identifiers.md."""

from __future__ import annotations

from pathlib import Path

import pydicom
import pytest

from canary import CANARY, Shell, assert_clean, salted_series
from makers import make_network
from recipe_cases import tiny_recipe
from tetract.errors import Exit
from tetract.model import save_bundle
from tetract.recipe.load import save_recipe

MAPPING = """
name: canaries
classes: [normal, covid, cancer]
mask_classes: [lung, lesion]
box_classes: [nodule, infection]
sources:
  - card: {name: site, citation: none, licence: none, hu_known: true, patient_ids: known,
           group_by: key, mask_classes: [], box_classes: [nodule, infection]}
    image: {column: image}
    slice: all
    patient: {column: key}
    class: [{when: {finding: normal}, is: normal}, {is: covid}]
    mask: [{is: unknown}]
    boxes: [{is: unknown}]
    split: [{is: test}]
"""


@pytest.fixture
def scans(tmp_path: Path) -> Path:
    """Two salted series under neutral names."""
    for finding in ("normal", "covid"):
        salted_series(tmp_path / "scans" / finding)
    return tmp_path / "scans"


@pytest.mark.filterwarnings("ignore")  # pydicom on the values we salt with
def test_no_canary_is_written_or_printed(
    tmp_path: Path, scans: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    run = Shell(capfd)
    work = tmp_path / "work"
    (work / "run").mkdir(parents=True)
    (work / "mapping.yaml").write_text(MAPPING)
    (work / "table.csv").write_text("image,key,finding\nnormal,a,normal\ncovid,b,covid\n")
    save_bundle(work / "run" / "best", make_network(), version="test")
    recipe = tiny_recipe(work / "set", work / "run", data={"cache_dir": str(work / "cache")})
    save_recipe(recipe, work / "run" / "recipe.yaml")
    imported = run(
        *("data", "import", "csv", work / "table.csv", "--mapping", work / "mapping.yaml"),
        *("--images", scans, "-o", work / "set"),
    )
    assert imported == Exit.OK, run.printed
    assert run("evaluate", work / "run") == Exit.OK, run.printed
    assert any((work / "cache").rglob("*.slice"))
    named = tmp_path / "ZZTEST^JOHN" / "series"  # the name of a folder above is nobody's business
    named.parent.mkdir()
    (scans / "covid").rename(named)
    assert run("predict", named, "-m", work / "run", "-o", work / "found") == Exit.OK, run.printed
    assert_clean(run.printed, work)


@pytest.mark.filterwarnings("ignore")  # pydicom on the values we salt with
def test_no_canary_survives_de_identification(
    tmp_path: Path, scans: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    run = Shell(capfd)
    for path in (scans / "normal").iterdir():
        header = pydicom.dcmread(path)
        header.BurnedInAnnotation = "NO"
        header.save_as(path)
        path.rename(path.with_name(f"ZZTEST^{path.name}"))
    (scans / "normal").rename(scans / "ZZTEST^JOHN")
    assert run("data", "deid", scans, "-o", tmp_path / "out") == Exit.SKIPPED, run.printed
    assert run("data", "deid", scans / "covid", "-o", tmp_path / "none") == Exit.BAD_INPUT
    assert run("data", "deid", scans, "-o", tmp_path / "more", "--json") == Exit.SKIPPED
    assert "E_BURNED_IN" in run.printed
    assert_clean(run.printed, tmp_path / "out", tmp_path / "more")


def _spoil(scans: Path) -> None:
    """Every way in which a check meets a file: sound, broken, alone, foreign, or no image."""
    salted_series(scans / "gap")
    (scans / "gap" / "0002.dcm").unlink()
    for keyword, value in (("RescaleSlope", None), ("Modality", "MR"), ("Rows", 9)):
        folder = salted_series(scans / keyword.lower())
        header = pydicom.dcmread(folder / "0001.dcm")
        setattr(header, keyword, value)
        header.save_as(folder / "0001.dcm")
    several = salted_series(scans / "several")
    for path in sorted(salted_series(scans / "other").iterdir()):
        header = pydicom.dcmread(path)
        header.SeriesInstanceUID = "1.2.987654321.2"
        header.save_as(path)
        path.rename(several / f"b-{path.name}")
    (scans / "other").rmdir()
    bare = (several / "0001.dcm").read_bytes()
    (scans / "IM0001").write_bytes(bare[144 + int.from_bytes(bare[140:144], "little") :])
    (scans / "cut.dcm").write_bytes(bare[:700])
    (scans / "note.txt").write_text("ZZTEST was here")
    (scans / "table.csv").write_text("ZZTEST,987654321\n")


@pytest.mark.parametrize("words", [(), ("--json",)])
@pytest.mark.filterwarnings("ignore")  # pydicom on the values we salt with
def test_a_check_of_files_prints_no_canary(
    tmp_path: Path, scans: Path, capfd: pytest.CaptureFixture[str], words: tuple[str, ...]
) -> None:
    _spoil(scans)
    above = tmp_path / "ZZTEST^JOHN"
    above.mkdir()
    run = Shell(capfd)
    assert run("data", "check", scans.rename(above / "scans"), *words) == Exit.SKIPPED
    expected = ("E_NONUNIFORM_SPACING", "E_NO_RESCALE", "E_SEVERAL_SERIES", "dicom series ")
    assert all(word in run.printed for word in expected), run.printed
    assert_clean(run.printed)


@pytest.mark.parametrize("words", [(), ("--json",)])
@pytest.mark.filterwarnings("ignore")  # pydicom on the values we salt with
def test_a_check_of_a_data_set_prints_no_canary(
    tmp_path: Path, scans: Path, capfd: pytest.CaptureFixture[str], words: tuple[str, ...]
) -> None:
    run = Shell(capfd)
    salted_series(scans / "spoilt")
    (tmp_path / "mapping.yaml").write_text(MAPPING)
    rows = ("normal,ZZTEST-1,normal", "covid,ZZTEST-987654321,covid", "spoilt,ZZTEST-3,covid")
    (tmp_path / "table.csv").write_text("\n".join(["image,key,finding", *rows, ""]))
    imported = run(
        *("data", "import", "csv", tmp_path / "table.csv"),
        *("--mapping", tmp_path / "mapping.yaml", "--images", scans, "-o", tmp_path / "set"),
    )
    assert imported == Exit.OK, run.printed
    (scans / "spoilt" / "0002.dcm").write_bytes(b"ZZTEST")
    assert run("data", "check", tmp_path / "set", *words) in (Exit.SKIPPED, Exit.BAD_INPUT)
    assert "E_" in run.printed
    assert_clean(run.printed)


@pytest.mark.parametrize(
    ("keyword", "value"),
    [
        ("RescaleSlope", "ZZTEST"),
        ("ImagePositionPatient", "ZZTEST"),
        ("PixelSpacing", "ZZTEST\\ZZTEST"),
        ("Rows", None),
        ("PixelData", b"ZZTEST"),
    ],
)
@pytest.mark.filterwarnings("ignore")  # pydicom on the values we salt with
def test_a_refusal_quotes_no_canary(
    tmp_path: Path, scans: Path, capfd: pytest.CaptureFixture[str], keyword: str, value: object
) -> None:
    save_bundle(tmp_path / "model", make_network(), version="test")
    for path in (scans / "covid").iterdir():
        header = pydicom.dcmread(path)
        if isinstance(value, str):
            tag = pydicom.tag.Tag(keyword)
            raw = pydicom.dataelem.RawDataElement(
                tag, "DS", len(value), value.encode(), 0, False, True
            )
            header._dict[tag] = raw
        else:
            setattr(header, keyword, value)
        header.save_as(path)
    run = Shell(capfd)
    code = run("predict", scans / "covid", "-m", tmp_path / "model", "-o", tmp_path / "out")
    assert code == Exit.BAD_INPUT
    assert run.printed.startswith("E_")
    assert not CANARY.search(run.printed.encode())
