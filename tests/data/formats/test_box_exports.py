from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from box_sets import SIDE, picture
from PIL import Image
from pycocotools.coco import COCO
from typer.testing import CliRunner

from tetract.cli.data import app
from tetract.data import (
    BoxEntry,
    DatasetCard,
    DatasetFolder,
    MaskSource,
    Row,
    SourceCard,
    Split,
    open_dataset,
    write_dataset,
)
from tetract.data.formats.box_export import BoxExportChoices
from tetract.data.formats.coco_write import export_coco
from tetract.data.formats.voc_write import export_voc
from tetract.data.formats.yolo_write import export_yolo
from tetract.errors import TetractError
from tetract.io import read_volume, write_png

BOX = BoxEntry(label="nodule", xyxy=(10.0, 20.0, 40.0, 30.0))
PLAIN = BoxExportChoices()


def a_source(**changes: Any) -> SourceCard:
    plain: dict[str, Any] = {
        "name": "site",
        "citation": "Doe 2020",
        "licence": "CC0",
        "hu_known": False,
        "mask_classes": ("nodule", "lung"),
        "box_classes": ("nodule",),
        "patient_ids": "unknown",
        "group_by": "image",
    }
    return SourceCard(**(plain | changes))


def saved(folder: Path, rows: list[Row], *sources: SourceCard) -> DatasetFolder:
    card = DatasetCard(
        name="toy",
        classes=("normal", "cancer"),
        mask_classes=("nodule", "lung"),
        box_classes=("nodule", "mass"),
        sources=sources or (a_source(),),
    )
    write_dataset(folder / "data", card, rows)
    return open_dataset(folder / "data")


def a_row(folder: Path, name: str, **changes: Any) -> Row:
    fields: dict[str, Any] = {"source": "site", "split": Split.TRAIN}
    return Row(image=picture(folder / f"{name}.png"), **(fields | changes))


def three_states(folder: Path) -> DatasetFolder:
    return saved(
        folder,
        [
            a_row(folder, "SECRET^NAME", boxes=(BOX,)),
            a_row(folder, "negative", boxes=()),
            a_row(folder, "unknown"),
        ],
    )


def coco_content(out: Path, split: str = "train") -> dict[str, Any]:
    return json.loads((out / "annotations" / f"instances_{split}.json").read_text())


def test_unknown_slices_are_left_out_and_negatives_are_listed(tmp_path: Path) -> None:
    report = export_coco(three_states(tmp_path), tmp_path / "out", PLAIN)
    content = coco_content(tmp_path / "out")
    assert [image["file_name"] for image in content["images"]] == [
        "u0001_0001.png",
        "u0002_0001.png",
    ]
    assert [entry["bbox"] for entry in content["annotations"]] == [[10, 20, 30, 10]]
    assert (report.tally.negatives, dict(report.tally.left_out)) == (1, {"boxes unknown": 1})
    assert "left out 1: boxes unknown" in report.as_text()


def test_the_coco_tools_read_what_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mask = np.zeros((SIDE, SIDE), dtype=np.uint8)
    mask[20:30, 10:40] = 1
    mask[2, 3:6] = 1
    write_png(tmp_path / "mask.png", mask)
    cell = {"nodule": MaskSource(path=tmp_path / "mask.png")}
    export_coco(saved(tmp_path, [a_row(tmp_path, "a", mask=cell)]), tmp_path / "out", PLAIN)
    tools = COCO(tmp_path / "out" / "annotations" / "instances_train.json")
    capsys.readouterr()
    found = tools.loadAnns(tools.getAnnIds())
    assert [entry["area"] for entry in found] == [3, 300]
    assert [entry["bbox"] for entry in found] == [[3, 2, 3, 1], [10, 20, 30, 10]]
    assert tools.annToRLE(found[1])["counts"] == found[1]["segmentation"]["counts"]


@pytest.mark.parametrize("layout", ["coco", "yolo", "voc"])
def test_no_name_of_a_file_or_a_place_leaves_the_data_set(tmp_path: Path, layout: str) -> None:
    dataset, out = three_states(tmp_path), tmp_path / "out"
    if layout == "coco":
        export_coco(dataset, out, PLAIN)
    elif layout == "yolo":
        export_yolo(dataset, out, PLAIN)
    else:
        export_voc(dataset, out, PLAIN, key="name", convention="half-open")
    written = [path for path in out.rglob("*") if path.is_file()]
    assert len(written) >= 4
    for path in written:
        assert "SECRET" not in path.name
        assert b"SECRET" not in path.read_bytes()
        assert str(tmp_path).encode() not in path.read_bytes()


