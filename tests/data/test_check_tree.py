"""Claims about checking a tree of files."""

from __future__ import annotations

import json
import os
import shutil
import zipfile
from pathlib import Path

import numpy as np
import pytest
from check_maker import PATIENT, a_picture, a_series, a_volume, of

from tetract.data.check import tree as module
from tetract.data.check.report import Verdict
from tetract.data.check.text import render_check
from tetract.data.check.tree import check_tree
from tetract.errors import Exit, ReadError
from tetract.io import write_nifti_labels, write_nifti_volume


def forbid(monkeypatch: pytest.MonkeyPatch, way: str, name: str) -> None:
    """Refuse one path as the system would; root, who may run the tests, may read everything."""
    real = getattr(Path, way)

    def refuse(path: Path, *arguments: object, **named: object) -> object:
        if path.name == name:
            raise PermissionError(13, "Permission denied")
        return real(path, *arguments, **named)

    monkeypatch.setattr(Path, way, refuse)


def test_a_series_is_one_entry_with_its_facts(tmp_path: Path) -> None:
    a_series(tmp_path / "scan")
    report = check_tree(tmp_path)
    (entry,) = report.entries
    assert (entry.what, entry.name, entry.verdict) == ("dicom series", "scan", Verdict.USABLE)
    assert (entry.slices, entry.matrix, entry.hu) == (5, (32, 32), (-1000, 40))
    assert entry.spacing_mm == pytest.approx((2.5, 0.7, 0.7))
    assert report.exit_code == Exit.OK


def test_a_missing_slice_refuses_the_folder_and_counts_what_is_left(tmp_path: Path) -> None:
    a_series(tmp_path / "scan")[2].unlink()
    report = check_tree(tmp_path)
    (entry,) = report.entries
    assert (entry.code, entry.alone, entry.slices) == ("E_NONUNIFORM_SPACING", 4, 0)
    assert report.exit_code == Exit.BAD_INPUT


def test_every_broken_file_of_a_refused_folder_is_named(tmp_path: Path) -> None:
    files = a_series(tmp_path / "scan")
    for file in files[1:4]:
        file.write_bytes(file.read_bytes()[:-100])
    report = check_tree(tmp_path)
    assert {e.code for e in report.entries} == {"E_PIXEL_TRUNCATED"}
    told = [name for name in ("0002", "0003", "0004") if name in str(report.as_json())]
    assert told == ["0002", "0003", "0004"]
    assert report.entries[0].alone == 2


def test_several_series_in_a_folder_are_refused_and_listed_each(tmp_path: Path) -> None:
    a_series(tmp_path / "both", seed="one")
    for file in a_series(tmp_path / "aside", seed="two", depth=3):
        file.rename(tmp_path / "both" / f"two-{file.name}")
    (tmp_path / "aside").rmdir()
    report = check_tree(tmp_path)
    (refused,) = of(report, Verdict.REFUSED)
    assert refused.code == "E_SEVERAL_SERIES"
    assert sorted(entry.slices for entry in of(report, Verdict.USABLE)) == [3, 5]
    assert report.exit_code == Exit.SKIPPED


def test_too_many_series_are_counted_and_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_MOST_SERIES", 1)
    for seed in ("one", "two", "three"):
        for file in a_series(tmp_path / seed, seed=seed, depth=2):
            (tmp_path / "all").mkdir(exist_ok=True)
            file.rename(tmp_path / "all" / f"{seed}-{file.name}")
    report = check_tree(tmp_path)
    assert "2 more series, 4 slices" in of(report, Verdict.SKIPPED)[0].line


def test_pictures_beside_a_series_stand_for_themselves(tmp_path: Path) -> None:
    a_series(tmp_path)
    a_picture(tmp_path / "view.png")
    report = check_tree(tmp_path)
    assert [entry.what for entry in report.entries] == ["png", "dicom series"]
    assert [part.name for part in report.sections] == ["dicom", "png"]


