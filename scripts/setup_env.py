"""Build ``.venv`` once; a second call sees the stamp and returns at once.

The stamp holds a hash of everything the environment was made from. It is removed before any change
and written last, so an interrupted set-up never looks finished; a lock makes a concurrent one wait.
Only the standard library: this runs before anything is installed.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

EXTRAS = "train,codecs,dev"
STAMP = ".tetract-ready"
MACHINE_PROBLEM = 3
INTERRUPTED = 130


def main() -> int:
    """Set up what is missing; 0 when ``.venv`` is ready, 3 when this machine cannot."""
    root = Path(__file__).resolve().parent.parent
    venv = root / ".venv"
    if is_ready(root, venv):
        return 0
    try:
        with locked(root / ".venv.lock") as journal:
            # Another process may have finished the work while this one waited.
            if not is_ready(root, venv):
                build(root, venv, journal)
    except subprocess.CalledProcessError as error:
        return fail(f"set-up stopped at `{' '.join(map(str, error.cmd))}`", hint_for(error))
    except OSError as error:
        return fail(f"set-up stopped: {error.strerror}", "Free some disk space, or check rights")
    except KeyboardInterrupt:
        sys.stderr.write("Interrupted. The next call starts .venv afresh.\n")
        return INTERRUPTED
    return 0


def is_ready(root: Path, venv: Path) -> bool:
    """Whether ``venv`` was finished from the very files that ``root`` holds now."""
    stamp = venv / STAMP
    # exists() follows the link: a Python that was uninstalled since does not count.
    if not (stamp.is_file() and (venv / "bin" / "python").exists()):
        return False
    return stamp.read_text(encoding="ascii").strip() == fingerprint(root, version_of(venv))


def fingerprint(root: Path, version: str) -> str:
    """Hash of the requirements, the Python version and the place (scripts hold absolute paths)."""
    digest = hashlib.sha256()
    for part in (
        (root / "pyproject.toml").read_bytes(),
        (root / "constraints.txt").read_bytes(),
        version.encode(),
        str(root).encode(),
        EXTRAS.encode(),
    ):
        digest.update(hashlib.sha256(part).digest())
    return digest.hexdigest()


def version_of(venv: Path) -> str:
    """``3.11`` for an environment of Python 3.11, "" where there is none."""
    try:
        lines = (venv / "pyvenv.cfg").read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return ""
    for line in lines:
        key, _, value = line.partition("=")
        if key.strip() in {"version", "version_info"}:
            return ".".join(value.strip().split(".")[:2])
    return ""


def build(root: Path, venv: Path, journal: TextIO) -> None:
    """Create or mend ``venv``, install, and only then write the stamp."""
    own = f"{sys.version_info.major}.{sys.version_info.minor}"
    say(f"Setting up .venv with Python {own} (once; some minutes, mostly downloads) ...")
    # A half-made environment cannot be trusted: pip may have left a package without its record.
    afresh = is_marked(journal) or version_of(venv) != own
    mark(journal, "unfinished\n")
    (venv / STAMP).unlink(missing_ok=True)
    # Taken before pip reads the files: an edit made meanwhile must cost another set-up.
    made_of = fingerprint(root, own)
    run(sys.executable, "-m", "venv", *(["--clear"] if afresh else []), str(venv))
    pip = [str(venv / "bin" / "python"), "-m", "pip", "--disable-pip-version-check"]
    manner = [] if sys.stderr.isatty() else ["--quiet"]
    constraints = str(root / "constraints.txt")
    run(*pip, "install", *manner, "-c", constraints, "-e", f"{root}[{EXTRAS}]")
    draft = venv / (STAMP + ".tmp")
    draft.write_text(made_of + "\n", encoding="ascii")
    draft.replace(venv / STAMP)
    mark(journal, "")
    say("Set-up finished.")


@contextmanager
def locked(path: Path) -> Iterator[TextIO]:
    """Hold an exclusive lock; the system drops it when the process ends, however it ends.

    Yields:
        The lock's file, which is not empty while a set-up is unfinished.
    """
    with path.open("a+", encoding="ascii") as journal:
        try:
            fcntl.flock(journal, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("Another set-up is running here; waiting for it ...")
            fcntl.flock(journal, fcntl.LOCK_EX)
        yield journal


def is_marked(journal: TextIO) -> bool:
    """Whether an earlier set-up began and never finished."""
    journal.seek(0)
    return bool(journal.read())


def mark(journal: TextIO, text: str) -> None:
    """Replace what the journal says, on disk before anything else happens."""
    journal.truncate(0)
    journal.write(text)
    journal.flush()
    os.fsync(journal.fileno())


def run(*command: str) -> None:
    """Run ``command`` or raise CalledProcessError."""
    subprocess.run(command, check=True)


def hint_for(error: subprocess.CalledProcessError) -> str:
    """What to do about a failed step."""
    if "venv" in error.cmd:
        return "Install your system's venv package (Debian, Ubuntu: python3-venv) and try again"
    return "Read pip's message above; check the network and the disk space, and try again"


def say(text: str) -> None:
    """Tell progress on the error stream, so that piped output stays clean."""
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


def fail(what: str, fix: str) -> int:
    """One line in the manner of ``tetract.errors``, and the exit code for a machine's problem."""
    sys.stderr.write(f"E_SETUP: {what}. {fix}.\n")
    return MACHINE_PROBLEM


if __name__ == "__main__":
    sys.exit(main())
