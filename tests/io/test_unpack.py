"""Archives come out whole or not at all, and never outside their folder."""

from __future__ import annotations

import gzip
import io
import resource
import stat
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tetract.errors import Exit, TetractError
from tetract.io.archives.unpack import UnpackLimits, unpack_archive

FILES = {"set/a.txt": b"alpha", "set/deep/b.bin": bytes(range(256)) * 40, "c": b""}


def make_zip(path: Path, files: dict[str, bytes], **more: Any) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, **more) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def make_tar(path: Path, files: dict[str, bytes], mode: str = "w") -> Path:
    with tarfile.open(path, mode) as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return path


def add_to_tar(path: Path, entry: tarfile.TarInfo, content: bytes = b"") -> Path:
    with tarfile.open(path, "w") as archive:
        archive.addfile(entry, io.BytesIO(content))
    return path


def content_of(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def refused(path: Path, code: str, limits: UnpackLimits | None = None) -> TetractError:
    before = set(path.parent.rglob("*"))
    with pytest.raises(TetractError) as caught:
        unpack_archive(path, path.parent / "out", limits)
    assert caught.value.code == code, caught.value
    assert set(path.parent.rglob("*")) == before, "something was left behind"
    return caught.value


@pytest.mark.parametrize(
    ("name", "make"),
    [
        ("a.zip", make_zip),
        ("a.tar", make_tar),
        ("a.tgz", lambda p, f: make_tar(p, f, "w:gz")),
        ("a.tar.bz2", lambda p, f: make_tar(p, f, "w:bz2")),
        ("a.tar.xz", lambda p, f: make_tar(p, f, "w:xz")),
        ("a.wrong", make_zip),
    ],
)
def test_everything_comes_out(
    tmp_path: Path, name: str, make: Callable[[Path, dict[str, bytes]], Path]
) -> None:
    found = unpack_archive(make(tmp_path / name, FILES), tmp_path / "out")
    assert content_of(tmp_path / "out") == FILES
    assert (found.files, found.size_bytes) == (3, sum(map(len, FILES.values())))
    assert {p.name for p in tmp_path.iterdir()} == {name, "out"}


def test_folders_with_entries_of_their_own_are_made(tmp_path: Path) -> None:
    path = make_zip(tmp_path / "a.zip", {"empty/": b"", "set/": b"", "set/x": b"1", "./y": b"2"})
    unpack_archive(path, tmp_path / "out")
    assert content_of(tmp_path / "out") == {"set/x": b"1", "y": b"2"}
    assert (tmp_path / "out" / "empty").is_dir()


def test_an_archive_inside_is_named_and_stays_packed(tmp_path: Path) -> None:
    inner = make_zip(tmp_path / "i.zip", FILES).read_bytes()
    path = make_zip(tmp_path / "a.zip", {"Images/CT.zip": inner, "x.txt": b""})
    assert unpack_archive(path, tmp_path / "out").packed == ("Images/CT.zip",)
    assert content_of(tmp_path / "out")["Images/CT.zip"] == inner


@pytest.mark.parametrize(
    "name",
    [
        "../x",
        "a/../../x",
        "/etc/x",
        "..\\x",
        "C:x",
        "a/b\\..\\x",
        "a//b",
        "a\nb",
        "x" * 300,
        "d/" * 50 + "x",
        "a:b",
        "..",
    ],
)
@pytest.mark.parametrize("make", [make_zip, make_tar])
def test_a_name_that_could_escape_refuses_the_archive(
    tmp_path: Path, name: str, make: Callable[[Path, dict[str, bytes]], Path]
) -> None:
    refused(make(tmp_path / "a", {"good": b"1", name: b"pwned"}), "E_ARCHIVE_NAME")


def test_a_name_with_a_zero_byte_is_refused(tmp_path: Path) -> None:
    path = make_zip(tmp_path / "a.zip", {"aXb": b"1"})
    path.write_bytes(path.read_bytes().replace(b"aXb", b"a\0b"))
    refused(path, "E_ARCHIVE_NAME")


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFCHR, stat.S_IFIFO, stat.S_IFSOCK])
def test_a_zip_with_a_link_or_device_is_refused(tmp_path: Path, kind: int) -> None:
    entry = zipfile.ZipInfo("x")
    entry.external_attr = (kind | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr(entry, "/etc/passwd")
    refused(tmp_path / "a.zip", "E_ARCHIVE_NAME")


@pytest.mark.parametrize(
    "kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE]
)
def test_a_tar_with_a_link_or_device_is_refused(tmp_path: Path, kind: bytes) -> None:
    entry = tarfile.TarInfo("x")
    entry.type, entry.linkname = kind, "/etc/passwd"
    refused(add_to_tar(tmp_path / "a.tar", entry), "E_ARCHIVE_NAME")


def test_a_tar_with_a_file_full_of_holes_is_refused(tmp_path: Path) -> None:
    entry = tarfile.TarInfo("x")
    entry.pax_headers = {
        "GNU.sparse.major": "0",
        "GNU.sparse.minor": "1",
        "GNU.sparse.size": "9000000000",
        "GNU.sparse.map": "0,0",
    }
    with tarfile.open(tmp_path / "a.tar", "w", format=tarfile.PAX_FORMAT) as archive:
        archive.addfile(entry)
    refused(tmp_path / "a.tar", "E_ARCHIVE_NAME")


@pytest.mark.parametrize("names", [("A", "a"), ("a", "a/b"), ("\u00e9", "e\u0301")])
@pytest.mark.parametrize("make", [make_zip, make_tar])
def test_two_entries_of_one_name_are_refused(
    tmp_path: Path, names: tuple[str, str], make: Callable[[Path, dict[str, bytes]], Path]
) -> None:
    refused(make(tmp_path / "a", dict.fromkeys(names, b"1")), "E_ARCHIVE_NAME")


LIMITS = UnpackLimits(total_bytes=100_000_000, ratio=200, members=50)


@pytest.mark.parametrize("make", [make_zip, lambda p, f: make_tar(p, f, "w:gz")])
def test_a_bomb_is_refused(tmp_path: Path, make: Callable[[Path, dict[str, bytes]], Path]) -> None:
    refused(make(tmp_path / "a", {"zeros": bytes(70_000_000)}), "E_ARCHIVE_LIMIT", LIMITS)


def test_a_bomb_in_a_tar_header_is_refused(tmp_path: Path) -> None:
    header = tarfile.TarInfo("x")
    header.type, header.size = tarfile.GNUTYPE_LONGNAME, 50_000_000
    with gzip.open(tmp_path / "a.tgz", "wb") as file:
        file.write(header.tobuf(tarfile.GNU_FORMAT) + bytes(50_000_000))
    refused(tmp_path / "a.tgz", "E_ARCHIVE_LIMIT", LIMITS)


@pytest.mark.parametrize("make", [make_zip, make_tar])
def test_too_many_entries_are_refused(
    tmp_path: Path, make: Callable[[Path, dict[str, bytes]], Path]
) -> None:
    files = {f"f{i}": b"" for i in range(51)}
    refused(make(tmp_path / "a", files), "E_ARCHIVE_LIMIT", LIMITS)


def test_a_huge_list_of_entries_is_refused_unread(tmp_path: Path) -> None:
    path = make_zip(tmp_path / "a.zip", {"x" * 190 + str(i): b"" for i in range(2000)})
    refused(path, "E_ARCHIVE_LIMIT", LIMITS)


def test_entries_that_share_bytes_are_refused(tmp_path: Path) -> None:
    path = make_zip(tmp_path / "a.zip", {"aa": b"1" * 999, "bb": b"2" * 999})
    content = bytearray(path.read_bytes())
    second = content.rfind(b"PK\x01\x02")
    content[second + 42 : second + 46] = bytes(4)  # its data begin where the first's do
    path.write_bytes(content)
    refused(path, "E_ARCHIVE_LIMIT")


def test_an_encrypted_zip_is_refused(tmp_path: Path) -> None:
    path = make_zip(tmp_path / "a.zip", {"x": b"1"})
    content = bytearray(path.read_bytes())
    content[content.rfind(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(content)
    assert "encrypted" in str(refused(path, "E_BAD_ARCHIVE"))


@pytest.mark.parametrize("content", [b"", b"PK", b"no archive", bytes(10240), b"\x1f\x8bjunk"])
def test_what_is_no_archive_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.zip").write_bytes(content)
    refused(tmp_path / "a.zip", "E_BAD_ARCHIVE")


@pytest.mark.parametrize("mode", ["zip", "w", "w:gz", "w:xz", "w:bz2"])
@pytest.mark.parametrize("share", [0.3, 0.7])
def test_a_cut_archive_leaves_nothing(tmp_path: Path, mode: str, share: float) -> None:
    files = {"x": bytes(range(256)) * 100, "y": bytes(range(255, -1, -1)) * 100}
    path = tmp_path / "a"
    make_zip(path, files) if mode == "zip" else make_tar(path, files, mode)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(share * len(whole))])
    refused(path, "E_BAD_ARCHIVE")


def test_a_flipped_bit_leaves_nothing(tmp_path: Path) -> None:
    path = make_zip(tmp_path / "a.zip", {"x": bytes(range(256)) * 100})
    content = bytearray(path.read_bytes())
    content[60] ^= 8
    path.write_bytes(content)
    refused(path, "E_BAD_ARCHIVE")


def test_a_folder_that_is_there_is_not_touched(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine").write_text("mine")
    refused(make_zip(tmp_path / "a.zip", FILES), "E_EXISTS")


def test_a_full_disk_leaves_nothing(tmp_path: Path) -> None:
    path = make_zip(tmp_path / "a.zip", {"x": bytes(3_000_000)})
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2_000_000, hard))
    try:
        error = refused(path, "E_DISK_FULL")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert error.exit_code == Exit.MACHINE


