"""No command writes or prints what names a patient: docs/explanation/identifiers.md."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pydicom
import pytest

from canary import CANARY, salt
from makers import make_network
from recipe_cases import tiny_recipe
from tetract.cli import main
from tetract.errors import Exit
from tetract.io import SeriesIdentity, write_dicom_series
from tetract.model import save_bundle
from tetract.recipe.load import save_recipe
from tetract.types import Geometry, Provenance, Volume

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


SHAPE = (3, 64, 64)
VOLUME = Volume(
    values=np.random.default_rng(0).integers(-1000, 400, SHAPE).astype(np.int16),
    hu_known=True,
    geometry=Geometry(affine=np.eye(4)[[2, 1, 0, 3]], shape=SHAPE),
    provenance=Provenance(reader="dicom", name="made", slice_names=("x",) * 3),
)


@pytest.fixture
def scans(tmp_path: Path) -> Path:
    """Two salted series under neutral names."""
    for finding in ("normal", "covid"):
        identity = SeriesIdentity(seed=finding)
        for path in write_dicom_series(tmp_path / "scans" / finding, VOLUME, series=identity):
            header = pydicom.dcmread(path)
            salt(header)
            header.BurnedInAnnotation = "YES"
            header.save_as(path)
            assert CANARY.search(path.read_bytes())
    return tmp_path / "scans"


class Shell:
    """Runs commands and keeps what they print."""

    def __init__(self, capfd: pytest.CaptureFixture[str]) -> None:
        self.capfd = capfd
        self.printed = ""

    def __call__(self, *arguments: object) -> int:
        code = int(main._guarded([str(a) for a in arguments]))
        told = self.capfd.readouterr()
        self.printed += told.out + told.err
        return code


def assert_clean(printed: str, *folders: Path) -> None:
    assert not CANARY.search(printed.encode())
    files = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
    assert files
    for path in files:
        assert not CANARY.search(path.read_bytes()), path.name
        assert not CANARY.search(path.name.encode())


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
