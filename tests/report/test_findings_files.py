"""A findings folder is complete, readable and never half there."""

from __future__ import annotations

import dataclasses
import errno
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from report_phantom import headless, study

from tetract.errors import InputError, MachineError
from tetract.report import findings_files, write_findings
from tetract.report.folder import safe_stem


def record(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "findings.json").read_text(encoding="utf-8"))


def tree(folder: Path) -> list[str]:
    return sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*"))


def test_the_record_repeats_what_was_found(tmp_path: Path) -> None:
    findings, images = study(3)
    content = record(write_findings(tmp_path / "out", findings, images).folder)
    assert findings.slices[0].boxes
    box = findings.slices[0].boxes[0]
    assert content["schema"] == "tetract.findings/1"
    assert "Research use only" in content["notice"]
    assert content["slices"][0]["lesions"] == [
        {
            "label": box.label,
            "score": box.score,
            "xyxy_px": list(box.xyxy_px),
            "size_mm": [9.8, 9.8],
            "probability": None,
            "shown": None,
        }
    ]
    assert content["geometry"]["spacing_mm"] == pytest.approx([2.5, 0.8, 0.8])
    assert content["class_probabilities"]["values"] == pytest.approx(findings.class_probabilities)


def test_absent_is_null_and_empty_is_a_list(tmp_path: Path) -> None:
    findings, images = study(1, on_grid=False)
    empty = dataclasses.replace(
        findings.slices[0], boxes=(), masks=np.zeros((2, 128, 128), dtype=bool)
    )
    looked = record(
        write_findings(
            tmp_path / "a", dataclasses.replace(findings, slices=(empty,)), images
        ).folder
    )
    absent = record(
        write_findings(
            tmp_path / "b", dataclasses.replace(findings, slices=(headless(),)), images
        ).folder
    )
    assert looked["slices"][0]["lesions"] == []
    assert [row["pixels"] for row in looked["masks"]] == [0, 0]
    for key in ("lesions", "masks", "class_probabilities", "reconstruction_error"):
        assert absent["slices"][0][key] is None
    assert absent["masks"] is None
    assert absent["files"]["label_maps"] == []


def test_volume_is_pixels_times_voxel(tmp_path: Path) -> None:
    findings, images = study(4)
    row = record(write_findings(tmp_path / "out", findings, images).folder)["masks"][0]
    pixels = sum(int(found.masks[0].sum()) for found in findings.slices if found.masks is not None)
    assert row["pixels"] == pixels
    assert row["volume_ml"] == pytest.approx(pixels * 2.5 * 0.8 * 0.8 / 1000)


def test_one_slice_has_an_area_but_no_volume(tmp_path: Path) -> None:
    content = record(write_findings(tmp_path / "out", *study(1)).folder)
    assert content["masks"][0]["volume_ml"] is None
    pixels = content["slices"][0]["masks"][0]["pixels"]
    assert content["slices"][0]["masks"][0]["area_mm2"] == pytest.approx(pixels * 0.64)


def test_a_grid_gives_one_nifti_and_pictures_give_one_png_each(tmp_path: Path) -> None:
    on_grid = write_findings(tmp_path / "a", *study(3))
    pictures = write_findings(tmp_path / "b", *study(3, on_grid=False))
    assert [p.name for p in on_grid.label_maps] == ["labels.nii.gz"]
    assert [p.name for p in pictures.label_maps] == [f"000{at}_slice_{at}.png" for at in range(3)]
    assert all(p.is_file() for p in (*on_grid.label_maps, *pictures.label_maps))


def test_every_file_is_listed_in_the_record(tmp_path: Path) -> None:
    folder = write_findings(tmp_path / "out", *study(3)).folder
    files = record(folder)["files"]
    listed = [files["record"], files["page"], *files["label_maps"], *files["overlays"]]
    assert sorted(listed) == sorted(p for p in tree(folder) if (folder / p).is_file())


def test_the_same_findings_give_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_findings(tmp_path / name, *study(2))
    for path in tree(tmp_path / "a"):
        if (tmp_path / "a" / path).is_file():
            assert (tmp_path / "a" / path).read_bytes() == (tmp_path / "b" / path).read_bytes()


@pytest.mark.parametrize(
    "name",
    ["../../etc/passwd", "a b<c>.png", "-rf", ".hidden", "nul\x00\n", "x" * 500, "", "é/..\\c"],
)
def test_file_names_are_safe(name: str) -> None:
    stem = safe_stem(7, name)
    assert stem.startswith("0007")
    assert len(stem) <= 45
    assert all(c.isascii() and (c.isalnum() or c in "_-") for c in stem)


