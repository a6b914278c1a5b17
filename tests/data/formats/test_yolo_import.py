from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from box_sets import SIDE, choices, picture

from tetract.data import EMPTY, MaskSource, Row, open_dataset
from tetract.data.finish_import import ImportOptions, ImportReport
from tetract.data.formats.yolo_read import import_yolo
from tetract.errors import TetractError
from tetract.io import read_label_map

SQUARE = "0 0.25 0.25 0.75 0.25 0.75 0.5 0.25 0.5"
TRIANGLE = "0 0.25 0.25 0.75 0.25 0.5 0.5"


class Yolo:
    def __init__(self, folder: Path) -> None:
        self.folder, self.out = folder / "set", folder / "out"
        self.data = self.folder / "data.yaml"
        for split in ("train", "val"):
            for name in ("a", "b"):
                picture(self.folder / "images" / split / f"{split}-{name}.png")
            (self.folder / "labels" / split).mkdir(parents=True)
        self.yaml = "train: images/train\nval: images/val\nnames: {0: nodule, 1: mass}\n"

    def label(self, name: str, text: str) -> None:
        split = name.split("-", maxsplit=1)[0]
        (self.folder / "labels" / split / f"{name}.txt").write_text(text)

    def run(self, *, images: Path | None = None, **k: Any) -> ImportReport:
        self.data.write_text(self.yaml)
        said = {key: k.pop(key) for key in ("unannotated",) if key in k}
        options = ImportOptions(images=images)
        return import_yolo(self.data, self.out, choices(**said), options, **k)

    def rows(self, **k: Any) -> dict[str, Row]:
        report = self.run(**k)
        assert report.skipped == ()
        return {row.image.stem: row for row in open_dataset(self.out).rows}


@pytest.fixture
def yolo(tmp_path: Path) -> Yolo:
    made = Yolo(tmp_path)
    made.label("train-a", "1 0.5 0.25 0.5 0.25\n")
    return made


def test_boxes_are_shares_of_the_image_and_splits_are_those_of_the_file(yolo: Yolo) -> None:
    found = yolo.rows()
    (box,) = found["train-a"].boxes or ()
    assert (box.label, box.xyxy) == ("mass", (16, 8, 48, 24))
    assert [str(row.split) for row in found.values()] == ["train", "train", "val", "val"]


def test_an_empty_file_is_a_negative_and_a_missing_one_is_unknown(yolo: Yolo) -> None:
    yolo.label("train-b", "\n")
    found = yolo.rows()
    assert found["train-b"].boxes == ()
    assert found["val-a"].boxes is None


def test_a_person_may_say_that_a_missing_file_is_a_negative(yolo: Yolo) -> None:
    assert yolo.rows(unannotated="empty")["val-a"].boxes == ()


def test_outlines_become_masks_and_boxes_around_them(yolo: Yolo) -> None:
    yolo.label("train-a", f"{TRIANGLE}\n{SQUARE}\n")
    yolo.label("train-b", "")
    found = yolo.rows()
    source = (found["train-a"].mask or {})["nodule"]
    assert isinstance(source, MaskSource)
    drawn = np.zeros((SIDE, SIDE), dtype=bool)
    drawn[16:32, 16:48] = True
    assert np.array_equal(read_label_map(source.path).values[0] == 1, drawn)
    assert {box.xyxy for box in found["train-a"].boxes or ()} == {(16, 16, 48, 32)}
    assert found["train-b"].mask == {"nodule": EMPTY}
    assert found["val-a"].mask is None


