"""`python -m benchmarks.other_hospital RUN ...`: masks of slices turned, windowed, sampled anew.

Only one source of `shared/data/ct` has masks of infections, so leaving it out leaves nothing to
learn them from. Instead the validation and test slices are changed as another hospital would have
exported them, and the answers are turned back before they are scored: a stand-in, and an easier
one, for a source that training never saw. ``--figure`` draws the table. Results:
docs/results/method.md.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import matplotlib.pyplot as plt
import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from tetract.data.batches import batches_in_order
from tetract.evaluate.collect import collect, joined
from tetract.evaluate.named_figures import named_figures
from tetract.evaluate.result import Hiding, Setting
from tetract.evaluate.score import score
from tetract.model.network import Network
from tetract.recipe import load_recipe
from tetract.recipe.evaluation import open_run
from tetract.types import LabelSpace, Task
from tetract.types.predictions import Predictions

SPLITS = ("val", "test")


def _same(pixels: Tensor) -> Tensor:
    return pixels


@dataclass(frozen=True)
class Change:
    """What another hospital does to a slice.

    Attributes:
        greys: Of the (B, C, H, W) image in [0, 1]; nothing moves.
        turn: Moves pixels.
        back: Undoes ``turn``.
    """

    greys: Callable[[Tensor], Tensor] = _same
    turn: Callable[[Tensor], Tensor] = _same
    back: Callable[[Tensor], Tensor] = _same


def wider(image: Tensor) -> Tensor:
    """A window of 1.5 times the width, as for bone and lung together."""
    return 0.2 + image / 1.5


def narrower(image: Tensor) -> Tensor:
    """A window of 0.6 times the width."""
    return ((image - 0.15) / 0.6).clamp(0, 1)


def coarser(image: Tensor) -> Tensor:
    """Pixels of twice the side."""
    small = functional.avg_pool2d(image, 2)
    return functional.interpolate(small, size=image.shape[2:], mode="bilinear")


def quarter(pixels: Tensor) -> Tensor:
    """A quarter turn."""
    return pixels.rot90(1, dims=(2, 3))


def unquarter(pixels: Tensor) -> Tensor:
    """Back from it."""
    return pixels.rot90(-1, dims=(2, 3))


def upside_down(pixels: Tensor) -> Tensor:
    """The back of the patient above."""
    return pixels.flip(2)


CHANGES: Mapping[str, Change] = {
    "as they are": Change(),
    "a quarter turn": Change(turn=quarter, back=unquarter),
    "upside down": Change(turn=upside_down, back=upside_down),
    "window 1.5 times as wide": Change(greys=wider),
    "window 0.6 times as wide": Change(greys=narrower),
    "darker (gamma 1.6)": Change(greys=lambda image: image**1.6),
    "brighter (gamma 0.6)": Change(greys=lambda image: image**0.6),
    "pixels of twice the side": Change(greys=coarser),
    "upside down, brighter, wider": Change(
        greys=lambda image: wider(image**0.6), turn=upside_down, back=upside_down
    ),
    "a quarter turn, narrower, twice the side": Change(
        greys=lambda image: coarser(narrower(image)), turn=quarter, back=unquarter
    ),
}


@dataclass(frozen=True)
class Elsewhere:
    """A model that is shown changed slices and answers for the slices as they were."""

    network: Network
    change: Change

    @property
    def tasks(self) -> tuple[Task, ...]:
        """Masks only."""
        return (Task.SEGMENTATION,)

    @property
    def label_space(self) -> LabelSpace:
        """Of the model."""
        return self.network.label_space

    def predict(
        self, image: Float[Tensor, "B C H W"], tasks: tuple[Task, ...] | None = None
    ) -> Predictions:
        """Masks, turned back."""
        shown = self.change.turn(self.change.greys(image)).contiguous()
        said = self.network.predict(shown, tasks or self.tasks).mask_probabilities
        assert said is not None
        return Predictions(mask_probabilities=self.change.back(said).contiguous())


def main() -> None:
    """Print one row per change, one column per run."""
    ask = argparse.ArgumentParser(description=__doc__)
    ask.add_argument("runs", type=Path, nargs="+")
    ask.add_argument("--mask", default="infection", help="the class that is scored")
    ask.add_argument("--batch", type=int, default=8)
    ask.add_argument("--figure", type=Path, help="an SVG or PNG to draw")
    asked = ask.parse_args()
    torch.set_num_threads(1)
    found = {run.name: dice(run, asked.mask, asked.batch) for run in asked.runs}
    print("| slices | " + " | ".join(found) + " |")
    print("|---" * (1 + len(found)) + "|")
    for name in CHANGES:
        print(f"| {name} | " + " | ".join(f"{one[name]:.3f}" for one in found.values()) + " |")
    if asked.figure is not None:
        draw(found, asked.mask, asked.figure)


def draw(found: Mapping[str, Mapping[str, float]], mask: str, file: Path) -> None:
    """One dot per run and change; a line joins the runs of a change."""
    plt.rcParams.update({"svg.hashsalt": "tetract", "font.size": 9})
    figure, axes = plt.subplots(figsize=(7.5, 0.36 * len(CHANGES) + 0.9))
    for place, name in enumerate(CHANGES):
        values = [one[name] for one in found.values()]
        axes.plot([min(values), max(values)], [place, place], color="#bbbbbb", linewidth=1)
    for (run, one), marker in zip(found.items(), "osD^v", strict=False):
        axes.plot([one[name] for name in CHANGES], range(len(CHANGES)), marker, label=run)
    axes.set_yticks(range(len(CHANGES)), list(CHANGES))
    axes.invert_yaxis()
    axes.set_xlim(0, 1)
    axes.set_xlabel(f"Dice of {mask}")
    axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2, fontsize=8, frameon=False)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    figure.tight_layout()
    figure.savefig(file, metadata={"Date": None})


def dice(run: Path, mask: str, batch: int) -> dict[str, float]:
    """Dice of a class over all pixels of both splits, by change; last weights."""
    recipe = load_recipe(run / "recipe.yaml", [])
    splits = [open_run(recipe, run / "last", split) for split in SPLITS]
    network = splits[0].bundle.network
    config = recipe.reconstruction
    hiding = Hiding(patch_px=config.patch_px, fraction=config.hidden_fraction, seed=0)
    found: dict[str, float] = {}
    for name, change in CHANGES.items():
        asked = Elsewhere(network, change)
        parts = [
            collect(asked, batches_in_order(one.dataset, batch), Setting(hiding=hiding))
            for one in splits
        ]
        figure = named_figures(score(joined(parts)))[f"segmentation/{mask}/dice"].value
        assert figure is not None, f"{mask} is in no mask"
        found[name] = figure
    return found


if __name__ == "__main__":
    main()
