"""DeepLesion: boxes of key slices, half-open, one row per slice, the published split."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from tetract.cli.main import app
from tetract.data import Row, Split, open_dataset
from tetract.data.finish_import import ImportOptions, ImportReport
from tetract.data.formats.deeplesion import import_deeplesion
from tetract.data.read_row import RowReader
from tetract.errors import TetractError

LINE = {
    "File_name": "000001_01_01_109.png",
    "Patient_index": "1",
    "Study_index": "1",
    "Bounding_boxes": "11, 21.5, 20, 30.25",
    "Coarse_lesion_type": "5",
    "Possibly_noisy": "0",
    "Spacing_mm_px_": "0.5, 0.5, 5",
    "Image_size": "64, 48",
    "DICOM_windows": "-1350, 150",
    "Train_Val_Test": "3",
}


def run(root: Path, *changes: dict[str, str], types: tuple[str, ...] = ()) -> ImportReport:
    lines = [{**LINE, **change} for change in changes or ({},)]
    images = root / "Images_png"
    (images / "000001_01_01").mkdir(parents=True, exist_ok=True)
    for name in ("109.png", "110.png"):
        grey = np.full((64, 48), 32768 - 1000, dtype=np.uint16)
        Image.fromarray(grey).save(images / "000001_01_01" / name)
    with (root / "DL_info.csv").open("w", newline="") as stream:
        writer = csv.DictWriter(stream, list(LINE))
        writer.writeheader()
        writer.writerows(lines)
    return import_deeplesion(root / "DL_info.csv", images, root / "set", types, ImportOptions())


def rows_of(root: Path) -> tuple[Row, ...]:
    return open_dataset(root / "set").rows


def test_a_box_counts_pixels_from_one(tmp_path: Path) -> None:
    run(tmp_path)
    (row,) = rows_of(tmp_path)
    assert row.boxes is not None
    assert row.boxes[0].xyxy == (10.5, 21.0, 19.5, 29.75)  # centres 10 to 19, and 20.5 to 29.25
    assert (row.patient, row.split) == ("deeplesion-1", Split.TEST)
    assert row.note == "type=lung window=-1350 to 150 HU spacing=0.5 x 0.5 x 5 mm"


def test_boxes_of_one_slice_share_a_row(tmp_path: Path) -> None:
    other = {"Bounding_boxes": "2, 2, 9, 9", "Coarse_lesion_type": "3"}
    run(tmp_path, {}, other, {"File_name": "000001_01_01_110.png"})
    assert [len(row.boxes or ()) for row in rows_of(tmp_path)] == [2, 1]


@pytest.mark.parametrize(("number", "split"), [("1", Split.TRAIN), ("2", Split.VAL)])
def test_the_published_split_is_kept(tmp_path: Path, number: str, split: Split) -> None:
    run(tmp_path, {"Train_Val_Test": number})
    assert rows_of(tmp_path)[0].split == split


def test_noisy_absent_and_unwanted_rows_are_left_out_and_told(tmp_path: Path) -> None:
    report = run(
        tmp_path,
        {},
        {"Possibly_noisy": "1"},
        {"File_name": "000002_01_01_109.png"},
        {"Coarse_lesion_type": "-1"},
        types=("lung",),
    )
    assert [(s.number, s.reason) for s in report.skipped] == [
        (3, "marked as possibly noisy"),
        (5, "another lesion type than asked for"),
        (4, "its series is not in the folder"),
    ]
    assert not report.surprises


def test_padding_beyond_the_edge_is_cut(tmp_path: Path) -> None:
    run(tmp_path, {"Bounding_boxes": "-3, 50, 10, 70"})
    boxes = rows_of(tmp_path)[0].boxes
    assert boxes is not None
    assert boxes[0].xyxy == (0.0, 49.5, 9.5, 64.0)


@pytest.mark.parametrize(
    ("column", "text", "code"),
    [
        ("File_name", "../../etc/000001_01_01_109.png", "E_BAD_CELL"),
        ("File_name", "000001_01_01_111.png", "E_MISSING_IMAGE"),
        ("Bounding_boxes", "1, 2, 3", "E_BAD_CELL"),
        ("Bounding_boxes", "9, 9, 5, 20", "E_BOX_EMPTY"),
        ("Bounding_boxes", "100, 9, 120, 20", "E_BOX_EMPTY"),
        ("Train_Val_Test", "4", "E_BAD_CELL"),
        ("Coarse_lesion_type", "9", "E_BAD_CELL"),
    ],
)
def test_what_cannot_be_read_is_skipped(tmp_path: Path, column: str, text: str, code: str) -> None:
    report = run(tmp_path, {}, {column: text})
    assert [s.reason.split()[0].rstrip(":") for s in report.surprises] == [code]
    assert len(rows_of(tmp_path)) == 1


def test_pictures_are_read_as_hu_by_the_offset_of_the_card(tmp_path: Path) -> None:
    run(tmp_path)
    source = open_dataset(tmp_path / "set").card.sources[0]
    row = rows_of(tmp_path)[0]
    volume = RowReader().volume(row, source)
    assert volume.hu_known
    assert int(volume.values[0, 0, 0]) == -1000
    assert not source.boxes_complete
    wrong = source.model_copy(update={"hu_offset": 1000})
    with pytest.raises(TetractError, match="E_HU_RANGE"):
        RowReader().volume(row, wrong)


def test_an_unknown_type_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TetractError) as caught:
        run(tmp_path, types=("lungs",))
    assert caught.value.code == "E_LABEL_UNKNOWN"


def test_the_command_writes_its_seed_down(tmp_path: Path) -> None:
    run(tmp_path)
    place = [str(tmp_path / "DL_info.csv"), "--images", str(tmp_path / "Images_png")]
    words = ["data", "import", "deeplesion", *place, "-o", str(tmp_path / "b"), "--seed", "7"]
    assert CliRunner().invoke(app, words).exit_code == 0
    card = open_dataset(tmp_path / "b").card
    assert card.split is not None
    assert card.split.seed == 7
