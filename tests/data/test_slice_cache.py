"""The cache on disk: never another number, never a torn one, never more than its bound."""

from __future__ import annotations

import os
import shutil
from dataclasses import fields, is_dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from tetract.data import read_image, read_row
from tetract.data.augment import apply
from tetract.data.augment_draw import draw
from tetract.data.cache import slices as slice_cache
from tetract.data.cache.entry import decode
from tetract.data.card import DatasetCard, SourceCard
from tetract.data.cells import EMPTY, BoxEntry, MaskSource, Split
from tetract.data.config import AugmentConfig, DataConfig
from tetract.data.dataset import SliceDataset
from tetract.data.load import open_dataset, write_dataset
from tetract.data.table import Row
from tetract.errors import InputError
from tetract.io import write_nifti_labels, write_nifti_volume
from tetract.types import Geometry, LabelSpace
from tetract.types.batch import Identity, Sample

GIB = 2**30
CARD = DatasetCard(
    name="toy",
    classes=("normal", "covid"),
    mask_classes=("lung", "nodule"),
    box_classes=("nodule",),
    sources=(
        SourceCard(
            name="scans",
            citation="",
            licence="",
            hu_known=True,
            mask_classes=("lung", "nodule"),
            box_classes=("nodule",),
            patient_ids="known",
            group_by="patient",
        ),
    ),
)
GEOMETRY = Geometry(affine=np.eye(4)[[2, 1, 0, 3]], shape=(4, 48, 40))
SOMEBODY = Identity(row=0, patient="p", source="s", slice_index=0, spacing_mm=None)


def write_scan(path: Path, seed: int) -> None:
    values = np.random.default_rng(seed).integers(-1000, 300, GEOMETRY.shape).astype(np.int16)
    write_nifti_volume(path, values, GEOMETRY)


def write_table(folder: Path) -> Path:
    """A volume with masks, one with boxes, one whose lesions were looked for in vain."""
    folder.mkdir()
    labels = np.zeros(GEOMETRY.shape, dtype=np.uint8)
    labels[:, 6:40, 6:34] = 1
    labels[2, 20:28, 12:18] = labels[2, 30:33, 12:14] = 2
    write_nifti_labels(folder / "labels.nii.gz", labels, GEOMETRY)
    files = [folder / f"{name}.nii.gz" for name in "abc"]
    for seed, file in enumerate(files):
        write_scan(file, seed)
    plain = Row(image=files[0], source="scans", patient="ZZ-patient", split=Split.TRAIN)
    mask = {
        name: MaskSource(path=folder / "labels.nii.gz", value=value)
        for value, name in enumerate(("lung", "nodule"), start=1)
    }
    box = BoxEntry(label="nodule", xyxy=(3.5, 4.25, 20.1, 30.7))
    rows = (
        replace(plain, slice="all", mask=mask),
        replace(plain, image=files[1], slice=1, boxes=(box,), label=frozenset({"covid"})),
        replace(plain, image=files[2], slice=0, mask={"nodule": EMPTY}),
    )
    write_dataset(folder, CARD, rows)
    return folder


@pytest.fixture
def table(tmp_path: Path) -> Path:
    return write_table(tmp_path / "set")


def opened(table: Path, on_disk: Path | None, **settings: object) -> SliceDataset:
    tree = {"folder": table, "image_px": 64, "cache_dir": on_disk, "cache": False}
    folder = open_dataset(table)
    config = DataConfig.model_validate(tree | settings)
    dataset = SliceDataset(folder, config, folder.card.label_space, "train")
    dataset.warm()
    return dataset


def numbers(value: object) -> object:
    """Everything a sample holds, down to the bytes."""
    if isinstance(value, np.ndarray):
        return value.dtype.name, value.shape, value.tobytes()
    if is_dataclass(value):
        return {field.name: numbers(getattr(value, field.name)) for field in fields(value)}
    return value


def samples(dataset: SliceDataset) -> list[Sample]:
    return [dataset.sample(index) for index in range(len(dataset))]


