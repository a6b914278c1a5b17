from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from box_sets import SIDE, Coco, annotation, choices, picture

from tetract.data import EMPTY, MaskSource, Row, open_dataset
from tetract.data.finish_import import ImportOptions, ImportReport
from tetract.data.formats.coco_read import import_coco, parse_file_splits
from tetract.data.formats.patient_rule import patient_rule
from tetract.errors import TetractError
from tetract.io import read_label_map

SQUARE = [10, 20, 40, 20, 40, 30, 10, 30]


@pytest.fixture
def coco(tmp_path: Path) -> Coco:
    return Coco(tmp_path)


def run(coco: Coco, *annotations: dict[str, Any], renames: tuple[str, ...] = (), **k: Any) -> Any:
    said = {key: k.pop(key) for key in ("crowd", "unannotated", "patients") if key in k}
    file = coco.write(*annotations)
    told = choices(*renames, **said)
    return import_coco([file], coco.images, coco.out, told, ImportOptions(), **k)


def rows(coco: Coco, *annotations: dict[str, Any], **k: Any) -> tuple[Row, ...]:
    report: ImportReport = run(coco, *annotations, **k)
    assert report.skipped == ()
    return open_dataset(coco.out).rows


def refused(coco: Coco, *annotations: dict[str, Any], **k: Any) -> str:
    with pytest.raises(TetractError) as caught:
        run(coco, *annotations, **k)
    assert not coco.out.exists()
    return str(caught.value)


def mask_of(row: Row, name: str = "nodule") -> np.ndarray:
    source = (row.mask or {})[name]
    assert isinstance(source, MaskSource)
    return read_label_map(source.path).values[0]


def test_boxes_are_x_y_width_height_and_images_without_any_are_negatives(coco: Coco) -> None:
    first, second = rows(coco, annotation())
    assert [(b.label, b.xyxy) for b in first.boxes or ()] == [("nodule", (10, 20, 40, 30))]
    assert second.boxes == ()
    assert (first.mask, second.mask) == (None, None)


def test_a_person_may_say_that_silence_means_nothing(coco: Coco) -> None:
    assert rows(coco, annotation(), unannotated="unknown")[1].boxes is None


@pytest.mark.parametrize(
    "segmentation",
    [
        [SQUARE],
        {"size": [SIDE, SIDE], "counts": [660, *([10, 54] * 30), 1516]},
    ],
)
def test_outlines_become_a_label_map_and_other_images_are_empty_of_it(
    coco: Coco, segmentation: Any
) -> None:
    if isinstance(segmentation, dict):
        runs = [10 * SIDE + 20, *([10, 54] * 29), 10]
        segmentation["counts"] = [*runs, SIDE * SIDE - sum(runs)]
    first, second = rows(coco, annotation(segmentation=segmentation))
    drawn = np.zeros((SIDE, SIDE), dtype=bool)
    drawn[20:30, 10:40] = True
    assert np.array_equal(mask_of(first) == 1, drawn)
    assert second.mask == {"nodule": EMPTY}


def test_overlapping_lesions_share_pixels_and_keep_their_boxes(coco: Coco) -> None:
    other = [v + 5 for v in SQUARE]
    pair = (
        annotation(segmentation=[SQUARE]),
        annotation(2, bbox=[15, 25, 30, 10], segmentation=[other]),
    )
    first, _ = rows(coco, *pair)
    assert len(first.boxes or ()) == 2
    assert (mask_of(first) > 0).sum() == 300 + 300 - 25 * 5


def test_a_box_without_outline_leaves_the_mask_of_its_image_unknown(coco: Coco) -> None:
    first, second = rows(coco, annotation(), annotation(2, 2, segmentation=[SQUARE]))
    assert first.mask is None
    assert second.mask is not None


def test_a_crowd_is_asked_about_and_never_counted(coco: Coco) -> None:
    crowd = annotation(segmentation=[SQUARE], iscrowd=1)
    assert "E_CHOICE_OPEN coco.json" in refused(coco, crowd)
    first, second = rows(coco, crowd, crowd="unknown")
    assert (first.boxes, first.mask) == (None, None)
    assert second.boxes == ()


def test_a_crowd_may_be_taken_for_one_lesion_and_the_card_tells(coco: Coco) -> None:
    report = run(coco, annotation(segmentation=[SQUARE], iscrowd=1), crowd="lesion")
    assert report.warnings[-1].startswith("W_CROWD site: 1 ")
    assert "W_CROWD" in open_dataset(coco.out).card.sources[0].notes
    assert json.loads((coco.out / "import-report.json").read_text())["warnings"][-1].startswith("W")