def test_classes_that_a_source_did_not_look_for_are_named(tmp_path: Path) -> None:
    other = a_source(name="other", box_classes=("nodule", "mass"))
    rows = [a_row(tmp_path, "a", boxes=(BOX,)), a_row(tmp_path, "b", source="other", boxes=())]
    report = export_coco(saved(tmp_path, rows, a_source(), other), tmp_path / "out", PLAIN)
    notes = "\n".join(report.notes)
    assert "W_CLASS_NOT_SOUGHT site: nobody looked for mass on 1 slices" in notes
    assert "Masks that are no lesions were left out: lung" in notes
    assert "Classes of whole images were left out: normal, cancer" in notes
    assert "Licence of site: CC0. Cite: Doe 2020" in notes


def test_a_class_that_nobody_looked_for_is_no_category(tmp_path: Path) -> None:
    export_coco(three_states(tmp_path), tmp_path / "out", PLAIN)
    assert coco_content(tmp_path / "out")["categories"] == [{"id": 1, "name": "nodule"}]


def test_a_verified_normal_slice_is_a_negative(tmp_path: Path) -> None:
    normal = a_source(normal_class="normal", normal_means_lesion_free=True)
    rows = [a_row(tmp_path, "a", label=frozenset({"normal"})), a_row(tmp_path, "b", boxes=(BOX,))]
    report = export_coco(saved(tmp_path, rows, normal), tmp_path / "out", PLAIN)
    assert report.tally.negatives == 1


def test_pictures_are_the_same_to_the_grey_level(tmp_path: Path) -> None:
    dataset = three_states(tmp_path)
    export_yolo(dataset, tmp_path / "out", PLAIN)
    copied = read_volume(tmp_path / "out" / "images" / "train" / "u0001_0001.png").values
    assert np.array_equal(copied, read_volume(dataset.rows[0].image).values)


def test_yolo_says_negative_by_an_empty_file_and_nothing_of_unknown_slices(tmp_path: Path) -> None:
    export_yolo(three_states(tmp_path), tmp_path / "out", PLAIN)
    labels = {p.stem: p.read_text() for p in (tmp_path / "out" / "labels").rglob("*.txt")}
    assert labels == {"u0001_0001": "0 0.390625 0.390625 0.46875 0.15625\n", "u0002_0001": ""}
    content = yaml.safe_load((tmp_path / "out" / "data.yaml").read_text())
    assert (content["train"], content["names"]) == ("images/train", {0: "nodule", 1: "mass"})


def test_outlines_are_not_made_up_from_boxes(tmp_path: Path) -> None:
    report = export_yolo(three_states(tmp_path), tmp_path / "out", PLAIN, outlines=True)
    assert report.tally.left_out["a lesion without pixels of its own"] == 1
    assert len(report.tally.written) == 1


def test_a_16_bit_picture_is_left_out_not_cut_to_8_bits(tmp_path: Path) -> None:
    deep = tmp_path / "deep.png"
    Image.fromarray(np.full((SIDE, SIDE), 40_000, dtype=np.uint16)).save(deep)
    rows = [a_row(tmp_path, "a", boxes=()), Row(image=deep, source="site", boxes=())]
    report = export_coco(saved(tmp_path, rows), tmp_path / "out", PLAIN)
    assert dict(report.tally.left_out) == {"a picture of 16 bits": 1}


def test_nothing_to_export_is_refused_and_leaves_nothing(tmp_path: Path) -> None:
    dataset = saved(tmp_path, [a_row(tmp_path, "a"), a_row(tmp_path, "b")])
    with pytest.raises(TetractError, match=r"E_EMPTY_EXPORT data: .*2 x boxes unknown"):
        export_coco(dataset, tmp_path / "out", PLAIN)
    assert not (tmp_path / "out").exists()


def test_a_folder_that_is_taken_is_refused(tmp_path: Path) -> None:
    dataset = three_states(tmp_path)
    export_coco(dataset, tmp_path / "out", PLAIN)
    with pytest.raises(TetractError, match="E_OUT_NOT_EMPTY out"):
        export_coco(dataset, tmp_path / "out", PLAIN)


def test_the_same_export_twice_gives_the_same_bytes(tmp_path: Path) -> None:
    dataset = three_states(tmp_path)
    for name in ("one", "two"):
        export_coco(dataset, tmp_path / name, PLAIN)
    one, two = (
        {p.relative_to(tmp_path / n): p.read_bytes() for p in (tmp_path / n).rglob("*.*")}
        for n in ("one", "two")
    )
    assert one == two


