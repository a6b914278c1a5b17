"""The cache on disk: never another number, never a torn one, never more than its bound."""

from __future__ import annotations

import os
import shutil
import signal
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tetract.data import content_hash, read_row, slice_cache
from tetract.data.augment import apply, draw
from tetract.data.cache_entry import decode
from tetract.data.cache_folder import CacheFolder
from tetract.data.card import DatasetCard, SourceCard
from tetract.data.cells import EMPTY, BoxEntry, MaskSource, Split
from tetract.data.config import AugmentConfig, DataConfig
from tetract.data.content_hash import ContentHashes
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
    if hasattr(value, "__dataclass_fields__"):
        return {name: numbers(getattr(value, name)) for name in value.__dataclass_fields__}
    return value


def samples(dataset: SliceDataset) -> list[Sample]:
    return [dataset.sample(index) for index in range(len(dataset))]


def counted(dataset: SliceDataset) -> tuple[int, int]:
    assert dataset.disk_cache is not None
    return dataset.disk_cache.hits, dataset.disk_cache.misses


def entries(cache: Path) -> list[Path]:
    return sorted(cache.rglob("*.slice"))


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

    monkeypatch.setattr(read_row, "read_volume", refuse)
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
    real = read_row.read_volume

    def read_and_change(path: Path) -> object:
        volume = real(path)
        if path.name == "c.nii.gz":
            write_scan(path, 77)
        return volume

    monkeypatch.setattr(read_row, "read_volume", read_and_change)
    opened(table, tmp_path / "cache")
    assert len(entries(tmp_path / "cache")) == 5


def test_a_full_cache_keeps_the_rest_in_memory(
    table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened(table, tmp_path / "size")
    size = entries(tmp_path / "size")[0].stat().st_size
    cached = opened(table, tmp_path / "cache", cache=True, cache_gb=3.5 * size / GIB)
    assert len(entries(tmp_path / "cache")) == 3
    monkeypatch.setattr(read_row, "read_volume", None)
    assert len(samples(cached)) == 6


def test_unchanged_files_are_not_hashed_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "image"
    file.write_bytes(b"one")
    os.utime(file, (1, 1))
    folder = CacheFolder(tmp_path / "cache", GIB)
    first = ContentHashes(folder).of(file)
    monkeypatch.setattr(content_hash.hashlib, "file_digest", None)
    assert ContentHashes(folder).of(file) == first
    os.utime(file, (2, 2))
    with pytest.raises(TypeError):
        ContentHashes(folder).of(file)


def test_a_file_of_this_very_moment_is_not_remembered(tmp_path: Path) -> None:
    # Written twice within one tick of the clock, both would look the same.
    (tmp_path / "image").write_bytes(b"one")
    folder = CacheFolder(tmp_path / "cache", GIB)
    one = ContentHashes(folder).of(tmp_path / "image")
    assert folder.size_bytes() == 0
    (tmp_path / "image").write_bytes(b"two")
    assert ContentHashes(folder).of(tmp_path / "image").sha256 != one.sha256


def test_a_folder_is_known_by_its_files_in_reading_order(tmp_path: Path) -> None:
    hashes = []
    for name, files in {
        "a": {"1": b"x", "2": b"y"},
        "b": {"s1": b"x", "s10": b"y", ".hidden": b"z"},
        "c": {"1": b"y", "2": b"x"},
        "d": {"1": b"xy"},
    }.items():
        (tmp_path / name).mkdir()
        for file, content in files.items():
            (tmp_path / name / file).write_bytes(content)
        hashes.append(ContentHashes(CacheFolder(tmp_path / "m", GIB)).of(tmp_path / name).sha256)
    assert hashes[0] == hashes[1]
    assert len(set(hashes)) == 3


def test_the_bound_holds_and_the_oldest_go_first(tmp_path: Path) -> None:
    for name in ("a1", "b1", "c1", "d1"):
        assert CacheFolder(tmp_path, 1000).keep(name, bytes(250))
    for age, name in enumerate(("c1", "a1", "d1", "b1")):
        os.utime(tmp_path / name[:2] / name, (age + 1, age + 1))
    reader = CacheFolder(tmp_path, 1000)
    assert reader.find("c1") is not None  # now the latest
    assert reader.keep("e1", bytes(250))
    assert reader.size_bytes() <= 1000
    assert {p.name for p in tmp_path.rglob("*") if p.is_file()} == {"c1", "b1", "e1"}


def test_what_is_in_use_here_is_not_removed(tmp_path: Path) -> None:
    folder = CacheFolder(tmp_path, 1000)
    assert folder.keep("a1", b"a" * 400)
    mapped = folder.find("a1")
    assert folder.keep("b1", bytes(400))
    assert not folder.keep("c1", bytes(400))
    assert folder.find("a1") is not None
    other = CacheFolder(tmp_path, 1000)
    assert other.keep("c1", bytes(900))
    assert folder.find("a1") is None
    assert mapped is not None
    assert bytes(mapped) == b"a" * 400  # removed by another process, and still readable


def test_a_disk_that_refuses_costs_no_run(tmp_path: Path) -> None:
    folder = CacheFolder(tmp_path / "cache", GIB)
    shutil.rmtree(tmp_path / "cache")
    (tmp_path / "cache").write_text("now a file")
    assert not folder.keep("a1", b"x")
    assert folder.find("a1") is None


def test_what_killed_writers_left_goes_after_an_hour(tmp_path: Path) -> None:
    folder = CacheFolder(tmp_path, 1000)
    folder.keep("a1", b"x")
    for name in ("old", "new"):
        (tmp_path / "a1" / f"{name}.tmp").write_bytes(bytes(10))
    os.utime(tmp_path / "a1" / "old.tmp", (1, 1))
    folder.size_bytes()
    assert sorted(p.name for p in (tmp_path / "a1").iterdir()) == ["a1", "new.tmp"]


def write_for_ever(folder: Path, names: list[str]) -> None:
    """Write and clear until killed."""
    while True:
        cache = CacheFolder(folder, 30 * 100_000)
        for name in names:
            cache.keep(name, name.encode() * (100_000 // 3))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_processes_that_fill_at_once_and_die_leave_whole_files(tmp_path: Path) -> None:
    names = [f"{n:02d}x" for n in range(40)]
    children = []
    for child in range(4):
        pid = os.fork()
        if pid == 0:
            write_for_ever(tmp_path, names[child:] + names[:child])
        children.append(pid)
    seen = 0
    reader = CacheFolder(tmp_path, 30 * 100_000)
    until = time.monotonic() + 1.5
    try:
        while time.monotonic() < until:
            for name in names:
                found = reader.find(name)
                assert found is None or bytes(found) == name.encode() * (100_000 // 3)
                seen += found is not None
    finally:
        for pid in children:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
    assert seen > 100
    for path in tmp_path.rglob("*x"):
        assert path.read_bytes() == path.name.encode() * (100_000 // 3)
