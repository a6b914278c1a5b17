"""A public set comes to a folder, with a file beside it that says what came."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final

from pydantic import Field, ValidationError

from tetract.data.catalogue import PublicSet, RemoteFile
from tetract.data.download.checksums import Expected, Sums, checksums
from tetract.data.download.remote import Remote
from tetract.data.download.transfer import Manners, Wanted, fetch
from tetract.data.yaml_model import Strict
from tetract.errors import InputError, ReadError, TetractError
from tetract.io import atomic_write_text, make_folder

LOCK_NAME: Final = "tetract-download.json"
_MOST_BYTES: Final = 10_000_000


class LockedFile(Strict):
    """One file as it was downloaded.

    Attributes:
        url: Where it came from.
        size_bytes: Its size.
        sha256: Its checksum, ours; the next download must give the same.
        published: Whether it was also compared with a published checksum.
    """

    url: str
    size_bytes: Annotated[int, Field(ge=0)]
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    published: bool


class Lock(Strict):
    """What a download folder holds.

    Attributes:
        set: Name in the catalogue.
        licence_accepted: The licence that its user accepted.
        files: Path below the folder to file.
    """

    set: str
    licence_accepted: str
    files: dict[str, LockedFile]


@dataclass(frozen=True, slots=True, kw_only=True)
class Downloaded:
    """One file of a download.

    Attributes:
        path: Where it lies.
        size_bytes: Its size.
        sha256: Its checksum.
        published: It was compared with a published checksum.
        is_new: It was fetched now; otherwise it lay there already and was checked.
    """

    path: Path
    size_bytes: int
    sha256: str
    published: bool
    is_new: bool

    def as_text(self) -> str:
        """One line."""
        done = "downloaded" if self.is_new else "was there already"
        size = f"{self.size_bytes / 1e6:.1f} MB"
        if self.published:
            return f"{self.path.name}: {done}, {size}, published checksum agrees"
        return (
            f"{self.path.name}: {done}, {size}, no published checksum: "
            f"sha256 of your copy is {self.sha256}"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class DownloadPlan:
    """What to download, where to and how.

    Attributes:
        public: The set; its licence has been accepted.
        folder: Where it goes.
        only: Paths of the files that are wanted; empty: all that are not optional.
    """

    public: PublicSet
    folder: Path
    only: tuple[str, ...] = ()

    def files(self) -> tuple[RemoteFile, ...]:
        """The files that are wanted.

        Raises:
            InputError: ``E_BY_HAND`` for a set that is not downloaded by a program;
                ``E_SET_FILE_UNKNOWN``.
        """
        if not self.public.files:
            raise by_hand(self.public)
        known = {file.path: file for file in self.public.files}
        strange = [path for path in self.only if path not in known]
        if strange:
            raise InputError(
                "E_SET_FILE_UNKNOWN",
                "the set has no such file",
                expected="one of " + ", ".join(known),
                found=f"'{strange[0]}'",
            )
        return tuple(
            file
            for file in self.public.files
            if (file.path in self.only if self.only else not file.optional)
        )


def by_hand(public: PublicSet) -> InputError:
    """The error for a set that this program does not download."""
    return InputError(
        "E_BY_HAND",
        "this set is not downloaded by this program",
        where=public.name,
        found=public.access,
        fix=f"See {public.home} - {public.by_hand}",
    )


def download_set(
    plan: DownloadPlan,
    remote: Remote,
    manners: Manners,
    tell: Callable[[Downloaded], None] = lambda _: None,
) -> tuple[Downloaded, ...]:
    """Fetch what is not there, check what is, and write ``tetract-download.json``.

    A file without a published checksum is compared with the copy of an earlier download, if there
    was one.

    Args:
        plan: What and where to.
        remote: Where from.
        manners: Waiting, disk space, progress.
        tell: Called with each file when it is there.

    Raises:
        InputError: ``E_BY_HAND``, ``E_SET_FILE_UNKNOWN``, ``E_BAD_LOCK``, ``E_EXISTS``.
        ReadError: As ``fetch``.
        MachineError: As ``fetch``; files that came before stay.
    """
    files = plan.files()
    make_folder(plan.folder)
    lock = read_lock(plan)
    found: list[Downloaded] = []
    for file in files:
        one = _one(file, plan.folder, lock, remote, manners)
        entry = LockedFile(
            url=file.url, size_bytes=one.size_bytes, sha256=one.sha256, published=one.published
        )
        lock = lock.model_copy(update={"files": {**lock.files, file.path: entry}})
        _write_lock(plan.folder, lock)
        tell(one)
        found.append(one)
    return tuple(found)


def read_lock(plan: DownloadPlan) -> Lock:
    """What the folder holds; an empty lock where nothing was downloaded.

    Raises:
        InputError: ``E_BAD_LOCK``; ``E_EXISTS`` when the folder holds another set.
    """
    path = plan.folder / LOCK_NAME
    fresh = Lock(set=plan.public.name, licence_accepted=plan.public.licence, files={})
    if not path.exists():
        return fresh
    try:
        with path.open("rb") as file:
            lock = Lock.model_validate(json.loads(file.read(_MOST_BYTES)))
    except (OSError, ValueError, RecursionError, ValidationError):
        raise ReadError(
            "E_BAD_LOCK",
            "the record of earlier downloads cannot be read",
            where=LOCK_NAME,
            fix="Remove it; files without a published checksum are then taken as they are",
        ) from None
    if lock.set != plan.public.name:
        raise InputError(
            "E_EXISTS",
            "the folder holds the download of another set",
            where=plan.folder.name,
            expected=plan.public.name,
            found=lock.set,
            fix="Choose another folder",
        )
    return lock.model_copy(update={"licence_accepted": plan.public.licence})


def _one(
    file: RemoteFile, folder: Path, lock: Lock, remote: Remote, manners: Manners
) -> Downloaded:
    target = folder / file.path
    before = lock.files.get(file.path)
    expected = Expected(
        size_bytes=file.size_bytes,
        sha256=file.sha256,
        md5=file.md5,
        # Where somebody published a checksum, it counts: sets get corrected.
        earlier=before.sha256 if before and not (file.sha256 or file.md5) else None,
    )
    is_new = not target.exists()
    if is_new:
        make_folder(target.parent)
        sums = fetch(remote, Wanted(url=file.url, target=target, expected=expected), manners)
    else:
        sums = _checked(target, expected)
    return Downloaded(
        path=target,
        size_bytes=sums.size_bytes,
        sha256=sums.sha256,
        published=expected.is_published,
        is_new=is_new,
    )


def _checked(target: Path, expected: Expected) -> Sums:
    try:
        sums = checksums(target)
    except OSError as fault:
        raise ReadError(
            "E_CANNOT_READ",
            "the file cannot be read",
            where=target.name,
            found=type(fault).__name__,
            fix="Check its permissions",
        ) from None
    try:
        expected.check(sums, target.name)
    except TetractError as error:
        # It is the user's file: say what is wrong with it, and leave it alone.
        raise ReadError(
            error.code,
            f"{error.what} (it was in the folder already)",
            where=error.where,
            expected=error.expected,
            found=error.found,
            fix="Move it away and run the command again",
        ) from None
    return sums


def _write_lock(folder: Path, lock: Lock) -> None:
    text = json.dumps(lock.model_dump(), indent=1, sort_keys=True) + "\n"
    atomic_write_text(folder / LOCK_NAME, text)
