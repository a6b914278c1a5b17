"""A set comes with a record of what came, and a later copy must be the same."""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Generator
from pathlib import Path

import pytest
from loopback import Site, serving

from tetract.data.catalogue import PublicSet, RemoteFile
from tetract.data.download.download import Web
from tetract.data.download.download_set import LOCK_NAME, Downloaded, DownloadPlan, download_set
from tetract.data.download.remote import Remote
from tetract.data.download.transfer import Manners
from tetract.data.download.unpack import unpack_downloads
from tetract.errors import TetractError

A, B = b"alpha" * 99, b"beta" * 99
SHA256_OF_B = hashlib.sha256(B).hexdigest()


class Near:
    """The web, with the catalogue's addresses on this machine."""

    def __init__(self, site: Site) -> None:
        self.site, self.web = site, Web(loopback=True)

    def open(self, url: str, *, start: int = 0, validator: str = "") -> object:
        near = url.replace("https://example.org", self.site.base)
        return self.web.open(near, start=start, validator=validator)


@pytest.fixture
def site() -> Generator[Site]:
    with serving() as site:
        site.files |= {"/a.zip": A, "/b.csv": B}
        yield site


def public(**changes: object) -> PublicSet:
    settings: dict[str, object] = {
        "name": "toy",
        "title": "Toy",
        "holds": "Nothing.",
        "tasks": ("classification",),
        "licence": "CC BY 4.0",
        "obligations": ("cite",),
        "citation": "none",
        "home": "https://example.org/",
        "access": "open",
        "files": (
            RemoteFile(
                path="in/a.zip",
                url="https://example.org/a.zip",
                sha256=hashlib.sha256(A).hexdigest(),
                checked_by="somebody",
            ),
            RemoteFile(path="b.csv", url="https://example.org/b.csv"),
            RemoteFile(path="c.csv", url="https://example.org/c.csv", optional=True),
        ),
    }
    return PublicSet.model_validate(settings | changes)


class Desk:
    def __init__(self, site: Site, folder: Path) -> None:
        self.remote, self.folder = Near(site), folder / "toy"

    def get(self, *only: str, what: PublicSet | None = None) -> tuple[Downloaded, ...]:
        plan = DownloadPlan(public=what or public(), folder=self.folder, only=only)
        assert isinstance(self.remote, Remote)
        return download_set(plan, self.remote, Manners(pause=lambda _: None))

    def refused(self, code: str, *only: str, what: PublicSet | None = None) -> str:
        with pytest.raises(TetractError) as caught:
            self.get(*only, what=what)
        assert caught.value.code == code
        return str(caught.value)

    @property
    def lock(self) -> dict[str, object]:
        return json.loads((self.folder / LOCK_NAME).read_bytes())


@pytest.fixture
def desk(site: Site, tmp_path: Path) -> Desk:
    return Desk(site, tmp_path)


def test_the_usual_files_come_into_their_folders(desk: Desk) -> None:
    told = [one.as_text() for one in desk.get()]
    assert (desk.folder / "in" / "a.zip").read_bytes() == A
    assert (desk.folder / "b.csv").read_bytes() == B
    assert "published checksum agrees" in told[0]
    assert (
        f"no published checksum: sha256 of your copy is {hashlib.sha256(B).hexdigest()}" in told[1]
    )
    assert not (desk.folder / "c.csv").exists()


def test_the_record_holds_what_came_and_the_licence(desk: Desk) -> None:
    desk.get()
    assert desk.lock == {
        "set": "toy",
        "licence_accepted": "CC BY 4.0",
        "files": {
            "b.csv": {
                "url": "https://example.org/b.csv",
                "size_bytes": len(B),
                "sha256": hashlib.sha256(B).hexdigest(),
                "published": False,
            },
            "in/a.zip": {
                "url": "https://example.org/a.zip",
                "size_bytes": len(A),
                "sha256": hashlib.sha256(A).hexdigest(),
                "published": True,
            },
        },
    }


def test_what_is_there_is_checked_and_not_fetched(desk: Desk, site: Site) -> None:
    desk.get()
    site.asked.clear()
    assert [one.is_new for one in desk.get()] == [False, False]
    assert site.asked == []


def test_a_later_copy_must_be_the_earlier_one(desk: Desk, site: Site) -> None:
    desk.get()
    (desk.folder / "b.csv").unlink()
    site.files["/b.csv"] = B + b"!"
    assert "earlier copy" in desk.refused("E_CHECKSUM")
    site.files["/b.csv"] = B
    desk.get()


def test_a_file_that_changed_on_the_disk_is_told_and_left(desk: Desk) -> None:
    desk.get()
    (desk.folder / "b.csv").write_bytes(b"mine")
    assert "in the folder already" in desk.refused("E_CHECKSUM")
    assert (desk.folder / "b.csv").read_bytes() == b"mine"


def test_one_file_can_be_asked_for(desk: Desk, site: Site) -> None:
    site.files["/c.csv"] = b"c"
    desk.get("c.csv")
    assert [path for path, _ in site.asked] == ["/c.csv"]
    assert "b.csv" in desk.refused("E_SET_FILE_UNKNOWN", "d.csv")


def test_files_that_came_before_a_fault_are_kept(desk: Desk, site: Site) -> None:
    del site.files["/b.csv"]
    desk.refused("E_DOWNLOAD")
    assert list(desk.lock["files"]) == ["in/a.zip"]


@pytest.mark.parametrize("access", ["by hand", "registration"])
def test_what_no_program_may_fetch_is_told(desk: Desk, access: str) -> None:
    closed = public(access=access, by_hand="Fill in the form.", files=())
    told = desk.refused("E_BY_HAND", what=closed)
    assert "Fill in the form" in told
    assert "https://example.org/" in told
    assert not desk.folder.exists()


def test_two_sets_do_not_share_a_folder(desk: Desk) -> None:
    desk.get()
    desk.refused("E_EXISTS", what=public(name="other"))


@pytest.mark.parametrize("text", ["", "{", "[]", '{"set": "toy"}', "[" * 9999])
def test_a_damaged_record_is_told(desk: Desk, text: str) -> None:
    desk.folder.mkdir()
    (desk.folder / LOCK_NAME).write_text(text)
    desk.refused("E_BAD_LOCK")


def test_archives_become_folders_beside_them_once(desk: Desk, site: Site, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "made.zip", "w") as archive:
        archive.writestr("x/y.txt", "y")
    site.files["/a.zip"] = (tmp_path / "made.zip").read_bytes()
    files = (RemoteFile(path="in/a.zip", url="https://example.org/a.zip"),)
    found = desk.get(what=public(files=files))
    paths = [one.path for one in found]
    assert list(unpack_downloads(paths)) == ["a: 1 files, 0.0 MB"]
    assert (desk.folder / "in" / "a" / "x" / "y.txt").read_text() == "y"
    assert list(unpack_downloads(paths)) == ["a: was unpacked already"]