def test_classes_are_renamed_left_out_and_united(coco: Coco) -> None:
    coco.content["categories"] += [{"id": 2, "name": "big mass"}, {"id": 3, "name": "lung"}]
    found = annotation(), annotation(2, 1, category_id=2), annotation(3, 2, category_id=3)
    assert "E_CLASS_NAME coco.json" in refused(coco, *found)
    first, second = rows(coco, *found, renames=("big mass=nodule", "lung=-"))
    assert [box.label for box in first.boxes or ()] == ["nodule"]  # two exact copies by now
    assert second.boxes == ()


def test_a_rename_that_meets_nothing_is_a_slip_of_the_pen(coco: Coco) -> None:
    assert "E_RENAME" in refused(coco, annotation(), renames=("nodul=tumour",))


@pytest.mark.parametrize("bbox", [[50, 20, 20, 10], [10, -2, 30, 10]])
def test_a_box_half_inside_is_cut_and_counted(coco: Coco, bbox: list[int]) -> None:
    report = run(coco, annotation(bbox=bbox), reading="xywh")
    assert report.warnings[-1].startswith("W_BOX_CLIPPED site: 1 boxes")
    assert report.surprises == ()
    ((box,), _) = (row.boxes for row in open_dataset(coco.out).rows)
    assert min(box.xyxy) >= 0
    assert max(box.xyxy) <= SIDE


def test_a_box_mostly_outside_costs_its_image(coco: Coco) -> None:
    report = run(coco, annotation(bbox=[60, 60, 30, 30]))
    (skipped,) = report.surprises
    assert (skipped.number, skipped.reason[:20]) == (1, "E_BOX_OUTSIDE a.png:")
    assert len(open_dataset(coco.out).rows) == 1


def test_all_faults_of_a_file_are_told_in_one_line(coco: Coco) -> None:
    told = refused(
        coco,
        annotation(),
        annotation(),
        annotation(2, 7),
        annotation(3, category_id=7),
        annotation(4, bbox=[1, 2, 0, 4]),
        annotation(5, bbox=[1, 2, -3, 4]),
        annotation(6, bbox=[1, 2, 3]),
        annotation(7, bbox=["1", 2, 3, 10**400]),
        annotation(8, segmentation=[[1, 1, 2, 2]]),
        annotation(9, segmentation={"size": [10, 10], "counts": [100]}),
        annotation(10, segmentation={"size": [SIDE, SIDE], "counts": [9]}),
        annotation(11, segmentation={"size": [SIDE, SIDE], "counts": [SIDE * SIDE]}),
        annotation(12, iscrowd=2),
    )
    assert told.startswith(
        "E_BAD_COCO coco.json: 12 faults: found id stands twice (annotations[1])"
    )
    assert (
        "bbox without area: width and height must be above 0 (annotations[4], annotations[5])"
        in told
    )
    assert "\n" not in told


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("images", None, "no such list (images)"),
        ("images", [{"id": 1}], "image without file_name"),
        ("images", [{"id": 1, "file_name": "a", "width": 0, "height": 4}], "no size in pixels"),
        ("images", [{"id": 1, "file_name": "a", "width": 2**15, "height": 2**15}], "no size"),
        ("images", [7], "entry without an id"),
        ("images", [{"id": 1, "file_name": "a" * 300}], "image without file_name"),
        ("images", [{"id": 1, "file_name": "\ud800"}], "image without file_name"),
        ("categories", [{"id": 1, "name": " "}], "category without a name"),
        (
            "images",
            [{"id": 1, "file_name": "a", "width": 4, "height": 4, "neg_category_ids": []}],
            "only some categories were looked for on each image (LVIS)",
        ),
    ],
)
def test_broken_lists_are_refused(coco: Coco, key: str, value: Any, said: str) -> None:
    coco.content[key] = value
    assert said in refused(coco)


@pytest.mark.parametrize("text", ["[" * 100_000, '{"images": [NaN]}', '{"a": 1, "a": 2}', "{"])
def test_hostile_json_is_refused_in_one_line(coco: Coco, text: str) -> None:
    coco.file.write_text(text)
    with pytest.raises(TetractError, match=r"^E_BAD_JSON coco.json"):
        import_coco([coco.file], coco.images, coco.out, choices(), ImportOptions())


