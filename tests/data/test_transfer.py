"""A download is whole and right, or not there; what came so far is not lost."""

from __future__ import annotations

import fcntl
import hashlib
import json
import resource
import socket
from collections.abc import Generator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from loopback import Site, serving

from tetract.data.download.checksums import Expected
from tetract.data.download.download import Web
from tetract.data.download.transfer import Manners, Wanted, fetch
from tetract.errors import Exit, TetractError

CONTENT = np.random.default_rng(7).bytes(300_000)
SHA256 = hashlib.sha256(CONTENT).hexdigest()
PATH = "/set/a.zip"


@pytest.fixture
def site() -> Generator[Site]:
    with serving() as site:
        site.files[PATH] = CONTENT
        yield site


class Client:
    """One wish and what became of it."""

    def __init__(self, site: Site, folder: Path) -> None:
        self.site, self.folder = site, folder
        self.waited: list[float] = []
        self.seen: list[tuple[int, int]] = []
        self.manners = Manners(
            pause=self.waited.append, progress=lambda done, total: self.seen.append((done, total))
        )

    @property
    def target(self) -> Path:
        return self.folder / "a.zip"

    @property
    def part(self) -> Path:
        return self.folder / "a.zip.part"

    def fetch(self, path: str = PATH, **expected: object) -> None:
        wanted = Wanted(
            url=self.site.base + path,
            target=self.target,
            expected=Expected(**expected),
        )
        fetch(Web(loopback=True, timeout_s=5.0), wanted, self.manners)

    def refused(self, code: str, path: str = PATH, **expected: object) -> TetractError:
        with pytest.raises(TetractError) as caught:
            self.fetch(path, **expected)
        assert caught.value.code == code
        assert "a.zip" in str(caught.value)
        assert not self.target.exists()
        return caught.value


@pytest.fixture
def client(site: Site, tmp_path: Path) -> Client:
    return Client(site, tmp_path)


def test_a_file_comes_whole_and_alone(client: Client, tmp_path: Path) -> None:
    client.fetch(sha256=SHA256, size_bytes=len(CONTENT))
    assert client.target.read_bytes() == CONTENT
    assert [p.name for p in tmp_path.iterdir()] == ["a.zip"]
    assert client.seen[-1] == (len(CONTENT), len(CONTENT))


def test_a_broken_connection_goes_on_where_it_stopped(client: Client, site: Site) -> None:
    site.breaks = [1000, 50_000]
    client.fetch()
    assert client.target.read_bytes() == CONTENT
    assert [asked for _, asked in site.asked] == ["", "bytes=1000-", "bytes=51000-"]
    assert client.waited == [1, 1]


def test_a_later_run_goes_on_where_the_first_stopped(client: Client, site: Site) -> None:
    site.breaks = [1000, 0, 0, 0, 0]
    error = client.refused("E_DOWNLOAD")
    assert error.exit_code == Exit.MACHINE
    assert client.part.stat().st_size == 1000
    site.asked.clear()
    client.fetch(sha256=SHA256)
    assert [asked for _, asked in site.asked] == ["bytes=1000-"]
    assert client.target.read_bytes() == CONTENT


@pytest.mark.parametrize("checksum", [None, SHA256])
def test_all_bytes_of_an_earlier_run_need_no_request(
    client: Client, site: Site, checksum: str | None
) -> None:
    client.part.write_bytes(CONTENT)
    memo = {"url": site.base + PATH, "validator": '"x"', "total": len(CONTENT)}
    (client.folder / "a.zip.part.json").write_text(json.dumps(memo))
    client.fetch(sha256=checksum)
    assert site.asked == []
    assert client.target.read_bytes() == CONTENT


def test_a_changed_file_is_not_spliced(client: Client, site: Site) -> None:
    site.breaks = [1000, 0, 0, 0, 0]
    client.refused("E_DOWNLOAD")
    site.files[PATH] = CONTENT[::-1]
    client.fetch()
    assert client.target.read_bytes() == CONTENT[::-1]


def test_a_server_without_ranges_starts_again(client: Client, site: Site) -> None:
    site.ranges, site.breaks = False, [1000]
    client.fetch()
    assert client.target.read_bytes() == CONTENT


@pytest.mark.parametrize(("checksum", "second"), [(None, ""), (SHA256, "bytes=1000-")])
def test_unmarked_files_are_resumed_only_with_a_checksum(
    client: Client, site: Site, checksum: str | None, second: str
) -> None:
    site.etag, site.breaks = False, [1000]
    client.fetch(sha256=checksum)
    assert [asked for _, asked in site.asked] == ["", second]
    assert client.target.read_bytes() == CONTENT


def test_a_part_longer_than_the_file_starts_again(client: Client, site: Site) -> None:
    client.part.write_bytes(b"x" * 10)
    memo = {"url": site.base + PATH, "validator": '"x"', "total": 20}
    (client.folder / "a.zip.part.json").write_text(json.dumps(memo))
    client.fetch(sha256=SHA256)
    assert client.target.read_bytes() == CONTENT


