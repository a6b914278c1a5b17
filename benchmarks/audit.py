"""`python -m benchmarks.audit FOLDER`: how often the leak audit is right, and how fast it is.

FOLDER is a dataset folder of real slices (docs/results/audit.md). Copies are altered on purpose
and must be found; slices of different patients must not be; different slices of one patient are
counted, as if each had come under an id of its own.
"""

from __future__ import annotations

import argparse
import io
import re
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image
from scipy import ndimage

from tetract.data import Row, open_dataset
from tetract.data.audit.duplicates import Thresholds, near_pairs
from tetract.data.audit.thumbnail import Thumbnails, shrink, stack_thumbnails
from tetract.data.read_row import RowReader, slice_index
from tetract.errors import TetractError

WIDE_HU, LUNG_HU, NARROW_HU, SOFT_HU = (-1350, 150), (-1250, 250), (-1000, 0), (-160, 240)


@dataclass(frozen=True, slots=True, kw_only=True)
class Slice:
    """One slice as it was read."""

    row: Row
    values: np.ndarray
    hu_known: bool


def read(folder: Path) -> list[Slice]:
    """Every slice that can be read."""
    data, reader, found = open_dataset(folder), RowReader(), []
    for row in data.rows:
        try:
            volume = reader.volume(row, data.card.source(row.source))
            values = volume.values[slice_index(row, volume)]
        except TetractError as error:
            print(f"left out: {error.code}")
            continue
        found.append(Slice(row=row, values=values.copy(), hu_known=volume.hu_known))
    return found


def windowed(one: Slice, window: tuple[int, int]) -> np.ndarray:
    """8-bit grey; a picture, whose window is lost, is clipped as hard as HU would be."""
    low, high = window
    if not one.hu_known:  # as if it showed -1350 to 150
        top = 255 if one.values.dtype == np.uint8 else 65535
        values = one.values / top * 1500 - 1350
    else:
        values = one.values.astype(np.float64)
    return np.clip(np.rint((values - low) / (high - low) * 255), 0, 255).astype(np.uint8)


def jpeg(grey: np.ndarray, quality: int) -> np.ndarray:
    """The picture after a JPEG encoder."""
    stream = io.BytesIO()
    Image.fromarray(grey).save(stream, "JPEG", quality=quality)
    return np.asarray(Image.open(stream).convert("L"))


def scaled(grey: np.ndarray, factor: float) -> np.ndarray:
    """The picture at another size."""
    height, width = (max(16, round(side * factor)) for side in grey.shape)
    return np.asarray(Image.fromarray(grey).resize((width, height), Image.Resampling.BICUBIC))


def cut(grey: np.ndarray, top: float, left: float, bottom: float, right: float) -> np.ndarray:
    """The picture without shares of its sides."""
    height, width = grey.shape
    rows = slice(int(top * height), height - int(bottom * height))
    return grey[rows, int(left * width) : width - int(right * width)]


def framed(grey: np.ndarray, share: float, value: int) -> np.ndarray:
    """The picture with a plain border."""
    edges = [(round(share * side),) * 2 for side in grey.shape]
    return np.pad(grey, edges, constant_values=value)


def brighter(grey: np.ndarray) -> np.ndarray:
    """The picture 30 levels brighter."""
    return np.clip(grey.astype(int) + 30, 0, 255).astype(np.uint8)


def gamma(grey: np.ndarray) -> np.ndarray:
    """The picture with paler shadows."""
    return np.rint(255 * (grey / 255) ** 0.7).astype(np.uint8)


def wide(change: Callable[[np.ndarray], np.ndarray]) -> Callable[[Slice], np.ndarray]:
    """A change of the picture seen through the wide window."""
    return lambda one: change(windowed(one, WIDE_HU))


ALTERATIONS: dict[str, Callable[[Slice], np.ndarray]] = {
    "8 bit, window -1350..150 HU": lambda one: windowed(one, WIDE_HU),
    "window -1250..250 HU": lambda one: windowed(one, LUNG_HU),
    "window -1000..0 HU": lambda one: windowed(one, NARROW_HU),
    "window -160..240 HU": lambda one: windowed(one, SOFT_HU),
    "JPEG quality 75": wide(lambda grey: jpeg(grey, 75)),
    "JPEG quality 30": wide(lambda grey: jpeg(grey, 30)),
    "half size": wide(lambda grey: scaled(grey, 0.5)),
    "1.7 times the size": wide(lambda grey: scaled(grey, 1.7)),
    "12 % black border": wide(lambda grey: framed(grey, 0.12, 0)),
    "5 % white border": wide(lambda grey: framed(grey, 0.05, 255)),
    "4 % cut off each side": wide(lambda grey: cut(grey, 0.04, 0.04, 0.04, 0.04)),
    "6 % cut off each side": wide(lambda grey: cut(grey, 0.06, 0.06, 0.06, 0.06)),
    "8 % cut off each side": wide(lambda grey: cut(grey, 0.08, 0.08, 0.08, 0.08)),
    "10 % cut off the top": wide(lambda grey: cut(grey, 0.10, 0, 0, 0)),
    "6 % cut off the left, 2 % right": wide(lambda grey: cut(grey, 0, 0.06, 0, 0.02)),
    "30 of 255 levels brighter": wide(brighter),
    "gamma 0.7": wide(gamma),
    "cut 2 to 5 %, 0.6 of the size, JPEG 50": wide(
        lambda grey: jpeg(scaled(cut(grey, 0.03, 0.05, 0.04, 0.02), 0.6), 50)
    ),
}


