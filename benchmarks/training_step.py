"""Cost of one four-task training step against four single-task ones, side by side in one run.

Ours is one network; the peers are what people would otherwise train, each in its best CPU
setting: an smp U-Net for masks, another for reconstruction, a torchvision ResNet-50 classifier
and torchvision's Mask R-CNN at 256 px. All at batch 4, 256x256, forward and backward and
optimiser step, channels-last, and bfloat16 where this processor multiplies in it.

Rounds are interleaved (A, B, C, ... A, B, C, ...), so that a machine that slows down slows all of
them; the ratio is taken round by round and its median is reported.
"""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import segmentation_models_pytorch as smp
import torch
import torchvision
from torch import nn
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy, l1_loss

from tetract.joint import JointConfig, weighted_sum
from tetract.model import Network, NetworkSpec
from tetract.train.machine import cpu_has_bf16
from tetract.types import Task
from tetract.types.batch import Batch, BoxRow, Identity

SIDE, ROWS = 256, 4
Step = Callable[[], None]


def make_batch() -> Batch:
    """Every row labelled for every task, two lesions each: the dearest case."""
    generator = torch.Generator().manual_seed(0)
    corners = torch.tensor([[40.0, 60.0, 70.0, 90.0], [150.0, 120.0, 165.0, 138.0]])
    lesions = torch.zeros(2, SIDE, SIDE, dtype=torch.bool)
    for lesion, (x0, y0, x1, y1) in zip(lesions, corners.int().tolist(), strict=True):
        lesion[y0:y1, x0:x1] = True
    row = BoxRow(
        xyxy=corners,
        labels=torch.zeros(2, dtype=torch.int64),
        masks=lesions,
        annotated=torch.ones(1, dtype=torch.bool),
    )
    who = [
        Identity(row=i, patient=str(i), source="", slice_index=0, spacing_mm=None)
        for i in range(ROWS)
    ]
    return Batch(
        image=torch.rand(ROWS, 1, SIDE, SIDE, generator=generator),
        labelled=torch.ones(ROWS, 4, dtype=torch.bool),
        label=torch.eye(3, dtype=torch.bool)[torch.arange(ROWS) % 3],
        masks=lesions.any(dim=0).expand(ROWS, 2, SIDE, SIDE).clone(),
        masks_annotated=torch.ones(ROWS, 2, dtype=torch.bool),
        boxes=(row,) * ROWS,
        identity=tuple(who),
    )


def stepper(module: nn.Module, loss: Callable[[], torch.Tensor], *, bf16: bool) -> Step:
    """Forward, backward and optimiser step of ``module``."""
    optimiser = torch.optim.AdamW(module.parameters(), lr=1e-4)

    def step() -> None:
        optimiser.zero_grad(set_to_none=True)
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=bf16):
            total = loss()
        total.backward()
        optimiser.step()

    return step


def ours(batch: Batch, *, encoder: str, norm: str, mode: str, share: float, bf16: bool) -> Step:
    """The joint step."""
    spec = NetworkSpec.model_validate(
        {
            "tasks": tuple(Task),
            "encoder": {"name": encoder, "norm": norm},
            "classes": ("a", "b", "c"),
            "mask_classes": ("lung", "lesion"),
            "box_classes": ("lesion",),
            "image_px": SIDE,
            "reconstruction": {"mode": mode, "rows_per_step": share},
        }
    )
    network = Network(spec).train().to(memory_format=torch.channels_last)
    generator = torch.Generator().manual_seed(0)

    def loss() -> torch.Tensor:
        total = weighted_sum(network.losses(batch, generator), JointConfig())
        assert total is not None
        return total

    return stepper(network, loss, bf16=bf16)


def peers(batch: Batch, *, bf16: bool) -> dict[str, Step]:
    """The four single-task steps."""
    image = batch.image.contiguous(memory_format=torch.channels_last)
    grey3 = batch.image.expand(-1, 3, -1, -1).contiguous(memory_format=torch.channels_last)
    masks, label = batch.masks.float(), batch.label.int().argmax(dim=1)
    last = torch.channels_last
    segment = smp.Unet("resnet50", encoder_weights=None, in_channels=1, classes=2)
    rebuild = smp.Unet("resnet50", encoder_weights=None, in_channels=1, classes=1)
    classify = torchvision.models.resnet50(weights=None, num_classes=3)
    detect = torchvision.models.detection.maskrcnn_resnet50_fpn(
        weights=None, weights_backbone=None, num_classes=2, min_size=SIDE, max_size=SIDE
    )
    modules = [m.train().to(memory_format=last) for m in (segment, rebuild, classify, detect)]
    segment, rebuild, classify, detect = modules
    dice = smp.losses.DiceLoss("multilabel")
    targets = [
        {"boxes": row.xyxy, "labels": row.labels + 1, "masks": row.masks.to(torch.uint8)}
        for row in batch.boxes
        if row is not None and row.masks is not None
    ]

    def segment_loss() -> torch.Tensor:
        logits = segment(image)
        return dice(logits, masks) + binary_cross_entropy_with_logits(logits, masks)

    return {
        "smp U-Net, masks": stepper(segment, segment_loss, bf16=bf16),
        "smp U-Net, reconstruction": stepper(
            rebuild, lambda: l1_loss(rebuild(image), image), bf16=bf16
        ),
        "torchvision ResNet-50 classifier": stepper(
            classify, lambda: cross_entropy(classify(grey3), label), bf16=bf16
        ),
        "torchvision Mask R-CNN": stepper(
            detect, lambda: sum(detect(list(grey3), targets).values()), bf16=bf16
        ),
    }


def timed(steps: dict[str, Step], rounds: int) -> dict[str, list[float]]:
    """Seconds of each step, by round, after one round that is not counted."""
    seconds: dict[str, list[float]] = {name: [] for name in steps}
    for counted in [False] + [True] * rounds:
        for name, step in steps.items():
            start = time.perf_counter()
            step()
            if counted:
                seconds[name].append(time.perf_counter() - start)
    return seconds


def main() -> int:
    """Print the table and write it as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--out", type=Path, default=None, help="JSON file to write")
    options = parser.parse_args()
    torch.manual_seed(0)
    bf16, batch = cpu_has_bf16(), make_batch()
    mine = {
        "TetraCT, four tasks": ours(
            batch, encoder="resnet50", norm="group", mode="masked", share=0.5, bf16=bf16
        ),
        "TetraCT, four tasks, every row hidden too": ours(
            batch, encoder="resnet50", norm="group", mode="masked", share=1.0, bf16=bf16
        ),
        "TetraCT, four tasks, the paper's plain reconstruction": ours(
            batch, encoder="resnet50", norm="batch", mode="plain", share=1.0, bf16=bf16
        ),
    }
    others = peers(batch, bf16=bf16)
    seconds = timed(mine | others, options.rounds)
    together = np.sum([seconds[name] for name in others], axis=0)
    print(
        f"{ROWS} x {SIDE} x {SIDE}, {torch.get_num_threads()} threads, torch {torch.__version__},"
    )
    print(f"{'bf16' if bf16 else 'fp32'}, {platform.processor() or platform.machine()}")
    print("\n| step | median s | ratio to the four peers together |\n| --- | --- | --- |")
    ratios: dict[str, float] = {}
    for name, values in seconds.items():
        ratios[name] = statistics.median(np.asarray(values) / together)
        print(f"| {name} | {statistics.median(values):.2f} | {ratios[name]:.2f} |")
    print(f"| the four peers together | {statistics.median(together):.2f} | 1 |")
    if options.out:
        options.out.write_text(json.dumps({"seconds": seconds, "ratio": ratios}, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
