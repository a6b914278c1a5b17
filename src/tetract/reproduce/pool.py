"""Train what is missing, several runs at a time, each in a process of its own."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO

from tetract.errors import MachineError
from tetract.io import atomic_write_text, make_folder
from tetract.reproduce.outcome import FAILURE, load_outcome
from tetract.reproduce.plan import Run

Told = Callable[[Run, str], None]
"""Hears of each run that ended: the run, and why it failed or ""."""


def is_finished(run: Run) -> bool:
    """Whether it was trained and scored, and other runs can start from it where they do."""
    folder = run.recipe.run.folder
    has_weights = not keeps_weights(run) or (folder / "last").is_dir()
    return load_outcome(folder) is not None and has_weights


def keeps_weights(run: Run) -> bool:
    """Whether another run may start from it: the classifiers."""
    return run.letters == "C"


def train_all(runs: Sequence[Run], *, jobs: int, threads: int, logs: Path, on_end: Told) -> None:
    """Train and test ``runs``, each behind the one that it starts from.

    A run that fails is told and leaves ``failure.txt``; the others go on, but for those that start
    from it.

    Args:
        runs: Those that are not finished.
        jobs: Processes.
        threads: CPU threads of each.
        logs: Folder for what the processes print.
        on_end: Hears of each run that ended.

    Raises:
        KeyboardInterrupt: After every process has stopped in order; calling again goes on.
    """
    make_folder(logs)
    queue = _Queue(runs, on_end)
    workers = [Worker(logs / f"worker-{n}.log", threads) for n in range(min(jobs, len(runs)))]
    hands = [threading.Thread(target=_work, args=(queue, one), daemon=True) for one in workers]
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        for hand in hands:
            hand.start()
        for hand in hands:
            while hand.is_alive():
                hand.join(0.5)  # short, so that an interrupt is heard
    except KeyboardInterrupt:
        queue.stop()
        for worker in workers:
            worker.ask_to_stop()
        for hand in hands:
            hand.join()
        raise
    finally:
        signal.signal(signal.SIGTERM, before)
        for worker in workers:
            worker.close()


class _Queue:
    """Runs that wait, run, and are done."""

    def __init__(self, runs: Sequence[Run], on_end: Told) -> None:
        self._waiting = list(runs)
        self._open = {run.name for run in runs}
        self._failed: set[str] = set()
        self._on_end = on_end
        self._changed = threading.Condition()

    def take(self) -> Run | None:
        """The next run that can begin, waiting for one if need be; None where none is left."""
        with self._changed:
            while self._waiting:
                ready = next((run for run in self._waiting if run.start not in self._open), None)
                if ready is not None:
                    self._waiting.remove(ready)
                    return ready
                self._changed.wait()
            return None

    def end(self, run: Run, error: str) -> None:
        """``run`` is done."""
        with self._changed:
            self._open.discard(run.name)
            if error:
                self._failed.add(run.name)
            self._on_end(run, error)
            self._changed.notify_all()

    def stop(self) -> None:
        """Give out no more runs."""
        with self._changed:
            self._waiting.clear()
            self._changed.notify_all()

    def has_failed(self, name: str | None) -> bool:
        """Whether this run was tried and failed."""
        return name in self._failed


class Worker:
    """One process, started when first needed and again after it died."""

    def __init__(self, log: Path, threads: int) -> None:
        self._log = log
        self._threads = threads
        self._child: subprocess.Popen[bytes] | None = None
        self.stopping = False

    def finish(self, run: Run) -> str:
        """Why the run failed, or "" where it is finished."""
        child = self._running()
        request = {
            "recipe": run.recipe.model_dump(mode="json"),
            "keep_weights": keeps_weights(run),
        }
        try:
            pipe(child.stdin).write(json.dumps(request).encode() + b"\n")
            pipe(child.stdin).flush()
            answer = pipe(child.stdout).readline()
        except OSError:
            answer = b""
        if answer:
            return str(json.loads(answer)["error"])
        child.wait()
        self._child = None
        died = MachineError(
            "E_RUN_DIED",
            "the process of this run ended before it",
            where=run.name,
            found=f"exit code {child.returncode}",
            fix="Look into logs/; where memory ran out, lower --jobs. The same command tries again",
        )
        return str(died)

    def ask_to_stop(self) -> None:
        """The step under way is finished and saved, then the process ends."""
        self.stopping = True
        if self._child is not None:
            with contextlib.suppress(ProcessLookupError):
                self._child.send_signal(signal.SIGTERM)

    def close(self) -> None:
        """End the process, which has nothing to do."""
        child, self._child = self._child, None
        if child is None:
            return
        with contextlib.suppress(OSError):
            pipe(child.stdin).close()
        try:
            child.wait(timeout=30)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
        pipe(child.stdout).close()

    def _running(self) -> subprocess.Popen[bytes]:
        if self._child is None:
            count = str(self._threads)
            with self._log.open("a", encoding="utf-8") as log:
                self._child = subprocess.Popen(
                    [sys.executable, "-m", "tetract.reproduce.worker"],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=log,
                    # Ctrl-C is for us: we ask each process to stop, once.
                    start_new_session=True,
                    env={**os.environ, "OMP_NUM_THREADS": count, "MKL_NUM_THREADS": count},
                )
        return self._child


def pipe(stream: IO[bytes] | None) -> IO[bytes]:
    """The pipe, which is there because it was asked for."""
    if stream is None:
        raise BrokenPipeError
    return stream


def _work(queue: _Queue, worker: Worker) -> None:
    while (run := queue.take()) is not None:
        if queue.has_failed(run.start):
            error = "not begun: the run that it starts from failed"
        else:
            error = worker.finish(run)
        if worker.stopping and error:
            return
        folder = run.recipe.run.folder
        if error:
            make_folder(folder)
            atomic_write_text(folder / FAILURE, error + "\n")
        queue.end(run, error)
