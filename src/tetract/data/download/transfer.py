"""One file from a server to the disk: resumed, checked, and there only when it is whole."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import re
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Final

from tetract.data.download.checksums import Expected, Sums, checksums
from tetract.data.download.remote import Answer, Remote, TransferError
from tetract.errors import MachineError, TetractError
from tetract.io import atomic_write_text

PART: Final = ".part"
_MEMO: Final = ".part.json"
_REJECTED: Final = ".rejected"
_TRIES: Final = 5  # without a byte of progress
_MOST_TRIES: Final = 100
_LONGEST_WAIT_S: Final = 60.0
_BLOCK: Final = 2**20
_SPARE_BYTES: Final = 64 * 2**20  # a disk filled to the last byte stops everything else too
_RANGE: Final = re.compile(r"bytes (\d{1,18})-\d{1,18}/(\d{1,18})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A file to fetch.

    Attributes:
        url: Where it lies.
        target: Where it goes; the folder exists.
        expected: Size and checksums that it must have.
    """

    url: str
    target: Path
    expected: Expected

    def beside(self, suffix: str) -> Path:
        """A file beside the target."""
        return self.target.with_name(self.target.name + suffix)


@dataclass(frozen=True, slots=True, kw_only=True)
class Manners:
    """How a transfer behaves; tests replace the parts.

    Attributes:
        pause: Waits for seconds.
        free_bytes: Free space of a folder's disk.
        progress: Told (done, total) in bytes; total is 0 where the server does not say it.
    """

    pause: Callable[[float], None] = time.sleep
    free_bytes: Callable[[Path], int] = field(default=lambda folder: shutil.disk_usage(folder).free)
    progress: Callable[[int, int], None] = field(default=lambda _done, _total: None)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Memo:
    """What the bytes in a part file belong to."""

    url: str = ""
    validator: str = ""
    total: int | None = None


def fetch(remote: Remote, wanted: Wanted, manners: Manners) -> Sums:
    """Fetch a file; what it turned out to be.

    The bytes go to ``NAME.part``. An interrupted fetch goes on where it stopped if the server still
    has the same file (entity tag or time of change), and starts again otherwise. The name itself
    appears when size and checksums are right. A file that is wrong stays as ``NAME.rejected``.

    Raises:
        MachineError: ``E_OFFLINE``, ``E_DOWNLOAD``, ``E_DISK_FULL``, ``E_CANNOT_WRITE`` or
            ``E_DOWNLOAD_BUSY``; what came so far is kept.
        ReadError: ``E_CHECKSUM`` or ``E_DOWNLOAD_SIZE``.
    """
    part = wanted.beside(PART)
    try:
        with part.open("ab") as file:
            _hold(file, wanted)
            _fill(remote, wanted, manners, file)
            file.flush()
            os.fsync(file.fileno())
            sums = checksums(part)
            try:
                wanted.expected.check(sums, wanted.target.name)
            except TetractError:
                part.replace(wanted.beside(_REJECTED))
                raise
            part.replace(wanted.target)
        wanted.beside(_MEMO).unlink(missing_ok=True)
    except OSError as fault:
        raise _disk_error(fault, wanted) from None
    return sums


def _hold(file: IO[bytes], wanted: Wanted) -> None:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        mine, there = os.fstat(file.fileno()), wanted.beside(PART).stat()
        if (mine.st_dev, mine.st_ino) != (there.st_dev, there.st_ino):
            raise BlockingIOError  # noqa: TRY301 - as busy: another process has just finished it
    except (BlockingIOError, FileNotFoundError):
        raise MachineError(
            "E_DOWNLOAD_BUSY",
            "another process is downloading this file",
            where=wanted.target.name,
            fix="Wait for it, or choose another folder",
        ) from None


def _fill(remote: Remote, wanted: Wanted, manners: Manners, file: IO[bytes]) -> None:
    """Try until all bytes are there; a try that brought some forward does not count."""
    failed, first = 0, file.tell()
    for tries in range(1, _MOST_TRIES + 1):
        before = file.tell()
        try:
            _try(remote, wanted, manners, file)
        except TransferError as fault:
            failed = 1 if file.tell() > before else failed + 1
            nothing_came = fault.unreachable and file.tell() == first
            if failed >= _TRIES or tries == _MOST_TRIES or nothing_came:
                raise _given_up(fault, wanted) from None
            wait_s = 2.0 ** (failed - 1) if fault.wait_s is None else fault.wait_s
            manners.pause(min(wait_s, _LONGEST_WAIT_S))
        except MachineError as error:
            raise (error if error.where else _named(error, wanted)) from None
        else:
            return


def _try(remote: Remote, wanted: Wanted, manners: Manners, file: IO[bytes]) -> None:
    memo, start = _resumable(wanted, file)
    if start and start == memo.total:
        return
    with remote.open(wanted.url, start=start, validator=memo.validator if start else "") as answer:
        if start and not _continues(answer, start, memo):
            if answer.status != 200:
                _empty(file)
                raise TransferError("the file on the server has changed", wait_s=0.0)
            start = 0
        if start == 0:
            _empty(file)
        total = _total(answer, wanted)
        _check_answer(answer, wanted, total, status=206 if start else 200)
        _check_room(wanted, manners, None if total is None else total - start)
        _remember(wanted, answer, total)
        _copy(answer, wanted, manners, file, total)
    if total is not None and file.tell() != total:
        raise TransferError(f"the connection ended after {file.tell()} of {total} bytes")


