"""Damage good files at random and read them: a volume or one typed error, nothing else.

``python tests/io/fuzz_files.py --count 20000 --seed 1`` prints one JSON line about the run. Item
``i`` of a seed is always the same file, so a finding is repeated with ``--first i --count 1``.
"""

from __future__ import annotations

import argparse
import gzip
import io
import json
import sys
import tempfile
import time
import zlib
from collections import Counter
from pathlib import Path

import numpy as np
import pydicom
from io_makers import make_series, make_volume
from PIL import Image
from pydicom.uid import JPEG2000Lossless, JPEGLSLossless, RLELossless

from tetract.errors import BugError, TetractError
from tetract.io import read_study, write_nifti_volume

EXTREMES = (0, 1, 2, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)
SLOW_S = 10.0


def good_files(folder: Path) -> list[tuple[str, bytes]]:
    """One small file of every kind the readers know."""
    volume = make_volume(shape=(3, 40, 48))  # JPEG 2000 takes nothing smaller than 32 px
    plain = make_series(folder / "series", volume)[0]
    found = [("plain.dcm", plain.read_bytes())]
    for syntax, name in (
        (RLELossless, "rle"),
        (JPEG2000Lossless, "j2k"),
        (JPEGLSLossless, "jls"),
    ):
        header = pydicom.dcmread(plain)
        header.compress(syntax, generate_instance_uid=False)
        packed = io.BytesIO()
        header.save_as(packed, enforce_file_format=True)
        found.append((f"{name}.dcm", packed.getvalue()))
    plain.unlink()  # its place in the series is for the damaged one
    for name in ("a.nii", "a.nii.gz"):
        write_nifti_volume(folder / name, volume.values, volume.geometry)
        found.append((name, (folder / name).read_bytes()))
    grey = np.random.default_rng(0).integers(0, 255, (24, 31)).astype(np.uint8)
    for name, pixels in (
        ("a.png", grey),
        ("deep.png", grey.astype(np.uint16) * 257),
        ("a.jpg", grey),
    ):
        Image.fromarray(pixels).save(folder / name)
        found.append((name, (folder / name).read_bytes()))
    return found


def damaged(content: bytes, others: list[bytes], rng: np.random.Generator) -> bytes:
    """A few random edits; of packed content now and then on the inside."""
    if content[:2] == b"\x1f\x8b" and rng.random() < 0.7:
        return gzip.compress(damaged(gzip.decompress(content), others, rng), 1, mtime=0)
    changed = bytearray(content)
    for _ in range(int(rng.integers(1, 5))):
        if not changed:
            break
        # Headers come first and decide most.
        reach = len(changed) if rng.random() < 0.4 else min(len(changed), 1200)
        at, span = int(rng.integers(reach)), int(rng.integers(1, 64))
        kind = int(rng.integers(7))
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
        else:
            donor = others[int(rng.integers(len(others)))]
            changed[at : at + span] = donor[at : at + span]
    return bytes(changed)


def repaired_png(content: bytes) -> bytes:
    """Right checksums again, so that damage gets past the first test a reader makes."""
    out, at = content[:8], 8
    while at + 12 <= len(content):
        size = int.from_bytes(content[at : at + 4], "big")
        body = content[at + 4 : at + 8 + size]
        out += content[at : at + 4] + body + zlib.crc32(body).to_bytes(4, "big")
        at += 12 + size
    return out + content[at:]


def item(seeds: list[tuple[str, bytes]], seed: int, number: int) -> tuple[str, bytes]:
    """Name and bytes of the damaged file ``number``."""
    rng = np.random.default_rng([seed, number])
    name, content = seeds[number % len(seeds)]
    spoilt = damaged(content, [other for _, other in seeds], rng)
    if name.endswith(".png") and rng.random() < 0.5:
        spoilt = repaired_png(spoilt)
    return name, spoilt


def peak_mb() -> float:
    """Most memory held since this program started; getrusage would count its parent's too."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024


def read_all(first: int, count: int, seed: int) -> dict[str, object]:
    """Read ``count`` damaged files and say what came of them."""
    outcomes: Counter[str] = Counter()
    faults: list[str] = []
    slowest = 0.0
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        seeds = good_files(folder)
        for number in range(first, first + count):
            name, content = item(seeds, seed, number)
            # A damaged slice now and then lies between the whole slices of its series.
            among = name.endswith(".dcm") and number % 3 == 0
            path = folder / ("series" if among else f"in-{number}") / f"in-{name}"
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(content)
            started = time.perf_counter()
            try:
                read_study(path.parent if among else path)
                outcomes["read"] += 1
            except BugError as error:
                faults.append(f"{number} {name}: {error}")
            except TetractError as error:
                outcomes[error.code] += 1
            except Exception as error:  # noqa: BLE001  finding these is what this is for
                faults.append(f"{number} {name}: {type(error).__name__}: {error}")
            took = time.perf_counter() - started
            slowest = max(slowest, took)
            if took > SLOW_S:
                faults.append(f"{number} {name}: took {took:.1f} s")
            path.unlink()
    return {
        "first": first,
        "count": count,
        "seed": seed,
        "faults": faults,
        "slowest_s": round(slowest, 2),
        "peak_mb": round(peak_mb()),
        "outcomes": dict(sorted(outcomes.items())),
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