@pytest.mark.parametrize("what", ["truncated", "empty", "text"])
def test_a_broken_picture_does_not_stop_the_walk(tmp_path: Path, what: str) -> None:
    broken = a_picture(tmp_path / "a.png")
    contents = {"truncated": broken.read_bytes()[:200], "empty": b"", "text": b"hello"}
    broken.write_bytes(contents[what])
    a_picture(tmp_path / "b.png")
    report = check_tree(tmp_path)
    (refused,) = of(report, Verdict.REFUSED)
    assert refused.line.startswith(f"{refused.code} a.png")
    assert report.usable_slices == 1
    assert report.exit_code == Exit.SKIPPED


def test_a_mask_is_told_from_an_image_without_hu(tmp_path: Path) -> None:
    volume = a_volume()
    assert volume.geometry is not None
    labels = np.zeros(volume.values.shape, dtype=np.uint8)
    labels[2, 4:8, 4:8] = 3
    write_nifti_labels(tmp_path / "mask.nii.gz", labels, volume.geometry)
    ramp = np.arange(volume.values.size).reshape(volume.values.shape) % 3000
    write_nifti_volume(tmp_path / "offset.nii.gz", ramp.astype(np.int16), volume.geometry)
    report = check_tree(tmp_path)
    mask, offset = report.entries
    assert (mask.what, mask.line) == ("label map", "a mask, not an image; labels 3")
    assert offset.code == "E_NOT_HU"
    assert report.exit_code == Exit.BAD_INPUT  # a mask alone is nothing to train on


def test_archives_are_reported_and_not_read(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "scans.zip", "w") as archive:
        archive.write(a_picture(tmp_path / "a.png"), "../escape.png")
    (tmp_path / "not-what-it-says.zip").write_text("hello")
    report = check_tree(tmp_path)
    assert [e.what for e in of(report, Verdict.SKIPPED)] == ["archive (zip)"] * 2
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "a.png",
        "not-what-it-says.zip",
        "scans.zip",
    ]


def test_a_dicomdir_is_no_image_and_not_followed(tmp_path: Path) -> None:
    files = a_series(tmp_path / "scan")
    shutil.copy(files[0], tmp_path / "DICOMDIR")
    report = check_tree(tmp_path)
    (ignored,) = of(report, Verdict.IGNORED)
    assert (ignored.what, report.usable_slices) == ("dicomdir", 5)
    assert report.exit_code == Exit.OK


def test_links_cannot_trap_the_walk(tmp_path: Path) -> None:
    a_picture(tmp_path / "deep" / "a.png")
    (tmp_path / "deep" / "up").symlink_to(tmp_path)
    (tmp_path / "deep" / "self").symlink_to(tmp_path / "deep" / "self")
    (tmp_path / "deep" / "gone.png").symlink_to(tmp_path / "nowhere.png")
    os.mkfifo(tmp_path / "deep" / "pipe")  # opening it would wait for ever
    report = check_tree(tmp_path)
    skipped = {entry.name: entry.what for entry in of(report, Verdict.SKIPPED)}
    assert skipped == {
        "gone.png": "link",
        "pipe": "device, pipe or socket",
        "self": "link",
        "up": "link to a folder",
    }
    assert report.usable_slices == 1


def test_what_may_not_be_read_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "closed").mkdir()
    a_picture(tmp_path / "a.png")
    a_picture(tmp_path / "b.png")
    forbid(monkeypatch, "iterdir", "closed")
    forbid(monkeypatch, "open", "a.png")
    report = check_tree(tmp_path)
    refused = {entry.name: entry.code for entry in of(report, Verdict.REFUSED)}
    assert refused == {"a.png": "E_CANNOT_READ", "closed": "E_CANNOT_READ"}
    assert report.usable_slices == 1


