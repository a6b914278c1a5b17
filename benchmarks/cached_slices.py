"""Cached slices with augmentation: ours, from disk and from memory, against MONAI's CacheDataset.

`python -m benchmarks.cached_slices` draws phantom CT, prepares it once for each, and then times
what a training step waits for: a batch of augmented slices with masks, instance masks and boxes.
All flip, rotate, zoom, shift, change gamma, contrast and brightness, blur and add noise with
the same probabilities and ranges, on one thread, in turns. MONAI moves masks by nearest neighbour
(cheaper than our half-coverage rule) and keeps float32 in memory.

MONAI is no dependency: install it into an environment of its own.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import math
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torchvision.ops import masks_to_boxes

from tetract.data.augment import apply
from tetract.data.augment_draw import draw
from tetract.data.collate import collate
from tetract.data.config import AugmentConfig, DataConfig
from tetract.data.dataset import SliceDataset
from tetract.data.load import open_dataset
from tetract.data.phantom.cohort import write_phantom_cohort
from tetract.data.phantom.patient import PhantomConfig
from tetract.io import read_volume

SIDE = 256
BATCH = 8
Pipeline = Callable[[int], object]  # round -> the last batch; every slice once


def prepared(folder: Path, cache: Path | None) -> tuple[SliceDataset, float]:
    """The slices of the phantom, and the seconds until all are ready."""
    opened = open_dataset(folder)
    config = DataConfig(folder=folder, image_px=SIDE, cache_dir=cache)
    started = time.perf_counter()
    dataset = SliceDataset(opened, config, opened.card.label_space, "train")
    dataset.warm()
    return dataset, time.perf_counter() - started


def batches(count: int, seed: int) -> Iterator[list[int]]:
    """Every index once, shuffled, in batches."""
    order = np.random.default_rng(seed).permutation(count).tolist()
    return (order[first : first + BATCH] for first in range(0, count, BATCH))


def ours(dataset: SliceDataset) -> Pipeline:
    """As in `tetract.data.batches.StepBatches`, which adds the choice of rows."""
    config = AugmentConfig()

    def run(seed: int) -> object:
        batch: object = None
        for rows in batches(len(dataset), seed):
            samples = []
            for row in rows:
                rng = np.random.default_rng([seed, row])
                samples.append(apply(dataset.sample(row), draw(config, rng, SIDE)))
            batch = collate(samples, dataset.label_space)
        return batch

    return run


def raw_items(dataset: SliceDataset) -> list[dict[str, Any]]:
    """What MONAI is given: HU of each slice, and its masks on the model's grid."""
    volumes = {row.image: read_volume(row.image) for row in dataset.folder.rows}
    items: list[dict[str, Any]] = []
    for index in range(len(dataset)):
        sample = dataset.sample(index)
        row = dataset.folder.rows[sample.identity.row]
        targets = sample.targets
        none = np.zeros((0, SIDE, SIDE), dtype=bool)
        masks = none if targets.masks is None else targets.masks.pixels
        boxes = targets.boxes
        lesions = none if boxes is None or boxes.boxes.masks is None else boxes.boxes.masks
        items.append(
            {
                "image": volumes[row.image]
                .hu[sample.identity.slice_index][None]
                .astype(np.float32),
                "label": np.concatenate([masks, lesions]).astype(np.float32),
                "masks": len(masks),
            }
        )
    return items


def monai_pipeline(items: list[dict[str, Any]], seed: int, *, track_meta: bool) -> Pipeline:
    """A `CacheDataset` with everything deterministic cached, and batches put together by hand."""
    monai = importlib.import_module("monai")
    mt = importlib.import_module("monai.transforms")
    monai.data.set_track_meta(track_meta)
    both, augment = ("image", "label"), AugmentConfig()
    low, high = augment.scale
    reach = augment.shift * SIDE
    chain = mt.Compose(
        [
            mt.EnsureTyped(both),
            mt.ScaleIntensityRanged("image", -1350, 150, 0.0, 1.0, clip=True),
            mt.Resized("image", (SIDE, SIDE), mode="bilinear", anti_aliasing=True),
            mt.RandFlipd(both, prob=augment.flip_x, spatial_axis=1),
            mt.RandAffined(
                both,
                prob=augment.geometry,
                rotate_range=math.radians(augment.rotation_deg),
                scale_range=((low - 1, high - 1),) * 2,
                translate_range=(reach, reach),
                mode=("bilinear", "nearest"),
                padding_mode="zeros",
                cache_grid=True,
                spatial_size=(SIDE, SIDE),
            ),
            mt.RandAdjustContrastd("image", prob=augment.intensity, gamma=augment.gamma),
            mt.RandScaleIntensityd("image", factors=0.15, prob=augment.intensity),
            mt.RandShiftIntensityd("image", offsets=augment.brightness, prob=augment.intensity),
            mt.RandGaussianSmoothd(
                "image",
                sigma_x=(0.0, augment.blur_px),
                sigma_y=(0.0, augment.blur_px),
                prob=augment.blur,
            ),
            mt.RandGaussianNoised("image", prob=augment.noise, std=augment.noise_std),
        ]
    )
    chain.set_random_state(seed)
    dataset = monai.data.CacheDataset(items, chain, cache_rate=1.0, num_workers=1, progress=False)

    channels = max(one["masks"] for one in items)

    def run(seed: int) -> object:
        monai.data.set_track_meta(track_meta)
        batch: object = None
        for rows in batches(len(dataset), seed):
            found: list[Any] = [dataset[row] for row in rows]
            labels = [plain(one["label"]) > 0 for one in found]
            images = torch.stack([plain(one["image"]) for one in found]).clamp(0, 1)
            masks = torch.zeros(len(found), channels, SIDE, SIDE, dtype=torch.bool)
            for row, (one, label) in enumerate(zip(found, labels, strict=True)):
                masks[row, : one["masks"]] = label[: one["masks"]]
            boxes = [boxed(label[one["masks"] :]) for one, label in zip(found, labels, strict=True)]
            batch = (images, masks, boxes)
        return batch

    return run


