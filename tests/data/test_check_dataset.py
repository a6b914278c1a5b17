"""Claims about checking a dataset folder: training's own verdicts, and honest counts."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from check_maker import a_mask, a_row, a_series, checked, of, pictures_card
from dataset_maker import a_card, a_source, write_table

from tetract.data import BoxEntry, Row, Split, open_dataset, write_dataset
from tetract.data.card import render_card
from tetract.data.cells import EMPTY
from tetract.data.check.dataset import check_dataset
from tetract.data.check.report import CheckReport, Verdict
from tetract.data.check.text import render_check
from tetract.data.config import DataConfig
from tetract.data.dataset import SliceDataset
from tetract.data.phantom.cohort import write_phantom_cohort
from tetract.data.phantom.patient import PhantomConfig
from tetract.errors import Exit, TetractError
from tetract.types import Task


@pytest.fixture(scope="module")
def phantom(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("check") / "phantom"
    return write_phantom_cohort(folder, PhantomConfig(patients=(2, 1, 1)))


@pytest.fixture(scope="module")
def phantom_report(phantom: Path) -> CheckReport:
    return check_dataset(phantom)


def states(report: CheckReport, *keys: str, split: str = "train") -> dict[str, int]:
    """Slices of one split per state, zeros left out."""
    place = report.as_json()["sections"][0]["labels"]
    for key in keys:
        place = place[key]
    return {state: counts[split] for state, counts in place.items() if counts[split]}


def test_unknown_empty_and_present_stay_apart(tmp_path: Path) -> None:
    report = checked(
        tmp_path,
        a_row(tmp_path, "unknown.png"),
        a_row(tmp_path, "normal.png", label=frozenset({"normal"})),
        a_row(tmp_path, "candidates.png", label=frozenset({"covid", "cancer"})),
        a_row(tmp_path, "looked.png", mask={"nodule": EMPTY}),
        a_row(tmp_path, "drawn.png", mask={"nodule": a_mask(tmp_path / "m.png", (4, 4, 12, 20))}),
        a_row(tmp_path, "blank.png", mask={"nodule": a_mask(tmp_path / "n.png")}),
        a_row(tmp_path, "boxed.png", boxes=(BoxEntry(label="nodule", xyxy=(1.0, 1.0, 9.0, 5.0)),)),
    )
    assert report.exit_code == Exit.OK
    assert states(report, "classification") == {"unknown": 5, "normal": 1, "one of several": 1}
    assert states(report, "segmentation", "nodule") == {
        "unknown": 3,
        "empty": 3,
        "empty, implied": 1,
        "present": 1,
    }
    assert states(report, "segmentation", "lung") == {"unknown": 7}
    assert states(report, "detection", "nodule") == {
        "unknown": 2,
        "empty": 3,
        "empty, derived": 2,
        "empty, implied": 1,
        "present": 2,
        "present, derived": 1,
    }
    assert states(report, "reconstruction") == {"present": 7}


def test_lesions_are_measured_on_the_original_grid(tmp_path: Path) -> None:
    report = checked(
        tmp_path,
        a_row(tmp_path, "a.png", boxes=(BoxEntry(label="nodule", xyxy=(1.0, 1.0, 9.0, 5.0)),)),
        a_row(tmp_path, "b.png", mask={"nodule": a_mask(tmp_path / "m.png", (4, 4, 12, 40))}),
    )
    lesions = report.as_json()["sections"][0]["lesions"]
    counted = dict(
        zip(lesions["longest_side_px"]["from"], lesions["longest_side_px"]["counts"], strict=True)
    )
    assert counted[8.0] == 1  # 8 x 4 px
    assert counted[32.0] == 1  # 8 x 36 px
    assert (lesions["boxes"], lesions["derived"]) == ({"nodule": 2}, {"nodule": 1})
    assert lesions["without_mm"] == 2


def test_lesions_of_a_scan_are_measured_in_mm(tmp_path: Path) -> None:
    a_series(tmp_path / "scan")
    row = Row(image=tmp_path / "scan", source="site", slice=2, patient="p", split=Split.TRAIN)
    row = replace(
        row, boxes=(BoxEntry(label="nodule", xyxy=(4.0, 4.0, 14.0, 8.0)),)
    )  # 7 mm x 2.8 mm
    section = checked(tmp_path, row, card=a_card()).as_json()["sections"][0]
    in_mm = section["lesions"]["longest_side_mm"]
    assert in_mm["counts"][in_mm["from"].index(6.0)] == 1
    assert section["spacing_between_slices"]["counts"][4] == 1  # 2.5 mm, in the bin from 2.1
    assert (section["hu"]["lowest"], section["hu"]["highest"]) == (-1000, 40)


def test_a_refused_row_is_the_one_that_training_refuses(tmp_path: Path) -> None:
    rows = [
        a_row(tmp_path, "good.png"),
        a_row(tmp_path, "cut.png"),
        a_row(tmp_path, "mask.png", mask={"nodule": a_mask(tmp_path / "m.png", side=32)}),
        a_row(tmp_path, "box.png", boxes=(BoxEntry(label="nodule", xyxy=(0.0, 0.0, 99.0, 5.0)),)),
        a_row(tmp_path, "slice.png", slice=7),
        a_row(
            tmp_path,
            "conflict.png",
            label=frozenset({"normal"}),
            boxes=(BoxEntry(label="nodule", xyxy=(0.0, 0.0, 9.0, 5.0)),),
        ),
    ]
    (tmp_path / "cut.png").write_bytes((tmp_path / "good.png").read_bytes()[:300])
    report = checked(tmp_path, *rows)
    folder = open_dataset(tmp_path)
    config = DataConfig(folder=tmp_path)
    taught = SliceDataset(folder, config, folder.card.label_space, "train", strict=False)
    taught.warm()
    assert tuple(entry.line for entry in report.entries) == taught.skipped
    assert [entry.code for entry in report.entries] == [
        "E_IMAGE_DECODE",
        "E_SHAPE_MISMATCH",
        "E_BOX_OUTSIDE",
        "E_BAD_SLICE",
        "E_LABEL_CONFLICT",
    ]
    assert report.usable_slices == len(taught) == 1
    assert report.as_json()["sections"][0]["refused"] == 5
    assert report.exit_code == Exit.SKIPPED
    assert "data.skip_unreadable" in render_check(report)


def test_coverage_is_what_training_counts(phantom: Path, phantom_report: CheckReport) -> None:
    report = phantom_report
    folder = open_dataset(phantom)
    config = DataConfig(folder=phantom, image_px=128, min_lesion_px=1)
    taught = SliceDataset(folder, config, folder.card.label_space, "train")
    sections = {part["name"]: part for part in report.as_json()["sections"]}
    for count in taught.summary():
        labels = sections[count.source]["labels"][count.task.value]
        whole = labels.get("any class", labels)
        assert count.slices - count.labelled == whole.get("unknown", {"train": 0})["train"]
        if count.task is Task.DETECTION:
            assert count.positive == whole["present"]["train"]


def test_every_slice_of_the_phantom_is_usable(phantom: Path, phantom_report: CheckReport) -> None:
    report = phantom_report
    assert (report.exit_code, report.kind, report.entries) == (Exit.OK, "dataset", ())
    assert report.usable_slices == len(open_dataset(phantom).rows)
    patients = sum(part["patients"] for part in report.as_json()["sections"])
    assert patients == 4
    text = render_check(report)
    assert "longest side, mm:" in text
    assert "spacing in plane, files:" in text
    assert "p000" not in text  # a patient's key


def test_a_data_set_gives_the_same_json_twice(phantom: Path, phantom_report: CheckReport) -> None:
    again = json.dumps(check_dataset(phantom).as_json())
    assert again == json.dumps(phantom_report.as_json())
    assert json.loads(again)["schema"] == "tetract.data-check/1"


def test_a_bad_table_is_told_row_by_row_and_its_good_rows_are_read(tmp_path: Path) -> None:
    (tmp_path / "dataset.yaml").write_text(render_card(pictures_card()))
    for name in ("a.png", "b.png", "c.png"):
        a_row(tmp_path, name)
    write_table(
        tmp_path, {"split": "trian"}, {"image": "b.png", "class": ""}, {"image": "c.png"}, {}
    )
    a_row(tmp_path, "a.png")  # ``write_table`` only touched it
    report = check_dataset(tmp_path)
    assert [line.split(" ")[0] for line in report.problems] == ["E_SPLIT_WORD", "E_BLANK_LABEL"]
    assert report.usable_slices == 2
    assert report.exit_code == Exit.BAD_INPUT
    assert "PROBLEM E_SPLIT_WORD table.csv row 2" in render_check(report)


@pytest.mark.parametrize(
    ("card", "table", "code"),
    [
        ("name: [", None, "E_BAD_CARD"),
        (None, None, "E_NO_FILE"),
        (None, "image,slice\na.png,-\n", "E_NO_COLUMN"),
        (None, "", "E_EMPTY_DATASET"),
    ],
)
def test_a_data_set_that_cannot_be_opened_is_one_problem(
    tmp_path: Path, card: str | None, table: str | None, code: str
) -> None:
    (tmp_path / "dataset.yaml").write_text(card or render_card(pictures_card()))
    if table is not None:
        (tmp_path / "table.csv").write_text(table)
    report = check_dataset(tmp_path)
    assert [line.split(" ")[0] for line in report.problems] == [code]
    assert report.exit_code == Exit.BAD_INPUT
    assert code in render_check(report)


def test_an_unknown_column_is_a_problem_though_the_rows_are_good(tmp_path: Path) -> None:
    write_dataset(tmp_path, pictures_card(), [a_row(tmp_path, "a.png")])
    lines = (tmp_path / "table.csv").read_text().splitlines()
    (tmp_path / "table.csv").write_text(f"{lines[0]},extra\n{lines[1]},x\n")
    report = check_dataset(tmp_path)
    assert report.problems[0].startswith("E_BAD_TABLE")
    assert (report.usable_slices, report.exit_code) == (1, Exit.BAD_INPUT)


def test_a_torn_patient_is_told_by_rows_and_not_by_key(tmp_path: Path) -> None:
    (tmp_path / "dataset.yaml").write_text(render_card(pictures_card()))
    for name in ("a.png", "b.png"):
        a_row(tmp_path, name)
    write_table(
        tmp_path,
        {"patient": "DOE-JANE"},
        {"image": "b.png", "patient": "DOE-JANE", "split": "test"},
    )
    a_row(tmp_path, "a.png")
    report = check_dataset(tmp_path)
    assert report.problems[0].startswith("E_PATIENT_LEAK rows 2 and 3: a patient is in two splits")
    assert "DOE" not in render_check(report) + json.dumps(report.as_json())


def test_a_volume_row_that_cannot_be_opened_is_refused_like_any_other(tmp_path: Path) -> None:
    good = tmp_path / "good"
    broken = tmp_path / "broken"
    a_series(good)
    a_series(broken)[2].unlink()
    rows = [
        Row(image=path, source="site", slice="all", patient=path.name, split=Split.TRAIN)
        for path in (good, broken)
    ]
    report = checked(tmp_path, *rows, card=a_card(a_source("site")))
    assert report.problems == ()
    assert [(entry.name, entry.code) for entry in report.entries] == [
        ("table.csv row 3", "E_NONUNIFORM_SPACING")
    ]
    assert report.as_json()["sections"][0]["refused"] == 1
    assert (report.usable_slices, report.exit_code) == (5, Exit.SKIPPED)
    folder = open_dataset(tmp_path)
    space, config = folder.card.label_space, DataConfig(folder=tmp_path)
    with pytest.raises(TetractError, match=r"E_NONUNIFORM_SPACING table\.csv row 3"):
        SliceDataset(folder, config, space, "train")
    taught = SliceDataset(folder, config, space, "train", strict=False)
    assert taught.skipped == (report.entries[0].line,)


def test_warnings_of_the_data_set_are_in_the_report(tmp_path: Path) -> None:
    report = checked(tmp_path, a_row(tmp_path, "a.png"))
    assert report.warnings[0].startswith("W_NO_PATIENT_IDS site: 1 of 1 rows")
    assert report.warnings[0] in render_check(report)


def test_progress_runs_over_all_splits_to_the_end(tmp_path: Path) -> None:
    rows = [
        a_row(tmp_path, f"{n}.png", split=split)
        for n, split in enumerate([Split.TRAIN, Split.TEST, Split.UNASSIGNED])
    ]
    write_dataset(tmp_path, pictures_card(), rows)
    seen: list[tuple[int, int]] = []
    check_dataset(tmp_path, lambda done, total: seen.append((done, total)))
    assert seen == [(1, 3), (2, 3), (2, 3), (3, 3)]


def test_nothing_is_written(tmp_path: Path) -> None:
    write_dataset(tmp_path, pictures_card(), [a_row(tmp_path, "a.png")])
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    report = check_dataset(tmp_path)
    assert of(report, Verdict.REFUSED) == []
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before
