"""What readers make of broken files, and how fast they read whole ones.

``python -m benchmarks.reading --peers PYTHON [--only faults|speed]`` reads ../shared/data/odd with
us and with the readers that people use today, which PYTHON must be able to import:

    python3 -m venv /tmp/peers
    /tmp/peers/bin/pip install SimpleITK dicom2nifti dcm2niix highdicom nibabel pyjpegls \
        pylibjpeg pylibjpeg-openjpeg
"""

from __future__ import annotations

import argparse
import csv
import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from tetract.io import SeriesIdentity, write_dicom_series
from tetract.types import Geometry, Provenance, Volume

READ_WITH = Path(__file__).with_name("read_with.py")
SERIES_READERS = ("tetract", "SimpleITK", "dicom2nifti", "dcm2niix", "highdicom")
NIFTI_READERS = ("tetract", "SimpleITK", "nibabel")
LIMIT_S = 120
# What the manifest leaves open ("WARN/REFUSE", "split", "convert to mm or REFUSE") is not counted.
TO_READ = ("OK", "accept with", "equals", "apply")
# Sound files, but no CT volume: MR, no HU, four dimensions. Whether they are read says nothing.
NO_CT = {
    "series_real/jpegls_series",
    "series_real/rle_series",
    "series_real/j2k_series",
    "nifti_real/standard.nii.gz",
    "nifti_real/example_nifti2.nii.gz",
}


def read(python: str, reader: str, path: Path, warm_up: Path | None = None) -> dict[str, Any]:
    """What ``reader`` made of ``path`` in a process of its own."""
    command = [python, READ_WITH, reader, path, *([] if warm_up is None else [warm_up])]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT_S, check=False)
        return json.loads(done.stdout.splitlines()[-1])
    except (subprocess.TimeoutExpired, IndexError, ValueError):
        return {"volume": False, "why": "died or ran out of time"}


def faults(odd: Path, peers: str) -> None:
    """Must-refuse and must-read files, by reader."""
    with (odd / "MANIFEST.csv").open(newline="") as file:
        rows = [(r["file"], r["expected_behaviour"]) for r in csv.DictReader(file)]
    for title, prefixes, readers in (
        ("DICOM series", ("series_",), SERIES_READERS),
        ("NIfTI", ("nifti_",), NIFTI_READERS),
    ):
        mine = [r for r in rows if r[0].startswith(prefixes) and "/mask_" not in r[0]]
        refuse = [name for name, said in mine if said.startswith("REFUSE") and "/WARN" not in said]
        keep = [name for name, said in mine if said.startswith(TO_READ) and name not in NO_CT]
        print(f"\n## {title}: {len(refuse)} to refuse, {len(keep)} to read\n")
        print("| reader | volumes out of files to refuse | refusals of files to read |")
        print("|---|--:|--:|")
        for reader in readers:
            python = sys.executable if reader == "tetract" else peers
            taken = [name for name in refuse if read(python, reader, odd / name)["volume"]]
            lost = [name for name in keep if not read(python, reader, odd / name)["volume"]]
            print(f"| {reader} | {len(taken)} | {len(lost)} |", flush=True)


def long_series(folder: Path, slices: int) -> Path:
    """``slices`` x 512 x 512, uncompressed."""
    rng = np.random.default_rng(0)
    affine = np.array([[0, 0, 0.7, 0], [0, 0.7, 0, 0], [1.0, 0, 0, 0], [0, 0, 0, 1]])
    shape = (slices, 512, 512)
    plane = rng.integers(-1000, 400, shape[1:]).astype(np.int16)
    volume = Volume(
        values=np.broadcast_to(plane, shape).copy(),
        hu_known=True,
        geometry=Geometry(affine=affine, shape=shape),
        provenance=Provenance(reader="dicom", name="long", slice_names=("x",) * slices),
    )
    write_dicom_series(folder, volume, series=SeriesIdentity(seed="long"))
    return folder


def speed(peers: str, slices: int, rounds: int) -> None:
    """Seconds and memory for one long series, readers in turn."""
    readers = ("bare pydicom", "tetract", "SimpleITK")
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in readers}
    with tempfile.TemporaryDirectory() as place:
        series = long_series(Path(place) / "long", slices)
        small = long_series(Path(place) / "small", 8)
        for _ in range(rounds + 1):  # the first round fills the disk cache
            for name in readers:
                python = peers if name == "SimpleITK" else sys.executable
                found[name].append(read(python, name, series, small))
    volume_mb = slices * 512 * 512 * 2 / 2**20
    base = median(r["seconds"] for r in found["bare pydicom"][1:])
    print(f"\n## {slices} x 512 x 512, uncompressed: {volume_mb:.0f} MB of int16\n")
    print("| reader | median s | ratio to bare pydicom | peak memory, MB |\n|---|--:|--:|--:|")
    for name, told in found.items():
        seconds = median(r["seconds"] for r in told[1:])
        peak = max(r["peak_mb"] for r in told[1:])
        print(f"| {name} | {seconds:.2f} | {seconds / base:.2f} | {peak:.0f} |")
    print(f"\nMemory to stay under: {1.5 * volume_mb + 300:.0f} MB (1.5 x volume + 300).")


def median(values: Iterable[float]) -> float:
    """Of any numbers."""
    return statistics.median(list(values))


def main() -> None:
    """Both parts, or one of them."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--peers", default=sys.executable)
    asked.add_argument("--shared", type=Path, default=Path("../shared"))
    asked.add_argument("--only", choices=("faults", "speed"))
    asked.add_argument("--slices", type=int, default=1000)
    asked.add_argument("--rounds", type=int, default=3)
    given = asked.parse_args()
    if given.only != "speed":
        faults(given.shared / "data/odd", given.peers)
    if given.only != "faults":
        speed(given.peers, given.slices, given.rounds)


if __name__ == "__main__":
    main()
