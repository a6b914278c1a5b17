"""``tetract doctor`` says what is here, what is not, and what brings it."""

from __future__ import annotations

import json
from importlib import metadata
from pathlib import Path

import pytest

from tetract.cli import main
from tetract.cli.requirements import Package, declared, installed
from tetract.errors import Exit
from tetract.io.dicom.decode_client import DecoderState


@pytest.fixture(autouse=True)
def _no_child(monkeypatch: pytest.MonkeyPatch) -> None:
    _pretend(monkeypatch, DecoderState(starts=True, memory_bytes=2**32))


def _pretend(monkeypatch: pytest.MonkeyPatch, state: DecoderState) -> None:
    monkeypatch.setattr("tetract.io.dicom.decode_client.try_decoder", lambda: state)


def _report(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, dict[str, object]]:
    code = main._guarded(["doctor", "--json", *words])
    return int(code), json.loads(capsys.readouterr().out)


def test_a_whole_installation_is_well(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    code, report = _report(capsys, "--folder", str(tmp_path))
    assert code == Exit.OK
    assert report["ok"] is True
    names = [check["name"] for check in report["machine"]]
    assert {"Python", "torch", "pydicom", "device", "bfloat16", "disk"} <= set(names)
    assert report["research_use"] == "Research use only. Not a medical device."


def test_a_missing_codec_of_ours_is_exit_3_and_one_of_an_extra_is_not(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    lossless, j2k = "1.2.840.10008.1.2.4.70", "1.2.840.10008.1.2.4.90"
    monkeypatch.setattr("tetract.io.dicom.codecs.PLUGINS", {lossless: ("none_such",)})
    code, report = _report(capsys)
    (row,) = [check for check in report["codecs"] if "First-Order" in check["name"]]
    assert code == Exit.OK
    assert row["state"] == "not installed"
    assert row["fix"] == "pip install 'tetract[codecs]'"
    monkeypatch.setattr("tetract.io.dicom.codecs.PLUGINS", {j2k: ("none_such",)})
    assert _report(capsys)[0] == Exit.MACHINE


def test_a_decoder_that_does_not_start_is_exit_3(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    _pretend(monkeypatch, DecoderState(starts=False))
    assert _report(capsys)[0] == Exit.MACHINE


@pytest.mark.parametrize(
    ("limit", "told"),
    [
        (2**32, "starts; at most 4 GiB of memory"),
        (0, "starts; this system sets no limit of memory"),
    ],
)
def test_the_limit_of_the_decoders_is_told(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, limit: int, told: str
) -> None:
    _pretend(monkeypatch, DecoderState(starts=True, memory_bytes=limit))
    assert _report(capsys)[1]["codecs"][0]["found"] == told


def test_a_folder_that_is_not_there_is_exit_3(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    code, report = _report(capsys, "--folder", str(tmp_path / "gone"))
    (disk,) = [check for check in report["machine"] if check["name"] == "disk"]
    assert (code, disk["found"]) == (Exit.MACHINE, "no such folder")


def test_a_package_that_is_absent_is_named_with_its_cure(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def without_scipy(name: str) -> str:
        if name == "scipy":
            raise metadata.PackageNotFoundError(name)
        return "999.0"

    monkeypatch.setattr("tetract.cli.requirements.metadata.version", without_scipy)
    code, report = _report(capsys)
    (row,) = [check for check in report["machine"] if check["name"] == "scipy"]
    assert code == Exit.MACHINE
    assert row["fix"].startswith("pip install 'scipy>=")


@pytest.mark.parametrize(
    ("here", "oldest", "fits"),
    [("2.13.0+cpu", "2.6", True), ("2.5.1", "2.6", False), ("10.3", "9.9", True)],
)
def test_versions_are_compared_as_numbers(
    monkeypatch: pytest.MonkeyPatch, here: str, oldest: str, fits: bool
) -> None:
    monkeypatch.setattr("tetract.cli.requirements.metadata.version", lambda _: here)
    package = Package(name="torch", oldest=oldest, extra="")
    assert installed(package) == (here if fits else None)


def test_extras_are_known_by_name() -> None:
    found = {package.name: package.extra for package in declared()}
    assert found["torch"] == ""
    assert found["python-gdcm"] == "codecs"
    assert "pytest" not in found


def test_the_text_is_a_table_for_people(capsys: pytest.CaptureFixture[str]) -> None:
    main._guarded(["doctor"])
    told = capsys.readouterr().out
    assert "JPEG-LS Lossless Image Compression" in told
    assert told.endswith("Research use only. Not a medical device.\n")