def test_hidden_files_and_plain_files_change_nothing(tmp_path: Path) -> None:
    a_picture(tmp_path / "a.png")
    (tmp_path / ".hidden.png").write_bytes(b"")
    (tmp_path / "__MACOSX").mkdir()
    (tmp_path / "README").write_text("about")
    (tmp_path / "list.csv").write_bytes(b"")
    report = check_tree(tmp_path)
    assert report.hidden == 2
    ignored = {entry.name: entry.what for entry in of(report, Verdict.IGNORED)}
    assert ignored == {"README": "no image", "list.csv": "empty file"}
    assert report.exit_code == Exit.OK


def test_names_cannot_write_to_the_terminal(tmp_path: Path) -> None:
    (tmp_path / "a\x1b[2J\n.png").write_bytes(b"no picture")
    (tmp_path / os.fsdecode(b"b\xff.png")).write_bytes(b"no picture")
    report = check_tree(tmp_path)
    text = render_check(report)
    assert "\x1b" not in text
    assert text.encode("utf-8").decode() == text
    assert [entry.code for entry in report.entries] == ["E_NOT_AN_IMAGE"] * 2


def test_no_patient_and_no_path_is_told(tmp_path: Path) -> None:
    a_series(tmp_path / "scan")
    a_series(tmp_path / "broken")[1].unlink()
    report = check_tree(tmp_path)
    told = render_check(report) + json.dumps(report.as_json())
    assert PATIENT not in told
    assert str(tmp_path) not in told


def test_two_runs_give_the_same_bytes(tmp_path: Path) -> None:
    for name in ("B.png", "b.png", "a10.png", "a9.png"):
        a_picture(tmp_path / name)
    a_series(tmp_path / "scan")
    first, second = (json.dumps(check_tree(tmp_path).as_json()) for _ in range(2))
    assert first == second
    names = [entry["name"] for entry in json.loads(first)["entries"]]
    assert names == ["a9.png", "a10.png", "B.png", "b.png", "scan"]


def test_one_file_is_a_tree_of_one(tmp_path: Path) -> None:
    report = check_tree(a_picture(tmp_path / "a.png"))
    assert (report.name, report.usable_slices, len(report.entries)) == ("a.png", 1, 1)


def test_no_such_path_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ReadError, match="E_NOT_FOUND"):
        check_tree(tmp_path / "none")


def test_progress_counts_every_file_once(tmp_path: Path) -> None:
    a_series(tmp_path / "scan")
    a_picture(tmp_path / "a.png")
    (tmp_path / "list.csv").write_text("x")
    seen: list[tuple[int, int]] = []
    check_tree(tmp_path, lambda done, total: seen.append((done, total)))
    assert seen == [(1, 7), (2, 7), (7, 7)]


def test_an_interrupt_ends_the_check(tmp_path: Path) -> None:
    def interrupt(_done: int, _total: int) -> None:
        raise KeyboardInterrupt

    a_picture(tmp_path / "a.png")
    with pytest.raises(KeyboardInterrupt):
        check_tree(tmp_path, interrupt)


def test_pictures_are_told_in_one_line_and_reasons_once(tmp_path: Path) -> None:
    for number in range(12):
        a_picture(tmp_path / f"{number}.png", side=32 + number)
        (tmp_path / f"broken{number}.png").write_bytes(b"")
    text = render_check(check_tree(tmp_path))
    assert "12 x png  32-43 x 32-43 px, no HU" in text
    assert text.count("E_EMPTY_FILE") == 1
    assert "the same: broken1.png, broken2.png" in text
    assert "and 3 more" in text


def test_a_slice_without_preamble_is_skipped_and_its_switch_named(tmp_path: Path) -> None:
    first, *_ = a_series(tmp_path / "scan")
    content = first.read_bytes()
    meta = int.from_bytes(content[140:144], "little")
    (tmp_path / "bare").mkdir()
    (tmp_path / "bare" / "IM0001").write_bytes(content[144 + meta :])
    report = check_tree(tmp_path)
    (skipped,) = of(report, Verdict.SKIPPED)
    assert (skipped.name, skipped.what) == ("IM0001", "dicom without preamble")
    assert "predict --force" in skipped.line
    assert report.exit_code == Exit.SKIPPED
