"""Claims about the way from a table's rows to samples."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import nibabel
import numpy as np
import pytest

from tetract.data import read_image
from tetract.data.card import DatasetCard, SourceCard
from tetract.data.cells import EMPTY, BoxEntry, MaskSource, Split
from tetract.data.config import DataConfig
from tetract.data.dataset import SliceDataset
from tetract.data.import_csv import import_csv
from tetract.data.load import open_dataset, write_dataset
from tetract.data.read_row import RowReader
from tetract.data.table import Row
from tetract.errors import InputError, LabelError, RecipeError
from tetract.io import write_nifti_labels, write_nifti_volume, write_png
from tetract.types import Geometry, Task

CARD = DatasetCard(
    name="toy",
    classes=("normal", "covid", "cancer"),
    mask_classes=("lung", "nodule"),
    box_classes=("nodule",),
    sources=tuple(
        SourceCard(
            name=name,
            citation="",
            licence="",
            hu_known=hu_known,
            mask_classes=("lung", "nodule"),
            box_classes=("nodule",),
            normal_class="normal",
            normal_means_lesion_free=True,
            patient_ids="partly",
            group_by="patient",
        )
        for name, hu_known in (("pictures", False), ("scans", True))
    ),
)
AFFINE = np.array([[0, 0, 0.8, 0], [0, 0.8, 0, 0], [5, 0, 0, 0], [0, 0, 0, 1]], dtype=np.float64)


def a_picture(folder: Path, name: str = "a.png", side: int = 64, **known: object) -> Row:
    grey = np.random.default_rng(len(name)).integers(0, 255, (side, side), dtype=np.uint8)
    write_png(folder / name, grey)
    row = Row(image=folder / name, source="pictures", split=Split.TRAIN)
    # The checker cannot see which field each keyword is; beartype checks them.
    return replace(row, **known)  # pyright: ignore[reportArgumentType]


def a_mask(folder: Path, name: str, *blocks: tuple[int, int, int, int]) -> MaskSource:
    pixels = np.zeros((64, 64), dtype=np.uint8)
    for x0, y0, x1, y1 in blocks:
        pixels[y0:y1, x0:x1] = 255
    write_png(folder / name, pixels)
    return MaskSource(path=folder / name)


def a_scan(folder: Path) -> Row:
    """Four slices of 48 x 48 with the nodule (value 2) on slice 2 alone."""
    geometry = Geometry(affine=AFFINE, shape=(4, 48, 48))
    hu = np.full((4, 48, 48), -1000, dtype=np.int16)
    hu[:, 8:40, 8:40] = [[[40]], [[-850]], [[-600]], [[20]]]
    labels = np.zeros((4, 48, 48), dtype=np.uint8)
    labels[:, 10:38, 10:38] = 1
    labels[2, 20:28, 12:18] = 2
    write_nifti_volume(folder / "scan.nii.gz", hu, geometry)
    write_nifti_labels(folder / "labels.nii.gz", labels, geometry)
    mask = {
        "lung": MaskSource(path=folder / "labels.nii.gz", value=1),
        "nodule": MaskSource(path=folder / "labels.nii.gz", value=2),
    }
    return Row(
        image=folder / "scan.nii.gz",
        source="scans",
        slice="all",
        patient="p1",
        split=Split.TRAIN,
        mask=mask,
    )


def dataset(folder: Path, *rows: Row, strict: bool = True, **config: object) -> SliceDataset:
    write_dataset(folder, CARD, rows)
    settings = DataConfig.model_validate({"folder": folder, "image_px": 64} | config)
    opened = open_dataset(folder)
    return SliceDataset(opened, settings, opened.card.label_space, "train", strict=strict)


def test_only_rows_of_the_split_are_in_it(tmp_path: Path) -> None:
    rows = [a_picture(tmp_path, f"{i}.png", split=split) for i, split in enumerate(Split)]
    assert len(dataset(tmp_path, *rows)) == 1


def test_a_row_for_all_slices_becomes_one_sample_per_slice(tmp_path: Path) -> None:
    data = dataset(tmp_path, a_scan(tmp_path))
    samples = [data.sample(i) for i in range(len(data))]
    assert [s.identity.slice_index for s in samples] == [0, 1, 2, 3]
    assert [len(s.targets.boxes.boxes) for s in samples if s.targets.boxes] == [0, 0, 1, 0]
    assert samples[2].identity.spacing_mm == pytest.approx((0.6, 0.6))


def test_masks_and_boxes_lie_on_the_image_that_they_came_with(tmp_path: Path) -> None:
    sample = dataset(tmp_path, a_scan(tmp_path), image_px=96).sample(2)
    assert sample.targets.boxes is not None
    assert sample.targets.boxes.boxes.xyxy.tolist() == [[24, 40, 36, 56]]
    assert sample.image[0, 48, 48] == pytest.approx((-600 + 1350) / 1500, abs=1e-3)
    assert sample.targets.masks is not None
    assert sample.targets.masks.pixels[:, 48, 30].tolist() == [False, True]


def test_a_single_slice_of_a_volume_is_that_slice(tmp_path: Path) -> None:
    whole = a_scan(tmp_path)
    everything = dataset(tmp_path, whole)
    one = dataset(tmp_path, replace(whole, slice=2))
    assert len(one) == 1
    assert np.array_equal(one.sample(0).image, everything.sample(2).image)


def test_the_cache_changes_no_number(tmp_path: Path) -> None:
    rows = (a_scan(tmp_path), a_picture(tmp_path, boxes=(BoxEntry(label="nodule", xyxy=BOX),)))
    cached, fresh = (dataset(tmp_path, *rows, cache=cache) for cache in (True, False))
    cached.warm()
    for index in range(len(cached)):
        one, two = cached.sample(index), fresh.sample(index)
        assert np.array_equal(one.image, two.image)
        assert (one.targets.boxes is None) == (two.targets.boxes is None)
        assert one.identity == two.identity


BOX = (4.0, 5.0, 20.0, 30.0)


def test_a_warm_data_set_reads_no_file_again(tmp_path: Path) -> None:
    data = dataset(tmp_path, a_picture(tmp_path))
    data.warm()
    before = data.sample(0).image
    (tmp_path / "a.png").unlink()
    assert np.array_equal(data.sample(0).image, before)


def test_changing_a_sample_does_not_change_the_data_set(tmp_path: Path) -> None:
    mask = {"nodule": a_mask(tmp_path, "m.png", (4, 4, 20, 20))}
    data = dataset(tmp_path, a_picture(tmp_path, mask=mask))
    data.warm()
    spoilt = data.sample(0)
    assert spoilt.targets.boxes is not None
    spoilt.image[:] = 0
    spoilt.targets.boxes.boxes.xyxy[:] = 0
    again = data.sample(0)
    assert again.image.max() > 0
    assert again.targets.boxes is not None
    assert again.targets.boxes.boxes.xyxy.max() > 0


def test_rounding_to_half_precision_keeps_grey_levels_apart(tmp_path: Path) -> None:
    row = a_picture(tmp_path)
    write_png(row.image, np.arange(64 * 64).reshape(64, 64).astype(np.uint8))
    grey = dataset(tmp_path, row).sample(0).image[0]
    assert np.abs(grey.ravel() - np.arange(64 * 64) % 256 / 255).max() <= 1 / 4096


def test_unknown_empty_and_present_stay_apart(tmp_path: Path) -> None:
    data = dataset(
        tmp_path,
        a_picture(tmp_path, "0.png"),
        a_picture(tmp_path, "1.png", mask={"nodule": EMPTY}),
        a_picture(tmp_path, "2.png", mask={"nodule": a_mask(tmp_path, "m.png", (4, 4, 20, 20))}),
        a_picture(tmp_path, "3.png", boxes=()),
        a_picture(tmp_path, "4.png", label=frozenset({"normal"})),
        a_picture(tmp_path, "5.png", label=frozenset({"normal", "cancer"})),
    )
    _, masks, _, boxes = data.labelled.T.tolist()
    assert masks == [False, True, True, False, True, False]
    assert boxes == [False, True, True, True, True, False]
    assert data.positive[:, 1].tolist() == [False, False, True, False, False, False]
    assert data.positive[:, 3].tolist() == [False, False, True, False, False, False]
    assert data.labelled[:, 0].tolist() == [False, False, False, False, True, True]
    assert data.positive[:, 0].tolist() == [False, False, False, False, True, False]
    assert data.labelled[:, 2].all()


def test_lung_pixels_do_not_make_a_slice_positive(tmp_path: Path) -> None:
    lung = {"lung": a_mask(tmp_path, "m.png", (4, 4, 60, 60)), "nodule": EMPTY}
    data = dataset(tmp_path, a_picture(tmp_path, mask=lung))
    assert data.labelled[0, 1]
    assert not data.positive[0, 1]


def test_the_summary_counts_per_task_and_source(tmp_path: Path) -> None:
    rows = (a_scan(tmp_path), a_picture(tmp_path, label=frozenset({"normal"})))
    counts = {(c.task, c.source): c for c in dataset(tmp_path, *rows).summary()}
    scans = counts[Task.DETECTION, "scans"]
    assert (scans.slices, scans.labelled, scans.positive, scans.derived) == (4, 4, 1, 4)
    assert counts[Task.SEGMENTATION, "pictures"].implied == 1
    assert counts[Task.CLASSIFICATION, "scans"].labelled == 0


def test_progress_is_told_slice_by_slice(tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    dataset(tmp_path, a_scan(tmp_path)).warm(lambda done, total: told.append((done, total)))
    assert told == [(1, 4), (2, 4), (3, 4), (4, 4)]


def broken(folder: Path) -> tuple[Row, Row]:
    good, bad = a_picture(folder, "good.png"), a_picture(folder, "bad.png")
    bad.image.write_bytes(bad.image.read_bytes()[:200])
    return good, bad


def test_an_unreadable_image_names_its_row(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"table\.csv row 3.*bad\.png"):
        dataset(tmp_path, *broken(tmp_path)).warm()


def test_unreadable_images_can_be_left_out_and_are_told(tmp_path: Path) -> None:
    data = dataset(tmp_path, *broken(tmp_path)[::-1], strict=False)
    data.warm()
    assert len(data) == len(data.labelled) == len(data.sources) == 1
    assert data.sample(0).identity.row == 1
    assert "bad.png" in data.skipped[0]


def test_a_volume_row_that_cannot_be_opened_is_left_out_beside_the_others(tmp_path: Path) -> None:
    scan = a_scan(tmp_path)
    scan.image.write_bytes(scan.image.read_bytes()[:100])
    good, bad = broken(tmp_path)
    data = dataset(tmp_path, good, bad, scan, good_scan(tmp_path), strict=False)
    assert len(data) == 6
    data.warm()
    assert len(data) == 5
    assert [told.split(" row ")[1][0] for told in data.skipped] == ["3", "4"]
    with pytest.raises(InputError, match=r"table\.csv row 2.*scan\.nii\.gz"):
        dataset(tmp_path, scan)


def good_scan(folder: Path) -> Row:
    (folder / "good").mkdir()
    return replace(a_scan(folder / "good"), patient="p2")


def test_a_broken_volume_is_opened_once_for_all_of_its_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scan = a_scan(tmp_path)
    scan.image.write_bytes(scan.image.read_bytes()[:100])
    opened: list[str] = []
    real = read_image.read_volume
    monkeypatch.setattr(
        read_image, "read_volume", lambda path: (opened.append(path.name), real(path))[1]
    )
    data = dataset(tmp_path, *(replace(scan, slice=index) for index in range(4)), strict=False)
    data.warm()
    assert opened == ["scan.nii.gz"]
    assert [told.split(",")[0][-5:] for told in data.skipped] == [f"row {n}" for n in range(2, 6)]


def test_what_one_source_refuses_another_may_read(tmp_path: Path) -> None:
    picture = a_picture(tmp_path)
    scans, reader = CARD.source("scans"), RowReader()
    for _ in range(2):
        with pytest.raises(LabelError, match="E_HU_CARD"):
            reader.volume(picture, scans)
    assert reader.volume(picture, CARD.source("pictures")).depth == 1


def test_every_slice_read_from_its_files_can_be_watched(tmp_path: Path) -> None:
    write_dataset(tmp_path, CARD, [*broken(tmp_path), a_scan(tmp_path)])
    opened, seen = open_dataset(tmp_path), list[tuple[int, int, bool]]()
    SliceDataset(
        opened,
        DataConfig(folder=tmp_path, image_px=64),
        opened.card.label_space,
        "train",
        strict=False,
        watch=lambda row, volume, resolved: seen.append(
            (row.number, volume.depth, resolved.targets.boxes is not None)
        ),
    ).warm()
    assert seen == [(2, 1, False), *[(4, 4, True)] * 4]


def test_a_mask_of_another_size_is_refused(tmp_path: Path) -> None:
    mask = {"lung": a_mask(tmp_path, "m.png")}
    with pytest.raises(LabelError, match=r"E_SHAPE_MISMATCH.*row 2"):
        dataset(tmp_path, a_picture(tmp_path, side=70, mask=mask)).warm()


def test_a_box_outside_the_image_is_refused_with_its_row(tmp_path: Path) -> None:
    boxes = (BoxEntry(label="nodule", xyxy=(60.0, 5.0, 70.0, 9.0)),)
    with pytest.raises(LabelError, match=r"E_BOX_OUTSIDE.*row 2"):
        dataset(tmp_path, a_picture(tmp_path, boxes=boxes)).warm()


def test_boxes_need_a_slice(tmp_path: Path) -> None:
    boxes = (BoxEntry(label="nodule", xyxy=BOX),)
    with pytest.raises(LabelError, match=r"E_BOXES_ON_VOLUME.*row 2"):
        dataset(tmp_path, replace(a_scan(tmp_path), boxes=boxes))


@pytest.mark.parametrize("index", [4, None])
def test_a_slice_that_its_volume_does_not_have_is_refused(
    tmp_path: Path, index: int | None
) -> None:
    with pytest.raises(LabelError, match=r"E_BAD_SLICE.*row 2"):
        dataset(tmp_path, replace(a_scan(tmp_path), slice=index)).warm()


def test_a_picture_under_a_card_that_promises_hu_is_refused(tmp_path: Path) -> None:
    with pytest.raises(LabelError, match=r"E_HU_CARD.*row 2"):
        dataset(tmp_path, a_picture(tmp_path, source="scans")).warm()


def test_a_merge_that_swallows_a_class_asked_for_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="E_MERGE_OVERLAP"):
        dataset(tmp_path, a_picture(tmp_path), merge={"lesion": ["nodule"]})


def test_a_volume_is_decoded_once_while_its_slices_come_in_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []
    real = read_image.read_volume
    monkeypatch.setattr(
        read_image, "read_volume", lambda path: (opened.append(path.name), real(path))[1]
    )
    dataset(tmp_path, a_scan(tmp_path)).warm()
    assert opened == ["scan.nii.gz"]


@pytest.mark.real
def test_the_real_ct_becomes_samples_of_all_four_tasks(shared: Path, tmp_path: Path) -> None:
    recipe = Path(__file__).parents[2] / "recipes" / "datasets" / "shared-ct.yaml"
    import_csv(shared / "data" / "ct" / "MANIFEST.csv", recipe, tmp_path / "ct")
    opened = open_dataset(tmp_path / "ct")
    config = DataConfig(folder=opened.root, image_px=64)
    for split in ("train", "val", "test"):
        data = SliceDataset(opened, config, opened.card.label_space, split, strict=False)
        asked = len(data)
        data.warm()
        # A figure in colour may be refused by the reader; labels that do not fit may not be.
        assert len(data) >= 0.99 * asked
        assert all(told.startswith("E_COLOUR") for told in data.skipped)
        assert data.labelled.any(axis=0).all()
        assert data.positive.any(axis=0).all()


def test_a_volume_of_grey_levels_is_read_where_the_card_says_grey(tmp_path: Path) -> None:
    grey = np.random.default_rng(0).integers(0, 256, (12, 10, 5)).astype(np.uint8)
    affine = np.diag([-1.0, -1.0, 2.0, 1.0])
    nibabel.Nifti1Image(grey, affine).to_filename(tmp_path / "grey.nii.gz")
    plain = {"name": "s", "citation": "", "licence": "", "patient_ids": "known", "group_by": "p"}
    row = Row(image=tmp_path / "grey.nii.gz", source="s", slice=0, patient="p")
    told = SourceCard.model_validate(plain | {"hu_known": False})
    assert not RowReader().volume(row, told).hu_known
    with pytest.raises(InputError, match="E_NOT_HU"):
        RowReader().volume(row, SourceCard.model_validate(plain | {"hu_known": True}))