def test_four_corners_are_asked_about(yolo: Yolo) -> None:
    yolo.label("train-a", SQUARE)
    with pytest.raises(TetractError, match=r"E_CHOICE_OPEN data\.yaml"):
        yolo.run()
    assert yolo.rows(four_corners="box")["train-a"].mask is None


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("2 0.5 0.5 0.1 0.1", "class is no whole number from 0 to 1"),
        ("nodule 0.5 0.5 0.1 0.1", "class is no whole number"),
        ("0.0 0.5 0.5 0.1 0.1", "class is no whole number"),
        ("0 0.5 0.5 0.1", "not a class and 4 numbers"),
        ("0 0.5 0.5 0.1 0.1 0.9", "6 numbers: predictions with a confidence"),
        ("0 0.5 0.5 0 0.1", "box without area"),
        ("0 0.5 0.5 -0.1 0.1", "box without area"),
        ("0 nan 0.5 0.1 0.1", "coordinates are not shares"),
        ("0 32 40 10 10", "coordinates are not shares"),
        ("0 0.1 0.1 0.2 0.1 0.3 0.1", "outline without area"),
    ],
)
def test_a_faulty_line_costs_its_image_and_all_faults_are_told(
    yolo: Yolo, line: str, said: str
) -> None:
    yolo.label("train-b", f"{line}\n0 0.5 0.5 0.1 0.1\n{line}\n")
    (skipped,) = yolo.run().surprises
    assert skipped.reason.startswith("E_BAD_YOLO train-b.txt: 2 faults: found " + said)
    assert "(line 1, line 3)" in skipped.reason


def test_a_label_file_without_an_image_is_told(yolo: Yolo) -> None:
    yolo.label("val-c", "")
    assert [s.reason for s in yolo.run().surprises] == [
        "E_MISSING_IMAGE val-c.txt: label file without an image."
    ]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("names: [a, a]\ntrain: images/train\n", "E_BAD_YOLO"),
        ("names: {0: a, 2: b}\ntrain: images/train\n", "E_BAD_YOLO"),
        ("nc: 3\nnames: [a, b]\ntrain: images/train\n", "E_BAD_YOLO"),
        ("names: [a]\ntrain: images/train\nkpt_shape: [3, 2]\n", "E_BAD_YOLO"),
        ("names: [a]\ntrain: ../set/images/train\n", "E_PATH_ESCAPE"),
        ("names: [a]\ntrain: /etc\n", "E_PATH_ESCAPE"),
        ("names: [a]\npath: ..\ntrain: set/images\n", "E_PATH_ESCAPE"),
        ("names: [a]\ntrain: nowhere\n", "E_NO_FILE"),
        (f"names: [a]\ntrain: {'x' * 300}\n", "E_BAD_YOLO"),
        ("names: [a]\ntrain: labels\n", "E_EMPTY_DATASET"),
        ("names: [a, b]\ntrain: images/train\nval: images\n", "E_PATIENT_LEAK"),
    ],
)
def test_a_data_file_that_cannot_be_meant_is_refused(yolo: Yolo, text: str, code: str) -> None:
    yolo.yaml = text
    with pytest.raises(TetractError, match=code):
        yolo.run()


def test_lists_of_images_and_a_folder_of_labels_are_followed(yolo: Yolo, tmp_path: Path) -> None:
    (yolo.folder / "list.txt").write_text("./images/train/train-a.png\n\n")
    yolo.yaml = "names: [nodule, mass]\ntest: [list.txt]\n"
    labels = tmp_path / "other" / "images" / "train"
    labels.mkdir(parents=True)
    (labels / "train-a.txt").write_text("0 0.5 0.5 0.5 0.5")
    (row,) = yolo.rows(labels=tmp_path / "other").values()
    assert str(row.split) == "test"
    assert [box.xyxy for box in row.boxes or ()] == [(16, 16, 48, 48)]


def test_a_list_of_classes_will_do(yolo: Yolo) -> None:
    names = yolo.folder / "classes.txt"
    names.write_text("nodule\nmass\n")
    options = ImportOptions(images=yolo.folder / "images")
    import_yolo(names, yolo.out, choices(), options)
    (first, *_) = (row for row in open_dataset(yolo.out).rows if row.boxes is not None)
    assert [box.label for box in first.boxes or ()] == ["mass"]


def test_no_label_at_all_is_no_data_set_of_unknowns(yolo: Yolo) -> None:
    with pytest.raises(TetractError, match=r"E_EMPTY_DATASET data\.yaml: no image has a label"):
        yolo.run(labels=yolo.folder / "nowhere")