def found_copies(slices: list[Slice], small: Thumbnails, count: int) -> None:
    """How many altered copies of ``count`` slices are found among all slices."""
    chosen = np.random.default_rng(0).choice(len(slices), min(count, len(slices)), replace=False)
    print(f"\n| alteration | found of {len(chosen)} |\n|---|---|")
    for name, alter in ALTERATIONS.items():
        copies = [shrink(alter(slices[k]), hu_known=False) for k in chosen]
        both = stack_thumbnails([small.pick(chosen), *copies])
        pairs = near_pairs(both, np.arange(len(both)))
        hits = sum(pair.second == pair.first + len(chosen) for pair in pairs)
        print(f"| {name} | {hits / len(chosen):.3f} |", flush=True)


def origin(one: Slice) -> str:
    """The patient; for figures of journals the paper, since one patient may have two ids there."""
    if one.row.source == "covid_ct_ucsd":
        return one.row.image.name.split("-p")[0] if "-p" in one.row.image.name else ""
    return one.row.patient or ""


def wrong_pairs(slices: list[Slice], small: Thumbnails) -> None:
    """How many pairs of certainly different patients are called near."""
    known = [k for k, one in enumerate(slices) if origin(one)]
    names = {name: n for n, name in enumerate(sorted({origin(slices[k]) for k in known}))}
    people = np.array([names[origin(slices[k])] for k in known])
    total = int((people[:, None] != people[None]).sum()) // 2
    everything = Thresholds(least_similarity=-1.0)
    scores = [
        pair.similarity for pair in near_pairs(small.pick(np.array(known)), people, everything)
    ]
    wrong = sum(score >= Thresholds().least_similarity for score in scores)
    print(f"\ndifferent patients: {len(names)} patients, {total} pairs of slices")
    print(f"laid over each other: {len(scores)}, called near: {wrong}")
    if scores:
        print(f"highest similarities: {np.round(sorted(scores)[::-1][:5], 2).tolist()}")


def neighbours(slices: list[Slice], small: Thumbnails) -> None:
    """How many slices of one scan would be called near if they came under two ids."""
    series: defaultdict[str, list[int]] = defaultdict(list)
    for k, one in enumerate(slices):
        if one.row.patient and one.row.source in ("covid_ct_md", "covid19_ct_seg"):
            series[f"{one.row.source} {one.row.patient}"].append(k)
    print("\n| scan | slices | called near: next slice | two on | three on | farther |")
    print("|---|---|---|---|---|---|")
    for name, members in series.items():
        members.sort(key=lambda k: [int(n) for n in re.findall(r"\d+", slices[k].row.image.name)])
        pairs = near_pairs(small.pick(np.array(members)), np.arange(len(members)))
        apart = [pair.second - pair.first for pair in pairs]
        shares = [apart.count(step) / max(len(members) - step, 1) for step in (1, 2, 3)]
        far = (len(members) - 3) * (len(members) - 4) // 2
        shares.append(sum(step > 3 for step in apart) / max(far, 1))
        print(f"| {name} | {len(members)} | " + " | ".join(f"{s:.3f}" for s in shares) + " |")


def timed(slices: list[Slice], small: Thumbnails, count: int) -> None:
    """Seconds for ``count`` pictures; strangers are made by bending real slices."""
    start = time.perf_counter()
    for one in slices:
        shrink(one.values, hu_known=one.hu_known)
    print(f"\nmaking small: {(time.perf_counter() - start) / len(slices) * 1e3:.1f} ms per slice")
    rng = np.random.default_rng(0)
    place = np.stack(np.mgrid[:128, :128]).astype(np.float32)
    pixels = np.empty((count, 128, 128), dtype=np.uint8)
    which = rng.integers(0, len(small), count)
    knots = rng.standard_normal((200, 2, 6, 6)) * 4
    bends = [ndimage.zoom(some, (1, 128 / 6, 128 / 6), order=1) for some in knots]
    for k, source in enumerate(which):
        one, other = rng.integers(0, len(bends), 2)
        turned = small.pixels[source][:, :: rng.choice([-1, 1])]
        at = place + bends[one] + bends[other][:, ::-1]
        pixels[k] = ndimage.map_coordinates(turned, at, order=1)
    bent = Thumbnails(pixels=pixels, frame=small.frame[which])
    start, used = time.perf_counter(), time.process_time()
    pairs = near_pairs(bent, np.arange(count))
    spent = time.perf_counter() - start
    print(
        f"comparing {count} bent slices: {spent:.0f} s ({time.process_time() - used:.0f} s of CPU)"
    )
    print(f"pairs called near: {len(pairs)}")


def main() -> None:
    """Measure everything on one data set."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--copies", type=int, default=300)
    parser.add_argument("--pictures", type=int, default=20000)
    asked = parser.parse_args()
    slices = read(asked.folder)
    small = stack_thumbnails([shrink(one.values, hu_known=one.hu_known) for one in slices])
    found_copies(slices, small, asked.copies)
    wrong_pairs(slices, small)
    neighbours(slices, small)
    if asked.pictures:
        timed(slices, small, asked.pictures)


if __name__ == "__main__":
    main()
