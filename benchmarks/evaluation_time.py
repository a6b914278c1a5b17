"""`python -m benchmarks.evaluation_time`: how much of an evaluation is spent outside the model.

Phantom slices of 512 px, the network of recipes/cpu.yaml, untrained, in whose place no oracle could
stand: what it says is noise, so there are as many boxes and parts as there may be. The model and
what is done per slice are timed on some slices; scoring and writing on as many rows as asked for,
copies with patients of their own. Processor time of one thread. Results:
docs/results/evaluation-time.md.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from tetract.data.batches import batches_in_order
from tetract.data.phantom.cohort import write_phantom_cohort
from tetract.data.phantom.patient import PhantomConfig
from tetract.evaluate.collect import Collected, collect
from tetract.evaluate.files import write_evaluation
from tetract.evaluate.result import Hiding, Setting
from tetract.evaluate.score import score
from tetract.model import Network
from tetract.recipe import load_recipe
from tetract.recipe.checks import fill_names
from tetract.recipe.experiment import build_network
from tetract.recipe.opening import open_data, open_split
from tetract.recipe.planning import stand_in
from tetract.types import Task
from tetract.types.predictions import Predictions
from tetract.types.resamples import draw_resamples

ROWS = ("seen", "signals", *(task.value for task in Task))


class Timed:
    """A network that knows how long it was asked."""

    def __init__(self, network: Network) -> None:
        self.network, self.seconds = network, 0.0
        self.tasks, self.label_space = network.tasks, network.label_space

    def predict(self, image: Tensor, tasks: tuple[Task, ...] | None = None) -> Predictions:
        """As the network's; timed."""
        started = time.process_time()
        said = self.network.predict(image, tasks)
        self.seconds += time.process_time() - started
        return said


@contextmanager
def timed(into: dict[str, float], name: str) -> Generator[None, None, None]:
    """Processor time of what is done within."""
    started = time.process_time()
    yield
    into[name] = into.get(name, 0.0) + time.process_time() - started


def copies(rows: Sequence[Any], times: int, cut: Callable[[int], int]) -> tuple[Any, ...]:
    """Rows again and again, each time as other patients."""
    found: list[Any] = []
    for turn in range(times):
        for row in rows:
            who = row.identity
            found.append(
                replace(
                    row,
                    identity=replace(
                        who, row=who.row + turn * 100000, patient=f"{turn}-{who.patient}"
                    ),
                )
            )
    return tuple(found[: cut(len(found))])


def enlarge(collected: Collected, slices: int) -> Collected:
    """As many slices as asked for; every task's rows grow alike."""
    seen = len(collected.seen)
    times = -(-slices // seen)
    grown = {
        name: copies(getattr(collected, name), times, lambda n: round(n * slices / (times * seen)))
        for name in ROWS
    }
    assert set(grown) <= {field.name for field in fields(collected)}
    return replace(collected, **grown)


def measure(px: int, measured: int, slices: int, folder: Path) -> dict[str, float]:
    """Seconds of each part of an evaluation of ``slices`` slices."""
    patients = max(2, measured // 16)
    cohort = write_phantom_cohort(
        folder / "phantom", PhantomConfig(patients=(1, 1, patients), slices=(16, 16), size_px=512)
    )
    asked = load_recipe(
        Path("recipes/cpu.yaml"), [f'data.folder="{cohort}"', f"data.image_px={px}"]
    )
    recipe = stand_in(fill_names(asked, open_data(asked.data).card))
    network = Timed(build_network(recipe).eval())
    spent: dict[str, float] = {}
    with timed(spent, "reading and resizing"):
        dataset = open_split(recipe, open_data(recipe.data), "test")
    hidden = recipe.reconstruction
    setting = Setting(
        hiding=Hiding(patch_px=hidden.patch_px, fraction=hidden.hidden_fraction, seed=0),
        hu_window_width=1500.0,
    )
    with timed(spent, "measuring slices"):
        collected = collect(network, batches_in_order(dataset, 8), setting)
    spent["measuring slices"] -= network.seconds
    grow = slices / len(collected.seen)
    spent = {name: seconds * grow for name, seconds in spent.items()}
    spent["model"] = network.seconds * grow
    many = enlarge(collected, slices)
    with timed(spent, "scoring, 1000 draws"):
        evaluation = score(many, resamples=draw_resamples(many.seen, draws=1000, seed=0))
    with timed(spent, "writing"):
        write_evaluation(folder / "evaluation", evaluation, many)
    return spent


def main() -> None:
    """Measure and print a row of the table."""
    ask = argparse.ArgumentParser(description=__doc__)
    ask.add_argument("--px", type=int, default=256)
    ask.add_argument("--measured", type=int, default=96, help="slices that the model really sees")
    ask.add_argument("--slices", type=int, default=1000)
    asked = ask.parse_args()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        spent = measure(asked.px, asked.measured, asked.slices, Path(folder))
    total = sum(spent.values())
    print(f"{asked.px} px, {asked.slices} slices ({asked.measured} through the model):")
    for name, seconds in sorted(spent.items(), key=lambda pair: -pair[1]):
        print(f"  {name:22s} {seconds:8.1f} s  {seconds / total:6.1%}")
    print(f"  outside the model      {1 - spent['model'] / total:17.1%} of {total:.0f} s")


if __name__ == "__main__":
    main()
