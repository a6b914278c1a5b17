"""Decoding compressed pixels in child processes, with a limit of time and of memory."""

from __future__ import annotations

import atexit
import json
import os
import subprocess
import sys
import threading
from dataclasses import dataclass
from functools import cache
from queue import Empty, LifoQueue
from typing import IO, Any

import numpy as np
from jaxtyping import Shaped

from tetract.errors import ReadError

DECODE_SECONDS = 10.0
_START_SECONDS = 120.0
_MAX_ANSWER_BYTES = 2**30


@dataclass(frozen=True, slots=True, kw_only=True)
class DecoderState:
    """What became of a child process that was started for a try.

    Attributes:
        starts: Whether it starts and answers.
        memory_bytes: How much memory it may hold; 0 where the system sets no limit.
    """

    starts: bool
    memory_bytes: int = 0


class DecodeWorker:
    """One child that is started when first needed and restarted after it died.

    It runs ``tetract.io.dicom.decode_worker``. A lock lets several threads share it.
    """

    def __init__(self) -> None:
        self._child: subprocess.Popen[bytes] | None = None
        self._memory_bytes = 0
        self._lock = threading.Lock()

    def decode(
        self, payload: bytes, request: dict[str, Any], where: str
    ) -> Shaped[np.ndarray, "..."]:
        """Stored values of one encapsulated frame, or the bytes of an unpacked TIFF file.

        Raises:
            ReadError: ``E_PIXEL_DECODE`` when the codec refuses, dies, takes over 10 s or wants
                more memory than it may have.
        """
        with self._lock:
            about, content = self._ask_twice(payload, request, where)
        if not about["ok"]:
            raise _decode_error(where, str(about["why"]))
        values = np.frombuffer(content, dtype=np.dtype(about["dtype"]))
        return values.reshape(about["shape"])

    def start(self) -> int:
        """Start the child unless it runs; the bytes of memory it may hold, 0 for no limit.

        Raises:
            OSError: No process can be started.
            EOFError: It did not answer; or ValueError, when it died.
        """
        self._running()
        return self._memory_bytes

    def close(self) -> None:
        """End the child."""
        child, self._child = self._child, None
        if child is None:
            return
        child.kill()
        for pipe in (child.stdin, child.stdout):
            if pipe is not None:
                try:
                    pipe.close()
                except OSError:  # unsent bytes for a child that is gone
                    continue
        child.wait()

    def _ask_twice(
        self, payload: bytes, request: dict[str, Any], where: str
    ) -> tuple[dict[str, Any], bytes]:
        """Ask again where the child died before its time was up: another may have killed it."""
        late = threading.Event()
        for _ in range(2):
            try:
                return self._ask(payload, request, late)
            except (OSError, ValueError, EOFError):
                self.close()
            if late.is_set():
                raise _decode_error(where, f"no answer within {DECODE_SECONDS:g} s")
        raise _decode_error(where, "a decoder that died twice")

    def _ask(
        self, payload: bytes, request: dict[str, Any], late: threading.Event
    ) -> tuple[dict[str, Any], bytes]:
        child = self._running()

        def end() -> None:
            late.set()
            child.kill()

        timer = threading.Timer(DECODE_SECONDS, end)
        timer.start()
        try:
            stdin, stdout = _pipes(child)
            stdin.write(json.dumps({**request, "bytes": len(payload)}).encode() + b"\n")
            stdin.write(payload)
            stdin.flush()
            return _answer(stdout)
        finally:
            timer.cancel()

    def _running(self) -> subprocess.Popen[bytes]:
        if self._child is not None and self._child.poll() is None:
            return self._child
        self.close()
        self._child = subprocess.Popen(
            [sys.executable, "-m", "tetract.io.dicom.decode_worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        timer = threading.Timer(_START_SECONDS, self._child.kill)
        timer.start()
        try:
            about, _ = _answer(_pipes(self._child)[1])
        finally:
            timer.cancel()
        self._memory_bytes = int(about["memory_bytes"])
        return self._child


class DecodePool:
    """Workers that are started when needed and used again; as many as are busy at one time.

    The one used last comes first, so that slices read one by one share a single child.
    """

    def __init__(self) -> None:
        self._idle: LifoQueue[DecodeWorker] = LifoQueue()

    def decode(
        self, payload: bytes, request: dict[str, Any], where: str
    ) -> Shaped[np.ndarray, "..."]:
        """As ``DecodeWorker.decode``, on a worker that nobody else uses meanwhile."""
        try:
            worker = self._idle.get_nowait()
        except Empty:
            worker = DecodeWorker()
        try:
            return worker.decode(payload, request, where)
        finally:
            self._idle.put(worker)

    def close(self) -> None:
        """End all children."""
        while True:
            try:
                self._idle.get_nowait().close()
            except Empty:
                return


def try_decoder() -> DecoderState:
    """Start a child process for decoding on this machine, and end it."""
    worker = DecodeWorker()
    try:
        return DecoderState(starts=True, memory_bytes=worker.start())
    except (OSError, ValueError, EOFError):
        return DecoderState(starts=False)
    finally:
        worker.close()


def decode_in_child(
    payload: bytes, request: dict[str, Any], where: str
) -> Shaped[np.ndarray, "..."]:
    """As ``DecodeWorker.decode``, with this process's own workers."""
    return _pool_of(os.getpid()).decode(payload, request, where)


@cache
def _pool_of(pid: int) -> DecodePool:  # noqa: ARG001 - the key of the cache
    # Starting Python costs half a second: children serve slice after slice. They are kept per
    # process, because a forked data loader must not talk into its parent's pipes.
    pool = DecodePool()
    atexit.register(pool.close)
    return pool


def _pipes(child: subprocess.Popen[bytes]) -> tuple[IO[bytes], IO[bytes]]:
    if child.stdin is None or child.stdout is None:
        raise EOFError
    return child.stdin, child.stdout


def _answer(stdout: IO[bytes]) -> tuple[dict[str, Any], bytes]:
    line = stdout.readline(4096)
    about: dict[str, Any] = json.loads(line)  # an empty line, from a dead child, is a ValueError
    size = int(about["bytes"])
    content = stdout.read(size) if 0 < size <= _MAX_ANSWER_BYTES else b""
    if len(content) != size:
        raise EOFError
    return about, content


def _decode_error(where: str, found: str) -> ReadError:
    return ReadError(
        "E_PIXEL_DECODE",
        "the compressed pixels cannot be decoded",
        where=where,
        expected="a whole codestream",
        found=found,
        fix="Export the image again, without compression if possible",
    )