def test_a_strangers_folder_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(InputError, match="E_OUT_NOT_EMPTY"):
        write_findings(tmp_path, *study(1))
    assert tree(tmp_path) == ["notes.txt"]


def test_earlier_findings_are_replaced(tmp_path: Path) -> None:
    out = tmp_path / "out"
    write_findings(out, *study(3))
    write_findings(out, *study(2))
    assert len(record(out)["slices"]) == 2
    assert len(list((out / "overlays").iterdir())) == 2
    assert [p.name for p in tmp_path.iterdir()] == ["out"]


def test_earlier_findings_with_something_added_are_left_alone(tmp_path: Path) -> None:
    out = write_findings(tmp_path / "out", *study(2)).folder
    (out / "overlays" / "my-notes.txt").write_text("mine")
    before = tree(out)
    with pytest.raises(InputError, match="E_OUT_NOT_EMPTY"):
        write_findings(out, *study(1))
    assert tree(out) == before


def test_a_strangers_findings_json_is_not_ours(tmp_path: Path) -> None:
    (tmp_path / "findings.json").write_text('{"files": {"a": "findings.json"}}')
    with pytest.raises(InputError, match="E_OUT_NOT_EMPTY"):
        write_findings(tmp_path, *study(1))


@pytest.mark.parametrize("earlier", [True, False])
@pytest.mark.parametrize("interrupt", [KeyboardInterrupt, RuntimeError])
def test_an_error_midway_leaves_everything_as_it_was(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    *,
    earlier: bool,
    interrupt: type[BaseException],
) -> None:
    out = tmp_path / "out"
    if earlier:
        write_findings(out, *study(2))
    before = tree(tmp_path)
    wrote: list[Path] = []

    def failing(path: Path, _image: np.ndarray) -> None:
        wrote.append(path)
        path.write_bytes(b"half")
        if len(wrote) == 2:
            raise interrupt

    monkeypatch.setattr(findings_files, "write_png", failing)
    with pytest.raises(interrupt):
        write_findings(out, *study(3))
    assert len(wrote) == 2
    assert tree(tmp_path) == before


def test_a_full_disk_is_one_clear_line_and_no_rest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(findings_files, "write_png", full)
    with pytest.raises(MachineError, match="E_DISK_FULL"):
        write_findings(tmp_path / "out", *study(1))
    assert tree(tmp_path) == []


def test_a_swap_that_fails_brings_the_earlier_findings_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = write_findings(tmp_path / "out", *study(2)).folder
    rename = Path.rename

    def fails_into_place(self: Path, target: Path) -> Path:
        if self.suffix == ".part":
            raise PermissionError(errno.EACCES, "Permission denied")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", fails_into_place)
    with pytest.raises(MachineError, match="E_CANNOT_WRITE"):
        write_findings(out, *study(3))
    assert len(record(out)["slices"]) == 2
    assert [p.name for p in tmp_path.iterdir()] == ["out"]


def test_pictures_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    findings, images = study(2)
    with pytest.raises(InputError, match="E_SHAPE_MISMATCH"):
        write_findings(tmp_path / "out", findings, images[:1])
    with pytest.raises(InputError, match="E_SHAPE_MISMATCH"):
        write_findings(tmp_path / "out", findings, [images[0], images[1][:-1]])
    assert tree(tmp_path) == []


def test_a_grid_of_another_size_is_refused(tmp_path: Path) -> None:
    findings, images = study(2)
    assert findings.geometry is not None
    grid = dataclasses.replace(findings.geometry, shape=(3, 128, 128))
    with pytest.raises(InputError, match="E_SHAPE_MISMATCH"):
        write_findings(tmp_path / "out", dataclasses.replace(findings, geometry=grid), images)


def test_numbers_that_are_not_numbers_are_refused(tmp_path: Path) -> None:
    findings, images = study(1)
    assert findings.slices[0].boxes
    box = dataclasses.replace(findings.slices[0].boxes[0], score=float("nan"))
    slices = (dataclasses.replace(findings.slices[0], boxes=(box,)),)
    with pytest.raises(InputError, match="E_NONFINITE"):
        write_findings(tmp_path / "out", dataclasses.replace(findings, slices=slices), images)