def test_a_slice_that_cannot_be_read_is_told_and_the_rest_is_written(tmp_path: Path) -> None:
    dataset = three_states(tmp_path)
    dataset.rows[1].image.write_bytes(b"no picture")
    report = export_coco(dataset, tmp_path / "out", PLAIN)
    (told,) = report.surprises
    assert told.startswith("table.csv row 3: E_NOT_AN_IMAGE negative.png")


@pytest.fixture
def lung_ct(shared: Path, tmp_path: Path) -> Path:
    root = shared / "data" / "ct" / "lung_pet_ct_dx"
    line = [
        "import",
        "voc",
        str(root / "Annotation"),
        "--images",
        str(root),
        "--name",
        "dx",
        "--hu",
    ]
    line += ["--licence", "CC BY 4.0", "--citation", "Li 2020", "--key", "uid"]
    line += ["--corners", "half-open", "--patient-from", r"(Lung_Dx-A\d+)/.*"]
    result = CliRunner().invoke(app, [*line, "--rename", "A=tumour", "-o", str(tmp_path / "dx")])
    assert result.exit_code == 0, result.output
    return tmp_path / "dx"


@pytest.mark.real
def test_hu_are_not_written_without_a_window(lung_ct: Path, tmp_path: Path) -> None:
    dataset = open_dataset(lung_ct)
    with pytest.raises(TetractError, match=r"E_CHOICE_OPEN.*--window-hu"):
        export_coco(dataset, tmp_path / "out", PLAIN)
    line = ["export", "coco", str(lung_ct), "-o", str(tmp_path / "out"), "--json"]
    result = CliRunner().invoke(app, [*line, "--window-hu", "-1350", "150"])
    assert len(json.loads(result.stdout)["slices"]) == 11
    first, *_ = sorted((tmp_path / "out" / "images").iterdir())
    values = read_volume(first).values
    assert (values.min(), values.max()) == (55, 255)  # air of -1024 HU is not black here


@pytest.mark.real
def test_files_named_by_uid_come_back_with_the_boxes_of_the_collection(
    shared: Path, lung_ct: Path, tmp_path: Path
) -> None:
    line = ["export", "voc", str(lung_ct), "-o", str(tmp_path / "out"), "--key", "uid"]
    result = CliRunner().invoke(app, [*line, "--corners", "half-open"])
    assert result.exit_code == 0, result.output
    theirs = (shared / "data" / "ct" / "lung_pet_ct_dx" / "Annotation").rglob("*.xml")
    ours = {path.name for path in (tmp_path / "out" / "Annotations").iterdir()}
    assert ours == {path.name for path in theirs}
    assert not list((tmp_path / "out").rglob("*.png"))


def test_the_commands_export_and_import(tmp_path: Path) -> None:
    three_states(tmp_path)
    run = CliRunner().invoke
    for layout in ("coco", "yolo", "voc"):
        more = ["--key", "name", "--corners", "inclusive"] if layout == "voc" else []
        line = ["export", layout, str(tmp_path / "data"), "-o", str(tmp_path / layout), *more]
        result = run(app, [*line, "--json"])
        assert result.exit_code == 0, result.output
        assert len(json.loads(result.stdout)["slices"]) == 2
    told = ["--name", "site", "--licence", "CC0", "--citation", "none", "--no-hu"]
    told += ["--patient-unknown", "--json"]
    coco, voc = tmp_path / "coco", tmp_path / "voc"
    lines = {
        "coco": [coco / "annotations" / "instances_train.json", "--images", coco / "images"],
        "yolo": [tmp_path / "yolo" / "data.yaml"],
        "voc": [voc / "Annotations", "--images", voc / "JPEGImages", "--key", "name"],
    }
    lines["voc"] += ["--corners", "inclusive"]
    for layout, line in lines.items():
        out = tmp_path / f"{layout}-back"
        result = run(app, ["import", layout, *map(str, line), *told, "-o", str(out)])
        assert result.exit_code == 0, result.output
        boxes = [row.boxes for row in open_dataset(out).rows]
        assert boxes == [(BOX,), ()]


def test_an_open_question_stops_the_command(tmp_path: Path) -> None:
    line = ["import", "yolo", "x.yaml", "-o", str(tmp_path / "out"), "--name", "a", "--no-hu"]
    result = CliRunner().invoke(app, [*line, "--licence", "CC0", "--citation", "none"])
    assert "E_CHOICE_OPEN" in str(result.exception)