@pytest.mark.parametrize("memo", ["", "[1]", '{"url": 1, "validator": "", "total": null}', "[" * 9])
def test_a_damaged_memo_starts_again(client: Client, memo: str) -> None:
    client.part.write_bytes(b"junk")
    (client.folder / "a.zip.part.json").write_text(memo)
    client.fetch(sha256=SHA256)
    assert client.target.read_bytes() == CONTENT


@pytest.mark.parametrize("kind", ["sha256", "md5", "earlier"])
def test_a_wrong_checksum_is_refused_and_set_aside(client: Client, kind: str) -> None:
    error = client.refused("E_CHECKSUM", **{kind: "0" * 64})
    assert error.exit_code == Exit.BAD_INPUT
    assert (client.folder / "a.zip.rejected").read_bytes() == CONTENT
    assert not client.part.exists()


def test_another_size_is_refused_before_anything_comes(client: Client) -> None:
    client.refused("E_DOWNLOAD_SIZE", size_bytes=5)
    assert client.part.stat().st_size == 0


def test_more_bytes_than_known_are_refused(client: Client, site: Site) -> None:
    site.chunked = True
    client.refused("E_DOWNLOAD_SIZE", size_bytes=5)


def test_a_file_without_length_but_with_an_end_is_taken(client: Client, site: Site) -> None:
    site.chunked = True
    client.fetch()
    assert client.target.read_bytes() == CONTENT


def test_a_file_whose_end_nobody_could_tell_is_refused(client: Client, site: Site) -> None:
    site.mute = True
    assert "how long" in str(client.refused("E_DOWNLOAD"))
    client.fetch(sha256=SHA256)


def test_a_missing_file_is_not_asked_for_again(client: Client, site: Site) -> None:
    assert "404" in str(client.refused("E_DOWNLOAD", "/set/none.zip"))
    assert len(site.asked) == 1


def test_a_busy_server_is_asked_again_when_it_says(client: Client, site: Site) -> None:
    site.fails, site.headers = [503, 429], {"Retry-After": "3"}
    client.fetch()
    assert client.waited == [3, 3]


def test_waiting_grows_and_ends(client: Client, site: Site) -> None:
    site.fails = [500] * 9
    assert "500" in str(client.refused("E_DOWNLOAD"))
    assert client.waited == [1, 2, 4, 8]


@pytest.mark.parametrize(
    "address",
    ["http://localhost:{port}/set/a.zip", "ftp://127.0.0.1/a.zip", "http://u:p@127.0.0.1:{port}/x"],
)
def test_a_redirect_out_of_https_is_not_followed(client: Client, site: Site, address: str) -> None:
    port = site.base.rpartition(":")[2]
    site.redirects["/moved"] = address.format(port=port)
    with pytest.raises(TetractError, match=r"E_INSECURE_URL|E_DOWNLOAD"):
        client.fetch("/moved")
    assert len(site.asked) == 1
    assert not client.target.exists()


def test_a_safe_redirect_is_followed(client: Client, site: Site) -> None:
    site.redirects["/moved"] = site.base + PATH
    site.breaks = [10]
    client.fetch("/moved")
    assert client.target.read_bytes() == CONTENT


@pytest.mark.parametrize(
    "url",
    ["http://127.0.0.1:9/a", "ftp://x/a", "https://me:pw@x/a", "a", "https://[x", "file:///a"],
)
def test_only_https_without_a_login_is_asked(url: str) -> None:
    with pytest.raises(TetractError, match="E_INSECURE_URL"), Web().open(url):
        pass


@pytest.mark.parametrize("headers", [{"Content-Type": "text/html"}, {"Content-Encoding": "gzip"}])
def test_what_is_not_the_file_is_refused(
    client: Client, site: Site, headers: dict[str, str]
) -> None:
    site.headers = headers
    client.refused("E_DOWNLOAD")


def test_no_network_is_one_line_at_once(client: Client) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        client.site.base = f"http://127.0.0.1:{closed.getsockname()[1]}"
        error = client.refused("E_OFFLINE")
    assert error.exit_code == Exit.MACHINE
    assert client.waited == []


def test_a_disk_without_room_is_seen_before_anything_comes(client: Client) -> None:
    client.manners = replace(client.manners, free_bytes=lambda _: 1000)
    client.refused("E_DISK_FULL")
    assert client.part.stat().st_size == 0


def test_a_disk_that_fills_up_keeps_what_came(client: Client, site: Site) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))
    try:
        error = client.refused("E_DISK_FULL")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert error.exit_code == Exit.MACHINE
    client.fetch(sha256=SHA256)
    assert client.target.read_bytes() == CONTENT
    assert site.asked[-1][1].startswith("bytes=")


def test_two_processes_do_not_write_one_file(client: Client) -> None:
    with client.part.open("ab") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        client.refused("E_DOWNLOAD_BUSY")
    client.fetch(sha256=SHA256)


def test_a_folder_that_is_not_there_is_told(client: Client) -> None:
    client.folder = client.folder / "none"
    client.refused("E_CANNOT_WRITE")