def plain(tensor: Any) -> torch.Tensor:
    """A tensor without MONAI's metadata, whose bookkeeping would be counted against it."""
    return tensor.as_tensor() if hasattr(tensor, "as_tensor") else tensor


def boxed(lesions: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Boxes of the lesions that are still in view, and their masks."""
    kept = lesions[lesions.flatten(1).any(dim=1)]
    return masks_to_boxes(kept), kept


Times = tuple[list[float], list[float]]  # wall clock and processor, s per slice, round by round


def measured(pipelines: dict[str, Pipeline], count: int, rounds: int) -> dict[str, Times]:
    """Each pipeline's times, in turns; a first round is not timed."""
    found: dict[str, Times] = {name: ([], []) for name in pipelines}
    for number in range(rounds + 1):
        for name, run in pipelines.items():
            wall, processor = time.perf_counter(), time.process_time()
            run(number)
            if number:
                found[name][0].append((time.perf_counter() - wall) / count)
                found[name][1].append((time.process_time() - processor) / count)
    return found


def ratio(reference: list[float], mine: list[float]) -> float:
    """Median over rounds of how many times faster than the reference."""
    return statistics.median(r / m for r, m in zip(reference, mine, strict=True))


def table(found: dict[str, Times]) -> str:
    """Medians, and how many times as fast as either way of MONAI, by both clocks."""
    peers = [name for name in found if name.startswith("MONAI")]
    head = "".join(f" times {name}, wall / processor |" for name in peers)
    lines = [
        f"| pipeline | ms per slice, wall (least to most) | ms, processor |{head}",
        "|---|---|---|" + "---|" * len(peers),
    ]
    for name, (wall, processor) in found.items():
        told = "".join(
            f" {ratio(found[peer][0], wall):.2f} / {ratio(found[peer][1], processor):.2f} |"
            for peer in peers
        )
        lines.append(
            f"| {name} | {1000 * statistics.median(wall):.2f} "
            f"({1000 * min(wall):.2f} to {1000 * max(wall):.2f}) "
            f"| {1000 * statistics.median(processor):.2f} |{told}"
        )
    return "\n".join(lines)


def main() -> int:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--patients", type=int, default=4)
    parser.add_argument("--slices", type=int, default=16, help="per patient")
    parser.add_argument("--size", type=int, default=512, help="side of the raw slices in px")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    if importlib.util.find_spec("monai") is None:
        print("skipped: MONAI is not installed here (pip install monai, in an environment apart)")
        return 0
    torch.set_num_threads(1)
    slices = (options.slices, options.slices)
    cohort = PhantomConfig(
        patients=(options.patients, 0, 0), slices=slices, size_px=options.size, seed=options.seed
    )
    with tempfile.TemporaryDirectory() as root:
        folder = write_phantom_cohort(Path(root) / "cohort", cohort)
        cache = Path(root) / "cache"
        in_memory, without = prepared(folder, None)
        _, filling = prepared(folder, cache)
        on_disk, filled = prepared(folder, cache)
        items = raw_items(in_memory)
        found = measured(
            {
                "MONAI CacheDataset": monai_pipeline(items, options.seed, track_meta=True),
                "MONAI CacheDataset, no metadata": monai_pipeline(
                    items, options.seed, track_meta=False
                ),
                "TetraCT, cache on disk": ours(on_disk),
                "TetraCT, cache in memory": ours(in_memory),
            },
            len(in_memory),
            options.rounds,
        )
    print(
        f"{len(in_memory)} slices of {options.size} px as {SIDE} px, {options.rounds} rounds, "
        f"seed {options.seed}, torch {torch.__version__}\n"
    )
    print(table(found))
    print(
        f"\nall slices ready: without a cache on disk {without:.2f} s, filling it {filling:.2f} s, "
        f"from it {filled:.2f} s"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
