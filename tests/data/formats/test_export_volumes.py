"""Exports: what comes back is what went in, and what cannot be said is left out and counted."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
from typer.testing import CliRunner
from volume_sets import SHAPE, a_grid, a_label, put_labels, put_volume, some_grey, some_hu

from tetract.cli.data import app
from tetract.data import (
    ALL,
    EMPTY,
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
from tetract.data.finish_import import ImportOptions
from tetract.data.formats.cuboids import BoxMode
from tetract.data.formats.export_cases import Content
from tetract.data.formats.export_decathlon import DatalistExport, Labels, export_decathlon
from tetract.data.formats.export_nnunet import ExportChoices, export_nnunet
from tetract.data.formats.export_report import ExportReport
from tetract.data.formats.import_decathlon import DatalistChoices, import_decathlon
from tetract.data.formats.import_nnunet import NnunetChoices, import_nnunet
from tetract.data.formats.patient_rule import patient_rule
from tetract.data.read_row import RowReader
from tetract.errors import TetractError
from tetract.io import read_label_map, read_volume, write_png
from tetract.types import Geometry

SPLITS = (Split.TRAIN, Split.TRAIN, Split.VAL, Split.TEST)
PATIENTS = ".*_(p[0-9]+)_s[0-9]+"


def a_source(name: str = "site", **changes: object) -> SourceCard:
    fields: dict[str, object] = {
        "name": name,
        "citation": "c",
        "licence": "l",
        "hu_known": True,
        "mask_classes": ("lung", "infection"),
        "patient_ids": "partly",
        "group_by": "patient",
    }
    return SourceCard.model_validate(fields | changes)


def save(root: Path, rows: list[Row], *sources: SourceCard) -> DatasetFolder:
    card = DatasetCard(
        name="toy set",
        classes=("normal", "covid"),
        mask_classes=("lung", "infection"),
        box_classes=("infection",),
        sources=sources or (a_source(),),
    )
    write_dataset(root / "set", card, rows)
    return open_dataset(root / "set")


def scan(root: Path, number: int, *, grid: Geometry | None = None, **changes: Any) -> Row:
    """A scan with lung in columns 0 to 2 and infection in columns 2 and 3 of slice ``number``."""
    image = put_volume(root / "in" / f"v{number}.nii.gz", some_hu(number), grid)
    lung, infection = np.zeros((2, *SHAPE), dtype=np.uint8)
    lung[:, :, :3] = 1
    infection[number % SHAPE[0], :, 2:4] = 1
    cells = {
        name: MaskSource(path=put_labels(root / "in" / f"{name}{number}.nii.gz", mask, grid))
        for name, mask in (("lung", lung), ("infection", infection))
    }
    plain: dict[str, Any] = {
        "slice": ALL,
        "split": Split.TRAIN,
        "patient": f"q{number // 2}",
        "mask": cells,
    }
    return Row(image=image, source="site", **{**plain, **changes})


def four_scans(root: Path) -> DatasetFolder:
    return save(
        root, [scan(root, n, split=split, patient=f"q{n}") for n, split in enumerate(SPLITS)]
    )


def nnunet(dataset: DatasetFolder, out: Path, **choices: Any) -> ExportReport:
    return export_nnunet(dataset, out, ExportChoices(**choices))


def masks_of(folder: DatasetFolder, row: Row) -> dict[str, np.ndarray]:
    reader = RowReader()
    volume = reader.volume(row, folder.card.source(row.source))
    planes = [reader.labels(row, volume, k).masks for k in range(volume.depth)]
    return {name: np.stack([plane[name] for plane in planes]) for name in planes[0]}


def test_an_nnunet_round_trip_keeps_voxels_geometry_labels_and_splits(tmp_path: Path) -> None:
    before = four_scans(tmp_path)
    nnunet(before, tmp_path / "raw", regions=True)
    choices = NnunetChoices(patients=patient_rule(PATIENTS))
    import_nnunet(tmp_path / "raw", tmp_path / "back", choices, ImportOptions())
    after = open_dataset(tmp_path / "back")
    assert [row.split for row in after.rows] == list(SPLITS)
    assert len({row.patient for row in after.rows}) == 4
    for old, new in zip(before.rows, after.rows, strict=True):
        one, other = read_volume(old.image), read_volume(new.image)
        assert np.array_equal(one.hu, other.hu)
        assert one.geometry is not None
        assert other.geometry is not None
        assert np.abs(one.geometry.corners_mm - other.geometry.corners_mm).max() < 1e-4
        expected, found = masks_of(before, old), masks_of(after, new)
        assert set(found) == {"lung", "infection"}
        assert all(np.array_equal(expected[name], found[name]) for name in expected)


def test_a_decathlon_round_trip_keeps_what_a_label_map_can_hold(tmp_path: Path) -> None:
    before = four_scans(tmp_path)
    export_decathlon(before, tmp_path / "list", DatalistExport())
    choices = DatalistChoices(patients=patient_rule(PATIENTS))
    import_decathlon(
        tmp_path / "list" / "dataset.json", tmp_path / "back", choices, ImportOptions()
    )
    after = open_dataset(tmp_path / "back")
    assert [row.split for row in after.rows] == list(SPLITS)
    for old, new in zip(before.rows, after.rows, strict=True):
        assert np.array_equal(read_volume(old.image).hu, read_volume(new.image).hu)
        expected, found = masks_of(before, old), masks_of(after, new)
        assert np.array_equal(found["infection"], expected["infection"])
        assert np.array_equal(found["lung"], expected["lung"] & ~expected["infection"])


def test_the_stated_precedence_decides_overlaps_and_the_loss_is_counted(tmp_path: Path) -> None:
    dataset = save(tmp_path, [scan(tmp_path, 1)])
    report = nnunet(dataset, tmp_path / "raw")
    assert report.precedence == ("infection", "lung")
    (overlap,) = report.as_json()["overlaps"]
    assert overlap == {"written": "infection", "lost": "lung", "voxels": SHAPE[1]}
    assert "6 voxels of lung lie under infection" in report.as_text()
    (path,) = (tmp_path / "raw" / "labelsTr").iterdir()
    labels = read_label_map(path).values
    assert (labels[1, 0].tolist(), labels[0, 0].tolist()) == ([1, 1, 2, 2, 0], [1, 1, 1, 0, 0])
    report = nnunet(dataset, tmp_path / "other", classes=("lung", "infection"))
    (path,) = (tmp_path / "other" / "labelsTr").iterdir()
    assert read_label_map(path).values[1, 0].tolist() == [2, 2, 2, 1, 0]


def test_nnunets_description_fits_what_was_written(tmp_path: Path) -> None:
    nnunet(four_scans(tmp_path), tmp_path / "raw")
    content = json.loads((tmp_path / "raw" / "dataset.json").read_text())
    assert content["labels"] == {"background": 0, "lung": 1, "infection": 2}
    assert (content["numTraining"], content["channel_names"]) == (3, {"0": "CT"})
    (fold,) = json.loads((tmp_path / "raw" / "splits_final.json").read_text())
    assert (len(fold["train"]), len(fold["val"])) == (2, 1)
    images = sorted(p.name for p in (tmp_path / "raw" / "imagesTr").iterdir())
    labels = sorted(p.name for p in (tmp_path / "raw" / "labelsTr").iterdir())
    assert images == [name.replace(".nii.gz", "_0000.nii.gz") for name in labels]
    assert all(nib.load(tmp_path / "raw" / "imagesTr" / n).get_data_dtype() == "i2" for n in images)


def test_names_of_cases_tell_nobody_who_the_patient_is(tmp_path: Path) -> None:
    dataset = save(tmp_path, [scan(tmp_path, 0, patient="Mary"), scan(tmp_path, 1, patient="Mary")])
    report = nnunet(dataset, tmp_path / "raw")
    names = [case.name for case in report.tally.cases]
    assert names == ["toy_set_p0001_s01", "toy_set_p0001_s02"]
    texts = [p.read_bytes() for p in (tmp_path / "raw").rglob("*") if p.suffix == ".json"]
    assert not any(b"Mary" in text for text in texts)


def test_unknown_masks_are_left_out_and_counted(tmp_path: Path) -> None:
    lung = scan(tmp_path, 1).mask or {}
    rows = [
        scan(tmp_path, 0),
        scan(tmp_path, 1, mask={"lung": lung["lung"]}),
        scan(tmp_path, 2, mask=None),
        scan(tmp_path, 3, split=Split.UNASSIGNED, patient=None),
    ]
    report = nnunet(save(tmp_path, rows), tmp_path / "raw")
    assert len(report.tally.cases) == 1
    assert sorted(report.tally.left_out.values()) == [1, 1, 1]
    assert report.surprises == ()


def test_the_ignore_label_says_what_a_partial_mask_cannot(tmp_path: Path) -> None:
    full = scan(tmp_path, 1).mask or {}
    known = {"infection": full["infection"]}
    report = nnunet(save(tmp_path, [scan(tmp_path, 1, mask=known)]), tmp_path / "raw", ignore=True)
    assert len(report.tally.cases) == 1
    (path,) = (tmp_path / "raw" / "labelsTr").iterdir()
    labels = read_label_map(path).values
    assert np.array_equal(
        labels == 2,
        masks_of(
            open_dataset(tmp_path / "set"),
            Row(image=tmp_path / "in" / "v1.nii.gz", source="site", slice=ALL, mask=known),
        )["infection"],
    )
    assert set(np.unique(labels)) == {2, 3}  # no voxel is called background or lung


def test_under_an_unknown_class_of_higher_precedence_nothing_can_be_told(tmp_path: Path) -> None:
    full = scan(tmp_path, 1).mask or {}
    dataset = save(tmp_path, [scan(tmp_path, 1, mask={"lung": full["lung"]})])
    with pytest.raises(TetractError) as caught:
        nnunet(dataset, tmp_path / "raw", ignore=True)
    assert caught.value.code == "E_EMPTY_EXPORT"
    assert not (tmp_path / "raw").exists()
    assert [p.name for p in tmp_path.iterdir() if p.name.startswith(".")] == []


def test_slices_without_a_row_are_unknown(tmp_path: Path) -> None:
    whole = scan(tmp_path, 1)
    rows = [
        Row(
            image=whole.image,
            source="site",
            slice=k,
            patient="q",
            split=Split.TRAIN,
            mask={"lung": EMPTY, "infection": EMPTY},
        )
        for k in range(SHAPE[0] - 1)
    ]
    dataset = save(tmp_path, rows)
    with pytest.raises(TetractError) as caught:
        nnunet(dataset, tmp_path / "raw")
    assert caught.value.code == "E_EMPTY_EXPORT"
    nnunet(dataset, tmp_path / "raw", ignore=True)
    (path,) = (tmp_path / "raw" / "labelsTr").iterdir()
    labels = read_label_map(path).values
    assert (set(np.unique(labels[:-1])), set(np.unique(labels[-1]))) == ({0}, {3})


def test_a_sagittal_volume_keeps_its_place(tmp_path: Path) -> None:
    grid = a_grid(order="sagittal")
    dataset = save(tmp_path, [scan(tmp_path, 1, grid=grid)])
    nnunet(dataset, tmp_path / "raw", regions=True)
    image = next((tmp_path / "raw" / "imagesTr").iterdir())
    old, new = read_volume(tmp_path / "in" / "v1.nii.gz"), read_volume(image)
    assert np.array_equal(old.hu, new.hu)
    assert old.geometry is not None
    assert new.geometry is not None
    assert np.abs(old.geometry.affine - new.geometry.affine).max() < 1e-4


def test_the_same_export_writes_the_same_bytes(tmp_path: Path) -> None:
    dataset = four_scans(tmp_path)
    nnunet(dataset, tmp_path / "one")
    nnunet(dataset, tmp_path / "two")
    contents = [
        {p.relative_to(root): p.read_bytes() for p in root.rglob("*") if p.is_file()}
        for root in (tmp_path / "one", tmp_path / "two")
    ]
    assert contents[0] == contents[1]


def test_a_place_that_is_taken_is_refused(tmp_path: Path) -> None:
    (tmp_path / "raw").mkdir()
    (tmp_path / "raw" / "mine").touch()
    with pytest.raises(TetractError) as caught:
        nnunet(four_scans(tmp_path), tmp_path / "raw")
    assert caught.value.code == "E_OUT_NOT_EMPTY"


def test_what_cannot_be_read_is_told_and_the_rest_is_written(tmp_path: Path) -> None:
    rows = [scan(tmp_path, 0), scan(tmp_path, 1)]
    rows[1].image.write_bytes(rows[1].image.read_bytes()[:-30])
    report = nnunet(save(tmp_path, rows), tmp_path / "raw")
    assert len(report.tally.cases) == 1
    assert report.surprises[0].startswith("E_")


def pictures(root: Path) -> DatasetFolder:
    rows: list[Row] = []
    for number, split in enumerate((Split.TRAIN, Split.VAL)):
        write_png(root / f"p{number}.png", some_grey(number)[0])
        write_png(root / f"m{number}.png", a_label((0, 1, 2, 255))[0])
        mask = {"lung": EMPTY, "infection": MaskSource(path=root / f"m{number}.png")}
        rows.append(
            Row(
                image=root / f"p{number}.png",
                source="site",
                split=split,
                mask=mask,
                label=frozenset({"covid"}) if number else frozenset({"covid", "normal"}),
                boxes=(BoxEntry(label="infection", xyxy=(2.0, 1.0, 3.5, 2.0)),) if number else (),
            )
        )
    return save(root, rows, a_source(hu_known=False, box_classes=("infection",)))


def test_pictures_are_left_out_among_volumes_and_written_as_png_when_asked(tmp_path: Path) -> None:
    dataset = pictures(tmp_path)
    with pytest.raises(TetractError) as caught:
        nnunet(dataset, tmp_path / "raw")
    assert caught.value.code == "E_EMPTY_EXPORT"
    assert "not of the kind hu" in str(caught.value)
    nnunet(dataset, tmp_path / "raw", content=Content.PICTURES)
    choices = NnunetChoices()
    import_nnunet(tmp_path / "raw", tmp_path / "back", choices, ImportOptions())
    after = open_dataset(tmp_path / "back")
    assert [str(row.split) for row in after.rows] == ["train", "val"]
    for old, new in zip(dataset.rows, after.rows, strict=True):
        assert np.array_equal(read_volume(old.image).values, read_volume(new.image).values)
        assert np.array_equal(
            masks_of(dataset, old)["infection"], masks_of(after, new)["infection"]
        )


def test_grey_volumes_are_written_only_when_asked_and_not_as_ct(tmp_path: Path) -> None:
    row = scan(tmp_path, 1)
    put_volume(row.image, some_grey())
    dataset = save(tmp_path, [row], a_source(hu_known=False))
    with pytest.raises(TetractError):
        nnunet(dataset, tmp_path / "raw")
    nnunet(dataset, tmp_path / "raw", content=Content.GREY)
    content = json.loads((tmp_path / "raw" / "dataset.json").read_text())
    assert content["channel_names"] == {"0": "grey"}
    image = next((tmp_path / "raw" / "imagesTr").iterdir())
    assert nib.load(image).get_data_dtype() == np.uint8


def test_certain_classes_go_round_as_numbers(tmp_path: Path) -> None:
    choices = DatalistExport(labels=Labels.CLASSES, content=Content.PICTURES)
    report = export_decathlon(pictures(tmp_path), tmp_path / "list", choices)
    assert sum(report.tally.left_out.values()) == 1  # covid or normal is not certain
    listed = tmp_path / "list" / "dataset.json"
    assert json.loads(listed.read_text())["validation"][0]["label"] == 1
    import_decathlon(listed, tmp_path / "back", DatalistChoices(), ImportOptions())
    (row,) = open_dataset(tmp_path / "back").rows
    assert (row.label, row.mask) == (frozenset({"covid"}), None)


def test_boxes_go_round_as_half_open_pixels(tmp_path: Path) -> None:
    before = pictures(tmp_path)
    choices = DatalistExport(labels=Labels.BOXES, content=Content.PICTURES)
    export_decathlon(before, tmp_path / "list", choices)
    back = DatalistChoices(box_mode=BoxMode.XYXY)
    import_decathlon(tmp_path / "list" / "dataset.json", tmp_path / "back", back, ImportOptions())
    after = open_dataset(tmp_path / "back")
    assert [row.boxes for row in after.rows] == [row.boxes for row in before.rows]


def test_the_commands_export_and_import_again(tmp_path: Path) -> None:
    four_scans(tmp_path)
    runner, folder = CliRunner(), str(tmp_path / "set")
    done = runner.invoke(app, ["export", "nnunet", folder, "-o", str(tmp_path / "raw")])
    assert (done.exit_code, done.exception) == (0, None)
    assert "4 images exported: test 1, train 2, val 1" in done.stdout
    arguments = ["import", "nnunet", str(tmp_path / "raw"), "-o", str(tmp_path / "b1"), "--json"]
    done = runner.invoke(app, arguments)
    assert (done.exit_code, json.loads(done.stdout)["used"]) == (0, 4)
    done = runner.invoke(app, ["export", "decathlon", folder, "-o", str(tmp_path / "list")])
    assert done.exit_code == 0
    listed = str(tmp_path / "list" / "dataset.json")
    done = runner.invoke(app, ["import", "decathlon", listed, "-o", str(tmp_path / "b2")])
    assert (done.exit_code, done.exception) == (0, None)


def test_a_word_that_is_none_of_the_choices_is_told(tmp_path: Path) -> None:
    arguments = ["export", "nnunet", str(tmp_path), "-o", "x", "--content", "all"]
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 2
    assert "hu, grey, pictures" in done.output
