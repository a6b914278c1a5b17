"""What a split by slices makes of real CT: `python -m benchmarks.leakage work/ct`.

The same slices are dealt to five folds twice: one by one, and patient by patient. On each, quick
classifiers learn the true label of a slice, and labels that mean nothing: a coin flip per patient.
Only pixels of other folds are learnt from. Then the split card's random-label run is asked about
one fold of each, all patient ids hidden. Writes `docs/images/leakage.svg` with `--figure`.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from matplotlib import pyplot as plt

from tetract.data import open_dataset
from tetract.data.config import DataConfig
from tetract.data.dataset import SliceDataset
from tetract.evaluate.cards.look_alikes import details
from tetract.evaluate.cards.probes import Probe, nearest, ridge
from tetract.evaluate.cards.random_labels import Side, run_random_labels
from tetract.evaluate.table_cells import support_text
from tetract.types import LabelSpace
from tetract.types.batch import Sample
from tetract.types.figure import Figure, count_support
from tetract.types.identity import group_key
from tetract.types.resamples import draw_resamples, estimate

FOLDS = 5
SEEDS = 10
LOTS = 1000
IMAGE_PX = 128
THUMBNAIL_PX = 32
DEALT = ("slice by slice", "patient by patient")
Array = np.ndarray


@dataclass(frozen=True, slots=True, kw_only=True)
class Study:
    """Slices of known patients, and a label of each: True, False, or None where there is none."""

    name: str
    question: str
    samples: tuple[Sample, ...]
    truth: Array | None

    @property
    def patients(self) -> Array:
        """Number of each slice's patient."""
        keys = [group_key(sample.identity) for sample in self.samples]
        numbers = {key: number for number, key in enumerate(dict.fromkeys(keys))}
        return np.array([numbers[key] for key in keys])


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One result."""

    study: str
    labels: str
    probe: str
    dealt: str
    value: float
    low: float | None
    high: float | None
    support: str


def load(folder: Path) -> list[Sample]:
    """Every slice that can be read."""
    opened = open_dataset(folder)
    config = DataConfig(folder=folder, image_px=IMAGE_PX)
    found: list[Sample] = []
    for split in ("train", "val", "test"):
        data = SliceDataset(opened, config, opened.card.label_space, split, strict=False)
        data.warm()
        found += [data.sample(k) for k in range(len(data))]
    return found


def studies(samples: Sequence[Sample], space: LabelSpace) -> list[Study]:
    """The four sets of the page."""
    seg = tuple(s for s in samples if s.identity.source == "covid19_ct_seg")
    infection = space.mask_classes.index("infection")
    share = np.array([_share(one, infection) for one in seg])
    ucsd = tuple(s for s in samples if s.identity.source == "covid_ct_ucsd")
    named = tuple(one for one in ucsd if one.identity.patient)
    covid = np.array([_is_only(one, space.classes.index("covid")) for one in ucsd])
    counts = Counter(group_key(s.identity) for s in samples)
    many = tuple(s for s in samples if s.identity.patient and counts[group_key(s.identity)] >= 10)
    many = tuple(s for s in many if s.identity.source != "covid_ct_ucsd")
    return [
        Study(
            name="covid19_ct_seg",
            question="more infection than the median slice",
            samples=seg,
            truth=share > np.median(share),
        ),
        Study(name="covid_ct_ucsd", question="COVID or not", samples=ucsd, truth=covid),
        Study(name="covid_ct_ucsd, with ids", question="", samples=named, truth=None),
        Study(name="scans of 10 slices or more", question="", samples=many, truth=None),
    ]


def _share(sample: Sample, channel: int) -> float:
    masks = sample.targets.masks
    return 0.0 if masks is None else float(masks.pixels[channel].mean())


def _is_only(sample: Sample, channel: int) -> bool:
    label = sample.targets.label
    return label is not None and bool(label[channel]) and int(label.sum()) == 1


def thumbnails(samples: Sequence[Sample]) -> Array:
    """Grey values at 32 px."""
    images = torch.from_numpy(np.stack([one.image for one in samples]))
    small = torch.nn.functional.interpolate(images, size=(THUMBNAIL_PX,) * 2, mode="area")
    return small.flatten(1).double().numpy()


def probes(samples: Sequence[Sample]) -> list[tuple[str, Probe, Array]]:
    """The two classifiers, and what each reads."""
    return [
        ("ridge, 32 px", ridge, thumbnails(samples)),
        ("nearest neighbour, 64 px", nearest, details(samples)),
    ]


def folds(patients: Array, dealt: str, seed: int) -> Array:
    """Fold of each slice."""
    rng = np.random.default_rng(seed)
    units = np.arange(len(patients)) if dealt == DEALT[0] else patients
    count = int(units.max()) + 1
    return (rng.permutation(count) % FOLDS)[units]


def answers(probe: Probe, found: Array, labels: Array, fold: Array) -> Array:
    """What is said of each fold by a probe fitted to the others."""
    said = np.zeros(labels.shape)
    for number in range(FOLDS):
        out = fold == number
        said[out] = probe(found[~out], labels[~out], found[out])
    return said


def with_true_labels(study: Study) -> list[Row]:
    """Balanced accuracy over the folds, mean of ten dealings; interval by bootstrap of patients."""
    if study.truth is None:
        return []
    truth, patients, rows = study.truth, study.patients, list(study.samples)
    signs = np.where(truth, 1.0, -1.0)[:, None]
    resamples = draw_resamples(rows, draws=2000, seed=0)
    results: list[Row] = []
    for name, probe, found in probes(rows):
        right: dict[str, Array] = {}
        for dealt in DEALT:
            said = [answers(probe, found, signs, folds(patients, dealt, k)) for k in range(SEEDS)]
            right[dealt] = np.mean([(np.sign(one) == signs)[:, 0] for one in said], axis=0)
            figure = estimate(balanced(truth, right[dealt]), rows, resamples, reason="one class")
            results.append(_row(study, study.question, name, dealt, figure))
        gain = balanced(truth, right[DEALT[0]] - right[DEALT[1]])
        figure = estimate(gain, rows, resamples, reason="one class")
        results.append(_row(study, study.question, name, "difference", figure))
    return results


def balanced(truth: Array, right: Array) -> Callable[[Array], Array]:
    """Mean over both labels of the share that is right."""

    def figure(weights: Array) -> Array:
        with np.errstate(invalid="ignore"):
            parts = [
                (weights * kind * right).sum(axis=1) / (weights * kind).sum(axis=1)
                for kind in (truth, ~truth)
            ]
        return np.mean(parts, axis=0)

    return figure


def _row(study: Study, labels: str, probe: str, dealt: str, figure: Figure) -> Row:
    interval, support = figure.interval, figure.support
    return Row(
        study=study.name,
        labels=labels,
        probe=probe,
        dealt=dealt,
        value=float("nan") if figure.value is None else figure.value,
        low=None if interval is None else interval.low,
        high=None if interval is None else interval.high,
        support=support_text(support),
    )


def with_random_labels(study: Study) -> list[Row]:
    """Accuracy over the folds with a coin flip per patient: mean of 1000 lots, 95 % interval."""
    patients, rows = study.patients, list(study.samples)
    rng = np.random.default_rng(0)
    coins = rng.integers(0, 2, size=(int(patients.max()) + 1, LOTS)) * 2.0 - 1.0
    labels = coins[patients]
    results: list[Row] = []
    for name, probe, found in probes(rows):
        for dealt in DEALT:
            parts = [
                answers(probe, found, labels[:, k::SEEDS], folds(patients, dealt, k))
                for k in range(SEEDS)
            ]
            right = [(1 + np.sign(one) * labels[:, k::SEEDS]) / 2 for k, one in enumerate(parts)]
            draws = np.concatenate([one.mean(axis=0) for one in right])
            reach = 1.96 * float(draws.std(ddof=1)) / len(draws) ** 0.5
            mean = float(draws.mean())
            results.append(
                Row(
                    study=study.name,
                    labels="by lot",
                    probe=name,
                    dealt=dealt,
                    value=mean,
                    low=mean - reach,
                    high=mean + reach,
                    support=support_text(count_support(rows)),
                )
            )
    return results


def as_the_card_sees_it(study: Study) -> list[str]:
    """The split card's run on one fold against the others, every slice an id of its own."""
    rows, patients = list(study.samples), study.patients
    found, small = details(rows), thumbnails(rows)
    lines: list[str] = []
    for dealt in DEALT:
        out = folds(patients, dealt, 0) == 0

        def side(which: Array) -> Side:
            names = tuple(f"slice {k}" for k in np.flatnonzero(which))
            return Side(details=found[which], features=small[which], groups=names)

        run = run_random_labels(side(~out), side(out))
        worst = max(run.runs, key=lambda one: one.low)
        lines.append(
            f"| {study.name} | {dealt} | {run.trained} + {run.scored} | {run.torn} of {run.scored} "
            f"| {worst.accuracy:.3f} [{worst.low:.3f}, {worst.high:.3f}] "
            f"| {'BAD' if worst.leaks else 'GOOD'} |"
        )
    return lines


