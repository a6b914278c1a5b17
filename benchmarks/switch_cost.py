"""What each switch of the network adds to a four-task training step.

ResNet-18, batch 4, 256 x 256, float32, one thread. Processor seconds, not wall-clock ones, so that
other work on the machine disturbs little; rounds are interleaved, and the ratio to the default
is taken round by round. Run as ``python -m benchmarks.switch_cost --rounds 3``.
"""

from __future__ import annotations

import argparse
import platform
import statistics
import sys
import time
from dataclasses import replace

import torch

from benchmarks.training_step import ROWS, SIDE, Step, make_batch, stepper
from tetract.joint import JointConfig, weighted_sum
from tetract.model import Network, NetworkSpec
from tetract.train.average import average_of, follow
from tetract.types import Task

SWITCHES: dict[str, dict[str, object]] = {
    "default": {},
    "segmentation.deep_supervision=2": {"segmentation": {"deep_supervision": 2}},
    "encoder.fine_stem=16": {"encoder": {"fine_stem": 16}},
    "classification.pooling=attention": {"classification": {"pooling": "attention"}},
    "data.neighbours=1": {"neighbours": 1},
    "detection.pyramid=decoder": {"detection": {"pyramid": "decoder"}},
    "detection.context=concat": {"detection": {"context": "concat"}},
    "detection.objectness=focal": {"detection": {"objectness": "focal"}},
    "detection.matching=adaptive": {"detection": {"matching": "adaptive"}},
    "detection.head_norm=group": {"detection": {"head_norm": "group"}},
    "detection.finest_stride=2": {"detection": {"finest_stride": 2}},
}
AVERAGE = "run.average=0.99"


def build(switch: dict[str, object], *, averages: bool = False) -> Step:
    """The joint step with one switch thrown."""
    names = {"classes": ("a", "b", "c"), "mask_classes": ("lung", "lesion")}
    spec = NetworkSpec.model_validate(
        {"tasks": tuple(Task), "box_classes": ("lesion",), "image_px": SIDE, **names, **switch}
    )
    network = Network(spec).train().to(memory_format=torch.channels_last)
    batch = make_batch()
    batch = replace(batch, image=batch.image.expand(-1, spec.image_channels, -1, -1).contiguous())
    generator = torch.Generator().manual_seed(0)

    def loss() -> torch.Tensor:
        total = weighted_sum(network.losses(batch, generator), JointConfig())
        assert total is not None
        return total

    step = stepper(network, loss, bf16=False)
    if not averages:
        return step
    averaged = average_of(network)

    def averaging() -> None:
        step()
        follow(averaged, network, decay=0.99, step=100)

    return averaging


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    rounds = parser.parse_args().rounds
    torch.set_num_threads(1)
    torch.manual_seed(0)
    steps = {name: build(switch) for name, switch in SWITCHES.items()}
    steps[AVERAGE] = build({}, averages=True)
    seconds: dict[str, list[float]] = {name: [] for name in steps}
    for counted in [False] + [True] * rounds:
        for name, step in steps.items():
            start = time.process_time()
            step()
            if counted:
                seconds[name].append(time.process_time() - start)
    print(f"{ROWS} x {SIDE} x {SIDE}, torch {torch.__version__}, {platform.machine()}, 1 thread")
    print("\n| switch | median processor s | ratio to default | of the rounds |")
    print("| --- | --- | --- | --- |")
    for name, values in seconds.items():
        ratios = [one / base for one, base in zip(values, seconds["default"], strict=True)]
        span = f"{min(ratios):.2f} to {max(ratios):.2f}"
        print(
            f"| `{name}` | {statistics.median(values):.2f} | {statistics.median(ratios):.2f} "
            f"| {span} |"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
