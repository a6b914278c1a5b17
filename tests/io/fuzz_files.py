"""Damage good files at random and read them: a volume or one typed error, nothing else.

``PYTHONPATH=tests python tests/io/fuzz_files.py --count 2000 --seed 1`` prints one JSON line about
the run. Item ``i`` of a seed is always the same file, so a finding is repeated with ``--first i
--count 1``.
"""

from __future__ import annotations

import argparse
import gzip
import json
import sys
import tempfile
import time
import zlib
from collections import Counter, defaultdict
from contextlib import suppress
from pathlib import Path

import numpy as np
from fuzz_seeds import Seed, good_files

from tetract.errors import BugError, TetractError

EXTREMES = (0, 1, 2, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)
SLOW_S = 10.0


def damaged(content: bytes, others: list[bytes], rng: np.random.Generator, header: int) -> bytes:
    """A few random edits; of packed content now and then on the inside."""
    if content[:2] == b"\x1f\x8b" and rng.random() < 0.7:
        return gzip.compress(damaged(gzip.decompress(content), others, rng, header), 1, mtime=0)
    changed = bytearray(content)
    for _ in range(int(rng.integers(1, 5))):
        if not changed:
            break
        # Headers come first and decide most.
        reach = len(changed) if rng.random() < 0.4 else min(len(changed), header)
        _edit(changed, int(rng.integers(reach)), others, rng)
    return bytes(changed)


def _edit(changed: bytearray, at: int, others: list[bytes], rng: np.random.Generator) -> None:
    """One edit at a place: a bit, a number, a cut, a repetition, noise, a digit, a splice."""
    span = int(rng.integers(1, 64))
    kind = int(rng.integers(8))
    if kind == 0:
        changed[at] ^= 1 << int(rng.integers(8))
    elif kind == 1:
        width = int(rng.choice([1, 2, 4]))
        value = int(rng.choice(EXTREMES)) % 256**width
        changed[at : at + width] = value.to_bytes(width, str(rng.choice(["little", "big"])))
    elif kind == 2:
        del changed[at : at + span]
    elif kind == 3:
        changed[at:at] = changed[at : at + span]
    elif kind == 4:
        changed[at : at + span] = rng.bytes(span)
    elif kind == 5:
        del changed[int(rng.integers(len(changed))) :]
    elif kind == 6:  # another digit in a text makes another size
        changed[at:at] = bytes(rng.integers(48, 58, 2).astype(np.uint8))
    else:
        donor = others[int(rng.integers(len(others)))]
        changed[at : at + span] = donor[at : at + span]


def repaired_png(content: bytes) -> bytes:
    """Right checksums again, so that damage gets past the first test a reader makes."""
    out, at = content[:8], 8
    while at + 12 <= len(content):
        size = int.from_bytes(content[at : at + 4], "big")
        body = content[at + 4 : at + 8 + size]
        out += content[at : at + 4] + body + zlib.crc32(body).to_bytes(4, "big")
        at += 12 + size
    return out + content[at:]


def item(seeds: list[Seed], seed: int, number: int) -> tuple[Seed, bytes]:
    """What the damaged file ``number`` was made of, and its bytes."""
    rng = np.random.default_rng([seed, number])
    whole = seeds[number % len(seeds)]
    spoilt = damaged(whole.content, [other.content for other in seeds], rng, whole.reach)
    if whole.name.endswith(".png") and rng.random() < 0.5:
        spoilt = repaired_png(spoilt)
    return whole, spoilt


def peak_mb(process: str = "self") -> float:
    """Most memory held since a program started; getrusage would count its parent's too."""
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024


def decoder_peak_mb() -> float:
    """The same for the decoders that still live; a dead one has died of what it was given."""
    peaks = [0.0]
    for list_of_children in Path("/proc/self/task").glob("*/children"):
        for child in list_of_children.read_text().split():
            with suppress(OSError, StopIteration):
                peaks.append(peak_mb(child))
    return max(peaks)


class Tally:
    """What came of the damaged files."""

    def __init__(self) -> None:
        self.outcomes: Counter[str] = Counter()
        self.kinds: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self.faults: list[str] = []
        self.slowest = 0.0

    def read(self, number: int, whole: Seed, path: Path) -> None:
        """Read one file and note how that ended."""
        took = self._timed(number, whole, path)
        if took > SLOW_S:
            # A busy machine is slow once; a file that hangs its reader does so every time.
            took = min(took, self._timed(number, whole, path))
        self.slowest = max(self.slowest, took)
        if took > SLOW_S:
            self.faults.append(f"{number} {whole.name}: took {took:.1f} s")

    def _timed(self, number: int, whole: Seed, path: Path) -> float:
        """Read one file, note how that ended, and say how many seconds it took."""
        started = time.perf_counter()
        end = "fault"
        try:
            whole.read(path)
            end = "read"
        except BugError as error:
            self.faults.append(f"{number} {whole.name}: {error}")
        except TetractError as error:
            end = error.code
            if "\n" in str(error):
                self.faults.append(f"{number} {whole.name}: several lines")
        except Exception as error:  # noqa: BLE001  finding these is what this is for
            self.faults.append(f"{number} {whole.name}: {type(error).__name__}: {error}")
        took = time.perf_counter() - started
        self.outcomes[end] += 1
        self.kinds[whole.name]["read" if end == "read" else "refused"] += 1
        return took


def read_all(first: int, count: int, seed: int) -> dict[str, object]:
    """Read ``count`` damaged files and say what came of them."""
    tally = Tally()
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        seeds = good_files(folder)
        for number in range(first, first + count):
            whole, content = item(seeds, seed, number)
            # A damaged slice now and then lies between the whole slices of its series.
            among = whole.is_slice and number % 3 == 0
            path = folder / ("series" if among else f"in-{number}") / f"in-{whole.name}"
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(content)
            tally.read(number, whole, path.parent if among else path)
            path.unlink()
            if not among:
                path.parent.rmdir()
    return {
        "first": first,
        "count": count,
        "seed": seed,
        "faults": tally.faults,
        "slowest_s": round(tally.slowest, 2),
        "peak_mb": round(peak_mb()),
        "decoder_mb": round(decoder_peak_mb()),
        "outcomes": dict(sorted(tally.outcomes.items())),
        "kinds": {name: dict(ends) for name, ends in sorted(tally.kinds.items())},
    }


if __name__ == "__main__":
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--first", type=int, default=0)
    asked.add_argument("--count", type=int, default=2000)
    asked.add_argument("--seed", type=int, default=0)
    given = asked.parse_args()
    report = read_all(given.first, given.count, given.seed)
    sys.stdout.write(json.dumps(report) + "\n")
    sys.exit(1 if report["faults"] else 0)