def table(rows: Sequence[Row]) -> str:
    """Markdown."""
    lines = [
        "| set | labels | classifier | dealt | accuracy | slices / patients |",
        "|---|---|---|---|---|---|",
    ]
    for row in rows:
        span = "" if row.low is None else f" [{row.low:.3f}, {row.high:.3f}]"
        lines.append(
            f"| {row.study} | {row.labels} | {row.probe} | {row.dealt} | {row.value:.3f}{span} "
            f"| {row.support} |"
        )
    return "\n".join(lines)


def draw(rows: Sequence[Row], file: Path) -> None:
    """Both dealings side by side, chance as a line."""
    plt.rcParams.update({"svg.hashsalt": "tetract", "font.size": 9})
    shown = [row for row in rows if row.dealt in DEALT]
    pairs = list(dict.fromkeys((row.study, row.labels, row.probe) for row in shown))
    figure, axes = plt.subplots(figsize=(7.5, 0.42 * len(pairs) + 1.1))
    for place, pair in enumerate(pairs):
        for row in shown:
            if (row.study, row.labels, row.probe) != pair:
                continue
            first = row.dealt == DEALT[0]
            low, high = row.low or row.value, row.high or row.value
            axes.errorbar(
                row.value,
                place + (-0.12 if first else 0.12),
                xerr=[[max(0.0, row.value - low)], [max(0.0, high - row.value)]],
                fmt="o" if first else "s",
                color="#c0392b" if first else "#1f5f99",
                capsize=2,
            )
    axes.axvline(0.5, color="#888888", linewidth=0.8, linestyle="--")
    axes.set_yticks(range(len(pairs)), [f"{s}\n{what}, {p}" for s, what, p in pairs], fontsize=7)
    axes.invert_yaxis()
    axes.set_xlim(0.2, 1.02)
    axes.set_xlabel("accuracy (true labels: balanced); dashed: chance")
    axes.plot([], [], "o", color="#c0392b", label=DEALT[0])
    axes.plot([], [], "s", color="#1f5f99", label=DEALT[1])
    axes.legend(loc="lower left", fontsize=7, frameon=False)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    figure.tight_layout()
    figure.savefig(file, metadata={"Date": None})


def main() -> int:
    """Run everything and print the page's tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="Imported with recipes/datasets/shared-ct.yaml.")
    parser.add_argument("--figure", type=Path, help="Where to draw.")
    options = parser.parse_args()
    started = time.perf_counter()
    space = open_dataset(options.folder).card.label_space
    sets = studies(load(options.folder), space)
    rows = [row for one in sets for row in (*with_true_labels(one), *with_random_labels(one))]
    print(table(rows))
    print("\n| set | dealt | slices | look-alikes across | random labels | verdict |")
    print("|---|---|---|---|---|---|")
    print("\n".join(line for one in sets for line in as_the_card_sees_it(one)))
    print(f"\n{time.perf_counter() - started:.0f} s, {os.cpu_count()} cores")
    if options.figure is not None:
        draw(rows, options.figure)
    return 0


if __name__ == "__main__":
    sys.exit(main())