def counted(dataset: SliceDataset) -> tuple[int, int]:
    assert dataset.disk_cache is not None
    return dataset.disk_cache.hits, dataset.disk_cache.misses


def entries(cache: Path) -> list[Path]:
    return sorted(cache.rglob("*.slice"))


@pytest.mark.parametrize("on_disk", [False, True])
def test_a_slice_that_is_not_square_says_where_its_padding_is(
    table: Path, tmp_path: Path, on_disk: bool
) -> None:
    folder = tmp_path / "cache" if on_disk else None
    for _ in range(2):  # read, then found
        # 48 x 40 px on 64 x 64: 4 columns either side, 5 1/3 px of the model.
        assert opened(table, folder).sample(0).identity.frame_px == (0, 6, 64, 58)


def test_samples_are_the_same_bytes_with_and_without(table: Path, tmp_path: Path) -> None:
    fresh = opened(table, None)
    for _ in ("filling", "filled"):
        cached = opened(table, tmp_path / "cache")
        for one, two in zip(samples(fresh), samples(cached), strict=True):
            assert numbers(one) == numbers(two)
        assert cached.summary() == fresh.summary()
        assert np.array_equal(cached.positive, fresh.positive)
    assert len(entries(tmp_path / "cache")) == len(fresh) == 6


def test_augmented_samples_are_the_same_bytes(table: Path, tmp_path: Path) -> None:
    fresh, cached = opened(table, None), opened(table, tmp_path / "cache")
    for index in range(len(fresh)):
        change = draw(AugmentConfig(geometry=1.0), np.random.default_rng(index), 64)
        one, two = (apply(d.sample(index), change) for d in (fresh, cached))
        assert numbers(one) == numbers(two)


