"""`python -m benchmarks.coverage`: how often 95 % intervals cover the truth in simulated studies.

Done in blocks, each a line of the file given with --out, so that an interrupted run goes on where
it stopped. Results: docs/results/intervals.md.
"""

from __future__ import annotations

import argparse
import itertools
import json
import platform
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.simulated_studies import MAKERS
from tetract.types.resamples import draw_resamples, estimate

SIZES, BLOCK, DRAWS = (20, 40, 80), 100, 1000
# One study so large that its own error is a thirtieth of the intervals'.
TRUTH_PATIENTS, TRUTH_STUDIES = 8000, 12


def generator(figure: str, *numbers: int) -> np.random.Generator:
    """Randomness of one block of one figure, whatever was done before."""
    return np.random.default_rng([zlib.crc32(figure.encode()), *numbers])


def truth_of(figure: str, seed: int) -> float:
    """The figure among so many patients that it hardly varies."""
    values = []
    for study in range(TRUTH_STUDIES):
        statistic, rows, _ = MAKERS[figure](generator(figure, seed, 0, study), TRUTH_PATIENTS)
        values.append(float(statistic(np.ones((1, len(rows))))[0]))
    return float(np.mean(values))


def run_block(figure: str, patients: int, block: int, seed: int) -> dict[str, Any]:
    """The intervals of ``BLOCK`` studies of so many patients."""
    random, ends = generator(figure, seed, patients, block), []
    without = 0
    for study in range(BLOCK):
        statistic, rows, sums = MAKERS[figure](random, patients)
        resamples = draw_resamples(rows, draws=DRAWS, seed=block * BLOCK + study)
        found = estimate(statistic, rows, resamples, reason="undefined", sums=sums)
        if found.interval is None:
            without += 1
        else:
            ends.append([found.interval.low, found.interval.high])
    return {"figure": figure, "patients": patients, "block": block, "ends": ends, "none": without}


def lines_of(path: Path) -> list[dict[str, Any]]:
    """What an earlier run has written."""
    return [json.loads(line) for line in path.read_text().splitlines()] if path.is_file() else []


def table(lines: list[dict[str, Any]]) -> Iterator[str]:
    """Markdown: one row per figure and number of patients."""
    truths = {line["figure"]: line["truth"] for line in lines if "truth" in line}
    yield "| figure | truth | patients | covered | truth below | truth above | width | none |"
    yield "|---|---|---|---|---|---|---|---|"
    for figure, truth in truths.items():
        for patients in SIZES:
            own = [x for x in lines if x["figure"] == figure and x.get("patients") == patients]
            ends = np.array([pair for line in own for pair in line["ends"]]).reshape(-1, 2)
            if not len(ends):
                continue
            below, above = (truth < ends[:, 0]).mean(), (truth > ends[:, 1]).mean()
            width, none = np.median(ends[:, 1] - ends[:, 0]), sum(line["none"] for line in own)
            yield (
                f"| {figure} | {truth:.3f} | {patients} | {1 - below - above:.1%} | {below:.1%} | "
                f"{above:.1%} | {width:.3f} | {none} of {len(ends) + none} |"
            )


def work(figures: Sequence[str], blocks: int) -> Iterator[tuple[str, int | None, int | None]]:
    """Truths first, then every figure's first block, so that a table can be read early."""
    yield from ((figure, None, None) for figure in figures)
    for block in range(blocks):
        yield from itertools.product(figures, SIZES, [block])


def main() -> None:
    """Fill the file, then print the table."""
    ask = argparse.ArgumentParser(description=__doc__)
    ask.add_argument("--out", type=Path, required=True, help="lines of JSON, kept between runs")
    ask.add_argument("--studies", type=int, default=2000, help="per figure and number of patients")
    ask.add_argument("--seed", type=int, default=0)
    ask.add_argument("--figures", nargs="+", choices=list(MAKERS), default=list(MAKERS))
    asked = ask.parse_args()
    known = lines_of(asked.out)
    done = {(line["figure"], line.get("patients"), line.get("block")) for line in known}
    with asked.out.open("a") as file:
        for figure, patients, block in work(asked.figures, asked.studies // BLOCK):
            if (figure, patients, block) not in done:
                line = (
                    {"figure": figure, "truth": truth_of(figure, asked.seed)}
                    if patients is None or block is None
                    else run_block(figure, patients, block, asked.seed)
                )
                print(json.dumps(line), file=file, flush=True)
    print(f"{platform.machine()}, Python {platform.python_version()}, numpy {np.__version__}")
    print("\n".join(table(lines_of(asked.out))))


if __name__ == "__main__":
    main()