def test_a_disk_without_room_is_seen_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Usage:
        free = 1000

    monkeypatch.setattr("shutil.disk_usage", lambda _: Usage())
    refused(make_zip(tmp_path / "a.zip", FILES), "E_DISK_FULL")


def test_a_missing_archive_is_told(tmp_path: Path) -> None:
    refused(tmp_path / "none.zip", "E_NOT_FOUND")


@pytest.mark.real
@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("traversal", "E_ARCHIVE_NAME"),
        ("absolute", "E_ARCHIVE_NAME"),
        ("bomb_1GB", "E_ARCHIVE_LIMIT"),
        ("lying_size", "E_BAD_ARCHIVE"),
        ("not_a_zip", "E_BAD_ARCHIVE"),
    ],
)
def test_the_odd_archives_are_refused(shared: Path, tmp_path: Path, name: str, code: str) -> None:
    with pytest.raises(TetractError) as caught:
        unpack_archive(shared / "data/odd/archives_syn" / f"{name}.zip", tmp_path / "a" / "out")
    assert caught.value.code == code
    assert list((tmp_path / "a").iterdir()) == []


@pytest.mark.real
def test_the_odd_archive_of_many_members_is_refused_beyond_the_limit(
    shared: Path, tmp_path: Path
) -> None:
    with pytest.raises(TetractError, match="E_ARCHIVE_LIMIT"):
        unpack_archive(
            shared / "data/odd/archives_syn/many_members_20000.zip",
            tmp_path / "out",
            UnpackLimits(members=19_999),
        )


@pytest.mark.real
def test_the_odd_nested_archive_is_not_followed(shared: Path, tmp_path: Path) -> None:
    found = unpack_archive(shared / "data/odd/archives_syn/nested.zip", tmp_path / "out")
    assert found.packed