@pytest.mark.parametrize("name", ["../a.png", "/etc/passwd", "C:\\a.png", "x\\..\\..\\a.png"])
def test_a_path_out_of_the_folder_costs_its_image(coco: Coco, name: str) -> None:
    coco.content["images"][0]["file_name"] = name
    (skipped,) = run(coco).surprises
    assert skipped.reason.startswith("E_PATH_ESCAPE coco.json")


def test_an_image_of_another_size_or_missing_is_skipped(coco: Coco) -> None:
    picture(coco.images / "a.png", (32, SIDE))
    coco.content["images"].append({"id": 3, "file_name": "c.png", "width": 4, "height": 4})
    report = run(coco, annotation())
    codes = [skipped.reason.split()[0] for skipped in report.surprises]
    assert codes == ["E_SHAPE_MISMATCH", "E_MISSING_IMAGE"]


def test_corners_in_the_place_of_widths_are_refused_until_a_person_says(coco: Coco) -> None:
    corners = annotation(bbox=[10, 20, 60, 60])
    assert "E_BOX_CONVENTION coco.json" in refused(coco, corners)
    assert rows(coco, corners, reading="xyxy")[0].boxes[0].xyxy == (10, 20, 60, 60)  # pyright: ignore[reportOptionalSubscript]  there is one


def test_an_outline_elsewhere_than_its_box_costs_the_image(coco: Coco) -> None:
    report = run(coco, annotation(segmentation=[[v + 12 for v in SQUARE]]))
    assert report.surprises[0].reason.startswith("E_OUTLINE_MISMATCH a.png")


def test_patients_come_from_names_only_as_a_person_says(coco: Coco) -> None:
    first, second = rows(coco, annotation(), patients=patient_rule(r"(.)\.png"))
    assert (first.patient, second.patient) == ("a", "b")
    with pytest.raises(TetractError, match=r"E_PATIENT_PATTERN coco\.json"):
        run(coco, annotation(), patients=patient_rule(r"\d+"))


def test_published_splits_are_those_of_their_files(coco: Coco) -> None:
    found = rows(coco, annotation(), splits=parse_file_splits(["coco.json=val"]))
    assert {row.split for row in found} == {"val"}
    with pytest.raises(TetractError, match=r"E_CHOICE_OPEN.*val.json"):
        run(coco, annotation(), splits=parse_file_splits(["val.json=val"]))


def test_the_same_import_twice_gives_the_same_bytes(coco: Coco) -> None:
    def content() -> dict[str, bytes]:
        return {p.name: p.read_bytes() for p in coco.out.rglob("*") if p.is_file()}

    run(coco, annotation(segmentation=[SQUARE]))
    before = content()
    run(coco, annotation(segmentation=[SQUARE]))
    assert content() == before
    assert len(before) == 4


ODD = Path("data", "odd", "coco_syn")


@pytest.mark.real
@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("dup_ann_id", "E_BAD_COCO"),
        ("zero_area_box", "E_BAD_COCO"),
        ("negative_box", "E_BAD_COCO"),
        ("rle_wrong_size", "E_BAD_COCO"),
        ("poly_two_points", "E_BAD_COCO"),
        ("xyxy_boxes", "E_BOX_CONVENTION"),
        ("truncated", "E_BAD_JSON"),
        ("deep", "E_BAD_JSON"),
    ],
)
def test_odd_files_are_refused_as_their_manifest_says(
    shared: Path, coco: Coco, name: str, code: str
) -> None:
    with pytest.raises(TetractError) as caught:
        import_coco(
            [shared / ODD / f"{name}.json"], coco.images, coco.out, choices(), ImportOptions()
        )
    assert caught.value.code == code


@pytest.mark.real
@pytest.mark.parametrize(
    ("name", "skipped"), [("good", []), ("bom", []), ("box_outside", ["E_BOX_OUTSIDE"])]
)
def test_usable_odd_files_are_read_as_their_manifest_says(
    shared: Path, coco: Coco, name: str, skipped: list[str]
) -> None:
    file = shared / ODD / f"{name}.json"
    report = import_coco([file], coco.images, coco.out, choices(), ImportOptions())
    assert [entry.reason.split()[0] for entry in report.surprises] == skipped
    first, *others = open_dataset(coco.out).rows
    assert (mask_of(first) > 0).sum() == 400
    assert [(row.boxes, row.mask) for row in others] == [((), {"nodule": EMPTY})][len(skipped) :]
