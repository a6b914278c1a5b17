"""Nothing of a patient is left, and nothing of the image is lost."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pydicom
import pytest
from io_makers import change, ct_numbers, make_series, save_nifti, set_raw, set_tag
from pydicom.datadict import tag_for_keyword
from pydicom.dataset import Dataset
from pydicom.uid import ImplicitVRLittleEndian

from canary import CANARY, salt
from tetract.errors import InputError, MachineError, ReadError
from tetract.io import read_volume
from tetract.io.deid import deid as deid_module
from tetract.io.deid.actions import (
    EMPTIED,
    EMPTIED_IF_PRESENT,
    KEPT,
    KEPT_SEQUENCES,
    NEW_UIDS,
    PSEUDONYMS,
    TABLE_E1_1,
)
from tetract.io.deid.deid import DeidReport, deidentify
from tetract.io.deid.secret import Renamer, new_renamer

RENAMER = Renamer(secret=b"a secret of the tests")
OURS = {
    "PatientIdentityRemoved",
    "DeidentificationMethod",
    "DeidentificationMethodCodeSequence",
    "LongitudinalTemporalInformationModified",
    "PixelData",
    "CodeValue",
    "CodingSchemeDesignator",
    "CodeMeaning",
}


def deid(source: Path, out: Path, **options: Any) -> DeidReport:
    return deidentify(source, out, RENAMER, **options)


def images(out: Path) -> list[Path]:
    return sorted(out.rglob("*.dcm"))


def everything(data: Dataset) -> list[str]:
    found: list[str] = []
    for element in data:
        found.append(element.keyword)
        if element.VR == "SQ":
            for item in element.value:
                found += everything(item)
    return found


@pytest.fixture
def salted(tmp_path: Path) -> Path:
    folder = tmp_path / "ZZTEST^JOHN" / "zztest 1987"
    for path in make_series(folder):
        change(path, salt)
        path.rename(path.with_name(f"ZZTEST {path.name}"))
    return folder


def test_nothing_that_was_salted_is_written(salted: Path, tmp_path: Path) -> None:
    report = deid(salted.parent, tmp_path / "out")
    written = [p for p in (tmp_path / "out").rglob("*") if p.is_file()]
    assert len(written) == report.written == report.read == 6
    for path in written:
        assert not CANARY.search(path.read_bytes())
        assert not CANARY.search(str(path.relative_to(tmp_path)).encode())
    assert not CANARY.search((report.as_text() + report.as_json()).encode())


def test_nothing_is_left_in_implicit_vr_either(salted: Path, tmp_path: Path) -> None:
    for path in salted.iterdir():
        change(path, lambda h: setattr(h.file_meta, "TransferSyntaxUID", ImplicitVRLittleEndian))
    deid(salted, tmp_path / "out")
    assert len(images(tmp_path / "out")) == 6
    for path in images(tmp_path / "out"):
        assert not CANARY.search(path.read_bytes())


def test_only_allowed_attributes_are_written(salted: Path, tmp_path: Path) -> None:
    deid(salted, tmp_path / "out")
    allowed = KEPT | EMPTIED | EMPTIED_IF_PRESENT | PSEUDONYMS | NEW_UIDS | KEPT_SEQUENCES | OURS
    for path in images(tmp_path / "out"):
        found = pydicom.dcmread(path)
        assert set(everything(found)) <= allowed
        assert not any(found[keyword].value for keyword in EMPTIED)
        assert found.preamble == bytes(128)


def test_the_volume_is_the_same(salted: Path, tmp_path: Path) -> None:
    deid(salted, tmp_path / "out")
    before = read_volume(salted)
    after = read_volume(images(tmp_path / "out")[0].parent)
    assert np.array_equal(before.values, after.values)
    assert before.geometry is not None
    assert after.geometry is not None
    assert np.array_equal(before.geometry.affine, after.geometry.affine)


def test_the_method_is_stated(salted: Path, tmp_path: Path) -> None:
    deid(salted, tmp_path / "out", program="TetraCT 0.1")
    found = pydicom.dcmread(images(tmp_path / "out")[0])
    assert found.PatientIdentityRemoved == "YES"
    assert "TetraCT 0.1" in found.DeidentificationMethod
    assert found.DeidentificationMethodCodeSequence[0].CodeValue == "113100"
    assert len(found.DeidentificationMethodCodeSequence) == 1  # no option is claimed


def test_the_allow_list_keeps_nothing_that_the_table_removes() -> None:
    listed = frozenset().union(*TABLE_E1_1.values())
    assert not KEPT & listed
    assert len(listed) > 600
    assert TABLE_E1_1["U"] >= NEW_UIDS
    assert {a for a, names in TABLE_E1_1.items() if names & EMPTIED} == {"Z"}
    assert all(tag_for_keyword(keyword) is not None for keyword in listed)


def test_the_same_secret_gives_the_same_bytes_and_another_does_not(tmp_path: Path) -> None:
    make_series(tmp_path / "in")
    for name in ("a", "b"):
        deid(tmp_path / "in", tmp_path / name)
    deidentify(tmp_path / "in", tmp_path / "c", new_renamer())

    def content(name: str) -> dict[str, bytes]:
        return {
            p.relative_to(tmp_path / name).as_posix(): p.read_bytes()
            for p in images(tmp_path / name)
        }

    assert content("a") == content("b")
    assert not set(content("a").values()) & set(content("c").values())


def test_uids_are_replaced_alike_wherever_they_stand(tmp_path: Path) -> None:
    first, second, *_ = make_series(tmp_path / "in")
    reference = Dataset()
    reference.ReferencedSOPClassUID = pydicom.dcmread(first).SOPClassUID
    reference.ReferencedSOPInstanceUID = old = pydicom.dcmread(first).SOPInstanceUID
    change(second, set_tag("ReferencedImageSequence", [reference]))
    deid(tmp_path / "in", tmp_path / "out")
    found = [pydicom.dcmread(path) for path in images(tmp_path / "out")]
    instances = {f.SOPInstanceUID for f in found}
    (referenced,) = [f.ReferencedImageSequence[0] for f in found if "ReferencedImageSequence" in f]
    assert referenced.ReferencedSOPInstanceUID in instances
    assert referenced.ReferencedSOPClassUID == reference.ReferencedSOPClassUID
    assert old not in instances
    assert all(uid.startswith("2.25.") and uid.is_valid for uid in instances)
    assert (
        len({(f.StudyInstanceUID, f.SeriesInstanceUID, f.FrameOfReferenceUID) for f in found}) == 1
    )
    assert all(f.file_meta.MediaStorageSOPInstanceUID == f.SOPInstanceUID for f in found)


def test_patients_stay_apart_and_the_unknown_stay_unknown(tmp_path: Path) -> None:
    for seed, patient in (("1", "ann"), ("2", "ann"), ("3", "bob"), ("4", "")):
        for path in make_series(tmp_path / "in" / seed, seed=seed):
            change(path, set_tag("PatientID", patient))
            change(path, set_tag("PatientName", patient))
    report = deid(tmp_path / "in", tmp_path / "out")
    known: dict[str, set[str]] = {}
    for path in images(tmp_path / "out"):
        found = pydicom.dcmread(path)
        known.setdefault(str(found.PatientID), set()).add(found.SeriesInstanceUID)
    assert sorted(len(series) for series in known.values()) == [1, 1, 2]
    assert "" in known
    assert report.patients == 3


def test_files_without_uids_stay_one_series(tmp_path: Path) -> None:
    for path in make_series(tmp_path / "in"):
        for keyword in ("SOPInstanceUID", "SeriesInstanceUID", "StudyInstanceUID"):
            change(path, set_tag(keyword, ""))
    before = read_volume(tmp_path / "in")
    deid(tmp_path / "in", tmp_path / "out")
    after = read_volume(images(tmp_path / "out")[0].parent)
    assert np.array_equal(before.values, after.values)
    assert len({pydicom.dcmread(p).SOPInstanceUID for p in images(tmp_path / "out")}) == 6


def test_burned_in_text_is_refused_and_the_rest_goes_on(tmp_path: Path) -> None:
    first, second, *others = make_series(tmp_path / "in")
    change(first, set_tag("BurnedInAnnotation", "YES"))
    change(second, set_tag("BurnedInAnnotation", "NO"))
    with pytest.raises(ReadError, match="E_BURNED_IN"):
        deid(first, tmp_path / "one")
    assert not (tmp_path / "one").exists()
    report = deid(tmp_path / "in", tmp_path / "out")
    assert [one.code for one in report.skipped] == ["E_BURNED_IN"]
    assert report.written == len(others) + 1
    assert report.warnings[0].startswith(f"W_BURNED_IN_UNKNOWN {len(others)} ")


def test_an_overlay_in_unused_bits_is_cleared(tmp_path: Path) -> None:
    path = make_series(tmp_path / "in")[0]
    before = read_volume(path).values

    def draw(header: Dataset) -> None:
        stored = np.frombuffer(header.PixelData, dtype="<u2") | 0x4000
        assert header.BitsStored == 12
        header.PixelData = stored.tobytes()
        header.add_new(0x60000102, "US", 14)

    change(path, draw)
    report = deid(path, tmp_path / "out")
    (found,) = images(tmp_path / "out")
    assert int(np.frombuffer(pydicom.dcmread(found).PixelData, dtype="<u2").max()) < 4096
    assert np.array_equal(read_volume(found).values, before)
    assert any(line.startswith("W_UNUSED_BITS") for line in report.warnings)


def test_text_where_a_number_belongs_is_removed(tmp_path: Path) -> None:
    path = make_series(tmp_path / "in")[0]
    change(path, set_raw("KVP", b"ZZTEST"))
    change(path, set_raw("ImageType", b"ORIGINAL\\ZZTEST^John"))
    deid(path, tmp_path / "out")
    (found,) = images(tmp_path / "out")
    assert b"ZZTEST" not in found.read_bytes()


def test_only_ct_is_written(tmp_path: Path) -> None:
    series = make_series(tmp_path / "in")
    change(series[0], set_tag("Modality", "MR"))
    (tmp_path / "in" / "ZZTEST.txt").write_text("ZZTEST")
    report = deid(tmp_path / "in", tmp_path / "out")
    assert sorted(one.code for one in report.skipped) == ["E_MODALITY", "E_NOT_AN_IMAGE"]
    assert "ZZTEST" not in report.as_text() + report.as_json()


def test_equal_files_are_written_once(tmp_path: Path) -> None:
    path = make_series(tmp_path / "in")[0]
    (tmp_path / "in" / "copy.dcm").write_bytes(path.read_bytes())
    report = deid(tmp_path / "in", tmp_path / "out")
    assert (report.read, report.written, report.copies) == (7, 6, 1)


def test_the_mapping_leads_back_and_lies_outside(tmp_path: Path) -> None:
    make_series(tmp_path / "in" / "john")
    with pytest.raises(InputError, match="E_OUT_INSIDE"):
        deid(tmp_path / "in", tmp_path / "out", mapping=tmp_path / "out" / "map.json")
    deid(tmp_path / "in", tmp_path / "out", mapping=tmp_path / "map.json")
    mapping = json.loads((tmp_path / "map.json").read_text())
    assert len(mapping) == 6
    for old, new in mapping.items():
        before, after = tmp_path / "in" / old, tmp_path / "out" / new
        assert pydicom.dcmread(before).PixelData == pydicom.dcmread(after).PixelData


@pytest.mark.parametrize("version", [nib.Nifti1Image, nib.Nifti2Image])
@pytest.mark.parametrize("suffix", [".nii", ".nii.gz"])
def test_nifti_texts_and_extensions_go(tmp_path: Path, version: Any, suffix: str) -> None:
    path = tmp_path / "in" / f"ZZTEST{suffix}"
    path.parent.mkdir()
    image = version(ct_numbers(), np.diag([-1.5, -1.25, 2.5, 1]))
    for name in ("descrip", "aux_file", "intent_name"):
        image.header[name] = b"ZZTEST"
    image.header.extensions.append(nib.nifti1.Nifti1Extension("comment", b"ZZTEST"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        image.to_filename(path)
    before = read_volume(path)
    deid(path, tmp_path / "out")
    (found,) = (tmp_path / "out").iterdir()
    after = read_volume(found)
    assert np.array_equal(before.values, after.values)
    assert before.geometry is not None
    assert after.geometry is not None
    assert np.array_equal(before.geometry.affine, after.geometry.affine)
    saved: Any = nib.load(found)
    assert b"ZZTEST" not in bytes(saved.header.binaryblock)
    assert not saved.header.extensions
    assert "ZZTEST" not in found.name


def test_a_taken_or_inner_folder_is_refused(tmp_path: Path) -> None:
    save_nifti(tmp_path / "in.nii.gz", ct_numbers())
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.txt").write_text("mine")
    with pytest.raises(InputError, match="E_OUT_NOT_EMPTY"):
        deid(tmp_path / "in.nii.gz", tmp_path / "full")
    with pytest.raises(InputError, match="E_OUT_INSIDE"):
        deid(tmp_path, tmp_path / "new")


def test_a_failure_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_series(tmp_path / "in")
    real, calls = deid_module.atomic_write_bytes, []

    def fail(path: Path, content: bytes) -> None:
        calls.append(path)
        if len(calls) == 3:
            raise MachineError("E_DISK_FULL", "full")
        real(path, content)

    monkeypatch.setattr(deid_module, "atomic_write_bytes", fail)
    with pytest.raises(MachineError):
        deid(tmp_path / "in", tmp_path / "out")
    assert [p.name for p in tmp_path.iterdir()] == ["in"]


def test_a_short_secret_is_refused(tmp_path: Path) -> None:
    (tmp_path / "short").write_bytes(b"short")
    with pytest.raises(InputError, match="E_BAD_SECRET"):
        new_renamer(tmp_path / "short")
    assert "secret" not in repr(RENAMER)


@pytest.mark.real
def test_the_corpus_is_judged_as_before(shared: Path, tmp_path: Path) -> None:
    def judged(folder: Path) -> Any:
        try:
            volume = read_volume(folder)
        except InputError as error:
            return error.code
        assert volume.geometry is not None
        return volume.values.tobytes(), volume.geometry.affine.tobytes()

    for name in ("good", "japanese_name", "injection_strings", "rescale_per_slice", "no_iop"):
        folder, out = shared / "data/odd/series_syn" / name, tmp_path / name
        deid(folder, out)
        (series,) = {path.parent for path in images(out)}
        assert judged(series) == judged(folder), name
