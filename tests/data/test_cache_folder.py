"""The folder behind the cache: bounded, shared by processes, never torn; contents known by hash."""

from __future__ import annotations

import os
import shutil
import signal
import time
from pathlib import Path

import pytest

from tetract.data.cache import content_hash
from tetract.data.cache.content_hash import ContentHashes
from tetract.data.cache.folder import CacheFolder

GIB = 2**30


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