def test_a_second_run_decodes_nothing(
    table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert counted(opened(table, tmp_path / "cache")) == (0, 6)

    def refuse(path: Path) -> None:
        raise AssertionError(path)

    monkeypatch.setattr(read_image, "read_volume", refuse)
    monkeypatch.setattr(read_row, "read_label_map", refuse)
    again = opened(table, tmp_path / "cache")
    assert len(samples(again)) == 6
    assert counted(again) == (12, 0)


def test_a_cache_may_move_with_its_data(table: Path, tmp_path: Path) -> None:
    opened(table, tmp_path / "cache")
    shutil.copytree(table, tmp_path / "elsewhere")
    assert counted(opened(tmp_path / "elsewhere", tmp_path / "cache")) == (6, 0)


@pytest.mark.parametrize(
    "settings",
    [
        {"image_px": 96},
        {"window_hu": (-1000.0, 150.0)},
        {"min_lesion_px": 40},
        {"neighbours": 1},
        {"neighbour_mm": 5.0},
        {"derive_boxes": False},
        {"merge": {"lesion": ["nodule"]}},
    ],
)
def test_another_setting_misses(table: Path, tmp_path: Path, settings: dict[str, object]) -> None:
    folder = open_dataset(table)
    space = LabelSpace(classes=("normal", "covid"), mask_classes=("lung",))
    misses = []
    for changes in ({}, {}, settings):
        tree = {"folder": table, "image_px": 64, "cache_dir": tmp_path / "cache"} | changes
        dataset = SliceDataset(folder, DataConfig.model_validate(tree), space, "train")
        dataset.warm()
        misses.append(counted(dataset)[1])
    assert misses == [6, 0, 6]


def test_another_version_of_the_code_misses(
    table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened(table, tmp_path / "cache")
    monkeypatch.setattr(slice_cache, "code_version", lambda: "later")
    assert counted(opened(table, tmp_path / "cache")) == (0, 6)


def test_a_changed_image_misses_and_shows_the_change(table: Path, tmp_path: Path) -> None:
    before = opened(table, tmp_path / "cache").sample(4)
    size = (table / "b.nii.gz").stat().st_size
    write_scan(table / "b.nii.gz", 99)
    dataset = opened(table, tmp_path / "cache")
    assert counted(dataset) == (5, 1)
    assert not np.array_equal(dataset.sample(4).image, before.image)
    assert abs((table / "b.nii.gz").stat().st_size - size) < 1000


def test_a_changed_mask_misses_for_its_slices(table: Path, tmp_path: Path) -> None:
    opened(table, tmp_path / "cache")
    labels = np.zeros(GEOMETRY.shape, dtype=np.uint8)
    write_nifti_labels(table / "labels.nii.gz", labels, GEOMETRY)
    dataset = opened(table, tmp_path / "cache")
    assert counted(dataset) == (2, 4)
    assert not dataset.positive[:4, 1].any()


def test_a_changed_label_misses(table: Path, tmp_path: Path) -> None:
    opened(table, tmp_path / "cache")
    rows = list(open_dataset(table).rows)
    rows[1] = replace(rows[1], label=frozenset({"normal"}))
    write_dataset(table, CARD, rows)
    assert counted(opened(table, tmp_path / "cache")) == (5, 1)


@pytest.mark.parametrize("fault", ["cut", "flipped", "emptied", "swapped", "foreign"])
def test_a_damaged_entry_is_made_again(table: Path, tmp_path: Path, fault: str) -> None:
    cache = tmp_path / "cache"
    opened(table, cache)
    whole = {path: path.read_bytes() for path in entries(cache)}
    for index, (path, content) in enumerate(whole.items()):
        flipped = bytearray(content)
        flipped[(index * 997) % len(content)] ^= 4
        path.write_bytes(
            {
                "cut": content[: len(content) * index // 6],
                "flipped": bytes(flipped),
                "emptied": b"",
                "swapped": list(whole.values())[index - 1],
                "foreign": b"PK" + bytes(200),
            }[fault]
        )
    dataset = opened(table, cache)
    assert counted(dataset) == (0, 6)
    for one, two in zip(samples(opened(table, None)), samples(dataset), strict=True):
        assert numbers(one) == numbers(two)
    assert {path: path.read_bytes() for path in entries(cache)} == whole


def test_no_cut_of_an_entry_is_ever_believed(table: Path, tmp_path: Path) -> None:
    opened(table, tmp_path / "cache")
    path = entries(tmp_path / "cache")[0]
    content = path.read_bytes()
    assert decode(path.stem, content, SOMEBODY) is not None
    for length in (*range(0, 2000, 7), len(content) - 1):
        assert decode(path.stem, content[:length], SOMEBODY) is None
    assert decode("0" * 64, content, SOMEBODY) is None


def test_entries_name_nobody(table: Path, tmp_path: Path) -> None:
    opened(table, tmp_path / "cache")
    for path in (tmp_path / "cache").rglob("*"):
        held = path.read_bytes() if path.is_file() else b""
        for mark in (b"ZZ-patient", b"scans", b"labels.nii", os.fsencode(tmp_path.name)):
            assert mark not in held + os.fsencode(path.name)


def test_an_unreadable_file_is_told_the_same_way(table: Path, tmp_path: Path) -> None:
    opened(table, tmp_path / "cache")
    (table / "b.nii.gz").write_bytes(b"nothing")
    told = []
    for cache in (None, tmp_path / "cache"):
        with pytest.raises(InputError) as caught:
            opened(table, cache)
        told.append(str(caught.value))
    assert told[0] == told[1]


def test_a_file_that_changes_while_it_is_read_is_not_kept(
    table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = read_image.read_volume

    def read_and_change(path: Path) -> object:
        volume = real(path)
        if path.name == "c.nii.gz":
            write_scan(path, 77)
        return volume

    monkeypatch.setattr(read_image, "read_volume", read_and_change)
    opened(table, tmp_path / "cache")
    assert len(entries(tmp_path / "cache")) == 5


def test_a_full_cache_keeps_the_rest_in_memory(
    table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened(table, tmp_path / "size")
    size = entries(tmp_path / "size")[0].stat().st_size
    cached = opened(table, tmp_path / "cache", cache=True, cache_gb=3.5 * size / GIB)
    assert len(entries(tmp_path / "cache")) == 3
    monkeypatch.setattr(read_image, "read_volume", None)
    assert len(samples(cached)) == 6