def _copy(
    answer: Answer, wanted: Wanted, manners: Manners, file: IO[bytes], total: int | None
) -> None:
    most = total if total is not None else wanted.expected.size_bytes
    manners.progress(file.tell(), total or 0)
    while block := answer.read(_BLOCK):
        if most is not None and file.tell() + len(block) > most:
            _empty(file)
            raise wanted.expected.wrong_size(wanted.target.name, f"more than {most} bytes")
        if most is None:
            _check_room(wanted, manners, len(block))
        file.write(block)
        manners.progress(file.tell(), total or 0)


def _resumable(wanted: Wanted, file: IO[bytes]) -> tuple[_Memo, int]:
    """What is known of the part file, and how many of its bytes may stay."""
    memo = _read_memo(wanted.beside(_MEMO))
    # Without a mark of the server or a published checksum nobody could tell a changed file.
    marked = bool(memo.validator) or wanted.expected.has_checksum
    if memo.url == wanted.url and memo.total is not None and marked and file.tell() <= memo.total:
        return memo, file.tell()
    _empty(file)
    return memo, 0


def _continues(answer: Answer, start: int, memo: _Memo) -> bool:
    found = _RANGE.fullmatch(answer.headers.get("content-range", ""))
    return (
        answer.status == 206
        and found is not None
        and (int(found[1]), int(found[2])) == (start, memo.total)
        and _validator(answer) == memo.validator
    )


def _total(answer: Answer, wanted: Wanted) -> int | None:
    ranged = _RANGE.fullmatch(answer.headers.get("content-range", ""))
    if answer.status == 206 and ranged is not None:
        return int(ranged[2])
    length = answer.headers.get("content-length", "")
    if re.fullmatch(r"\d{1,18}", length):
        return int(length)
    if answer.headers.get("transfer-encoding", "").lower() == "chunked":
        return None  # its end is marked, so a lost connection shows
    if wanted.expected.size_bytes is None and not wanted.expected.has_checksum:
        raise _refused(wanted, "the server does not say how long the file is")
    return wanted.expected.size_bytes


def _check_answer(answer: Answer, wanted: Wanted, total: int | None, *, status: int) -> None:
    coding = answer.headers.get("content-encoding", "identity").lower()
    kind = answer.headers.get("content-type", "").lower()
    if answer.status != status:
        raise _refused(wanted, f"the server answered {answer.status}")
    if coding != "identity":
        raise _refused(wanted, f"the server sent it in {coding} coding")
    if kind.startswith("text/html") and wanted.target.suffix not in (".html", ".htm"):
        raise _refused(wanted, "the server sent a web page in its place")
    size = wanted.expected.size_bytes
    if total is not None and size is not None and total != size:
        raise wanted.expected.wrong_size(wanted.target.name, f"{total} bytes on the server")


def _check_room(wanted: Wanted, manners: Manners, needed: int | None) -> None:
    free = manners.free_bytes(wanted.target.parent)
    if (needed or 0) + _SPARE_BYTES > free:
        raise MachineError(
            "E_DISK_FULL",
            "the disk has no room for the download",
            where=wanted.target.name,
            expected=f"{(needed or 0) / 1e6:.0f} MB and {_SPARE_BYTES / 1e6:.0f} MB to spare",
            found=f"{free / 1e6:.0f} MB free",
            fix="Free some space and run the command again; it goes on where it stopped",
        )


def _validator(answer: Answer) -> str:
    """A strong entity tag or the time of the last change; a weak tag promises too little."""
    tag = answer.headers.get("etag", "")
    return tag if tag and not tag.startswith("W/") else answer.headers.get("last-modified", "")


def _remember(wanted: Wanted, answer: Answer, total: int | None) -> None:
    memo = {"url": wanted.url, "validator": _validator(answer), "total": total}
    atomic_write_text(wanted.beside(_MEMO), json.dumps(memo) + "\n")


def _read_memo(path: Path) -> _Memo:
    try:
        found: Any = json.loads(path.read_bytes())
        url, validator, total = found["url"], found["validator"], found["total"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return _Memo()
    if not (isinstance(url, str) and isinstance(validator, str) and isinstance(total, int)):
        return _Memo()
    return _Memo(url=url, validator=validator, total=total)


def _empty(file: IO[bytes]) -> None:
    file.seek(0)
    file.truncate()


def _refused(wanted: Wanted, what: str) -> MachineError:
    return MachineError(
        "E_DOWNLOAD",
        what,
        where=wanted.target.name,
        fix="Get it from the set's home page with a browser; tetract data sets NAME shows it",
    )


def _named(error: MachineError, wanted: Wanted) -> MachineError:
    return MachineError(
        error.code,
        error.what,
        where=wanted.target.name,
        expected=error.expected,
        found=error.found,
        fix=error.fix,
    )


def _given_up(fault: TransferError, wanted: Wanted) -> MachineError:
    again = "Run the command again; it goes on where it stopped"
    if not fault.unreachable:
        return MachineError("E_DOWNLOAD", fault.reason, where=wanted.target.name, fix=again)
    return MachineError(
        "E_OFFLINE",
        "the server cannot be reached",
        where=wanted.target.name,
        found=fault.reason,
        fix=f"Check the network and the proxy. {again}",
    )


def _disk_error(fault: OSError, wanted: Wanted) -> MachineError:
    if fault.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return MachineError(
            "E_DISK_FULL",
            "the disk is full",
            where=wanted.target.name,
            fix="Free some space and run the command again; it goes on where it stopped",
        )
    return MachineError(
        "E_CANNOT_WRITE",
        "the file cannot be written",
        where=wanted.target.name,
        found=type(fault).__name__,
        fix="Check that the folder exists and that you may write to it",
    )
