"""`tetract data check` on the corpus of odd files and on real CT."""

from __future__ import annotations

import csv
import json
import os
import re
from collections import Counter
from pathlib import Path

import pytest
from check_maker import of

from tetract.cli import main
from tetract.data.check.report import CheckReport, Verdict
from tetract.data.check.text import render_check
from tetract.data.check.tree import check_tree
from tetract.errors import Exit

pytestmark = pytest.mark.real
SINGLE = ("series_syn", "dicom_syn", "nifti_syn", "png_syn")
MASKS = "nifti_syn/mask_"  # their manifest speaks of masks beside an image


def expected_of_each() -> list[tuple[str, bool]]:
    """Files and series of the corpus, and whether they must be usable."""
    root = os.environ.get("TETRACT_SHARED", "")
    manifest = Path(root) / "data/odd/MANIFEST.csv"
    if not root or not manifest.is_file():
        return []
    with manifest.open(newline="") as stream:
        rows = [(row["file"], row["expected_behaviour"]) for row in csv.DictReader(stream)]
    return [
        (name, expected.startswith("OK"))
        for name, expected in rows
        if name.startswith(SINGLE) and not name.startswith(MASKS)
        if re.match(r"(OK|REFUSE)\b", expected)
    ]


@pytest.fixture(scope="module")
def odd_report() -> CheckReport:
    root = os.environ.get("TETRACT_SHARED", "")
    if not root or not Path(root).is_dir():
        pytest.skip("TETRACT_SHARED does not point at the real CT")
    return check_tree(Path(root) / "data/odd")


@pytest.mark.parametrize(("name", "is_good"), expected_of_each())
def test_the_exit_code_is_what_the_manifest_asks(shared: Path, name: str, is_good: bool) -> None:
    report = check_tree(shared / "data/odd" / name)
    assert report.exit_code == (Exit.OK if is_good else Exit.BAD_INPUT), render_check(report)


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("series_syn/mixed_series", Exit.SKIPPED),
        ("series_syn/modality_mr", Exit.BAD_INPUT),
        ("png_syn", Exit.SKIPPED),
        ("archives_syn", Exit.BAD_INPUT),
        ("coco_syn", Exit.BAD_INPUT),
        ("codec_crashers", Exit.BAD_INPUT),
    ],
)
def test_no_folder_of_odd_files_gives_a_traceback(
    shared: Path, capfd: pytest.CaptureFixture[str], name: str, code: Exit
) -> None:
    assert main._guarded(["data", "check", str(shared / "data/odd" / name)]) == code
    told = capfd.readouterr()
    assert "Traceback" not in told.out + told.err
    assert "E_BUG" not in told.out + told.err


def test_every_odd_file_is_accounted_for(shared: Path, odd_report: CheckReport) -> None:
    files = [p for p in (shared / "data/odd").rglob("*") if p.is_file()]
    loose = [p for p in files if p.suffix != ".dcm" and "series_" not in p.parent.parent.name]
    named = Counter(entry.name for entry in odd_report.entries)
    assert [p.name for p in loose if not named[p.name]] == []
    folders = {p.parent.name for p in files}
    assert {entry.folder for entry in odd_report.entries} >= folders


def test_every_refusal_has_a_code_and_one_line(odd_report: CheckReport) -> None:
    for entry in of(odd_report, Verdict.REFUSED):
        assert re.fullmatch(r"E_[A-Z_]+", entry.code)
        assert entry.line.startswith(entry.code)
        assert "\n" not in entry.line


def test_the_whole_corpus_is_usable_with_skips_and_the_same_twice(
    shared: Path, capsys: pytest.CaptureFixture[str], odd_report: CheckReport
) -> None:
    code = main._guarded(["data", "check", "--json", str(shared / "data/odd")])
    told = capsys.readouterr()
    assert code == odd_report.exit_code == Exit.SKIPPED
    assert "Traceback" not in told.err
    assert json.loads(told.out) == json.loads(json.dumps(odd_report.as_json()))


def test_a_tree_of_real_series_has_no_false_refusal(shared: Path) -> None:
    report = check_tree(shared / "data/ct/covid_ct_md")
    depth = {entry.name: entry.slices for entry in of(report, Verdict.USABLE)}
    assert depth == {"P001": 68, "cap001": 14, "normal001": 13}
    assert (report.exit_code, of(report, Verdict.REFUSED)) == (Exit.OK, [])


def test_single_slices_of_two_series_in_one_folder_are_listed_each(shared: Path) -> None:
    report = check_tree(shared / "data/ct/covid19_ny_sbu")
    refused = Counter(entry.code for entry in of(report, Verdict.REFUSED))
    assert set(refused) == {"E_SEVERAL_SERIES"}
    assert report.usable_slices == 8
    assert report.exit_code == Exit.SKIPPED


def test_real_pictures_and_volumes_are_told_apart(shared: Path) -> None:
    (volume,) = check_tree(shared / "data/ct/totalsegmentator_nifti").sections
    assert volume.plain["hu"]["lowest"] == -1024
    (pictures,) = check_tree(shared / "data/ct/iq_oth_nccd").sections
    assert (pictures.name, pictures.plain["hu"]) == ("jpeg", None)
