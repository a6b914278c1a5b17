"""Our four-task model against what people use, on the same slices and in the same processor time.

``python -m benchmarks.against_peers --data work/ct --recipe recipes/cpu.yaml -o runs/peers``

The recipe is trained first; its processor seconds on one thread are then given to each peer
*alone* (``share`` 1), and a quarter of them (``share`` 0.25: the four peers together cost what our
one model costs). Peers, each as its library builds it and without pretrained weights, which ours
must not have either:

- smp U-Net (ResNet-34, its default), Dice + BCE;
- timm ResNet-50, cross-entropy;
- torchvision Mask R-CNN (ResNet-50 FPN) with its defaults, which enlarge slices to 800 px, and
  the same without enlarging.

To be kind, peers get our reader, our augmentation and our sampler, learn masks on annotated
channels only, and candidate sets of classes; AdamW at 1e-3 (ResNet-50 and Mask R-CNN: 3e-4) with a
cosine over their time. All are scored by the same code on the validation and test patients, by
their last weights. Finished trainings are kept.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import segmentation_models_pytorch as smp
import timm
import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits
from torchvision.models.detection import MaskRCNN, maskrcnn_resnet50_fpn

from tetract.data.batches import StepBatches, batches_in_order
from tetract.data.dataset import SliceDataset
from tetract.evaluate.collect import Collected, collect, joined
from tetract.evaluate.named_figures import named_figures
from tetract.evaluate.result import Setting
from tetract.evaluate.rows_file import ROWS_NAME, read_rows, write_rows
from tetract.evaluate.score import score
from tetract.recipe import Recipe, evaluate_run, load_recipe, save_evaluated, train
from tetract.recipe.experiment import batch_plan
from tetract.recipe.opening import open_data, open_split
from tetract.types import LabelSpace, Task
from tetract.types.batch import Batch, BoxRow
from tetract.types.figure import Figure
from tetract.types.predictions import DetectedBoxes, Predictions
from tetract.types.resamples import draw_resamples

SPLITS = ("val", "test")
DRAWS = 1000
FIGURES = {
    Task.SEGMENTATION: ("segmentation/dice_lesions",),
    Task.CLASSIFICATION: ("classification/auroc_within_macro",),
    Task.DETECTION: ("detection/any_lesion/ap_30", "detection/any_lesion/sensitivity_1fp"),
}
UNET, RESNET = "smp U-Net", "timm ResNet-50"
STOCK, SAME = "torchvision Mask R-CNN", "torchvision Mask R-CNN, not enlarged"


@dataclass(frozen=True)
class Peer:
    """A single-task model that can be evaluated like ours."""

    name: str
    task: Task
    rate: float
    module: nn.Module
    loss: Callable[[Batch], Tensor]
    answer: Callable[[Tensor], Predictions]
    label_space: LabelSpace

    @property
    def tasks(self) -> tuple[Task, ...]:
        """Its one task."""
        return (self.task,)

    def predict(self, image: Tensor, tasks: tuple[Task, ...] | None = None) -> Predictions:
        """Run it without gradients."""
        del tasks
        with torch.no_grad():
            return self.answer(image)


def unet(names: LabelSpace) -> Peer:
    """Masks."""
    module = smp.Unet(
        "resnet34", encoder_weights=None, in_channels=1, classes=len(names.mask_classes)
    )
    dice = smp.losses.DiceLoss("multilabel")

    def loss(batch: Batch) -> Tensor:
        known = batch.masks_annotated[:, :, None, None]
        logits, truth = module(batch.image), (batch.masks & known).float()
        bce = binary_cross_entropy_with_logits(logits, truth, reduction="none")
        shown = logits.masked_fill(~known, -30.0)
        return dice(shown, truth) + (bce * known).sum() / (known.sum() * bce[0, 0].numel()).clamp(1)

    def answer(image: Tensor) -> Predictions:
        return Predictions(mask_probabilities=module(image).sigmoid())

    return Peer(UNET, Task.SEGMENTATION, 1e-3, module, loss, answer, names)


def resnet(names: LabelSpace) -> Peer:
    """Classes."""
    module = timm.create_model("resnet50", in_chans=1, num_classes=len(names.classes))

    def loss(batch: Batch) -> Tensor:
        said = module(batch.image).log_softmax(dim=1)
        return -said.masked_fill(~batch.label, float("-inf")).logsumexp(dim=1).mean()

    def answer(image: Tensor) -> Predictions:
        return Predictions(class_probabilities=module(image).softmax(dim=1))

    return Peer(RESNET, Task.CLASSIFICATION, 3e-4, module, loss, answer, names)


def detector(names: LabelSpace, name: str, **size: int) -> Peer:
    """Boxes."""
    module: MaskRCNN = maskrcnn_resnet50_fpn(
        weights=None, weights_backbone=None, num_classes=len(names.box_classes) + 1, **size
    )

    def loss(batch: Batch) -> Tensor:
        targets = [_target(row, batch.image.shape[-1]) for row in batch.boxes if row is not None]
        return torch.stack(list(module([*_colour(batch.image)], targets).values())).sum()

    def answer(image: Tensor) -> Predictions:
        found = [
            DetectedBoxes(
                xyxy=one["boxes"], scores=one["scores"], labels=one["labels"] - 1,
                masks=one["masks"][:, 0],
            )
            for one in module([*_colour(image)])
        ]  # fmt: skip
        return Predictions(boxes=tuple(found))

    return Peer(name, Task.DETECTION, 3e-4, module, loss, answer, names)


def _colour(image: Tensor) -> Tensor:
    return image.expand(-1, 3, -1, -1)


def _target(row: BoxRow, side: int) -> dict[str, Tensor]:
    masks = row.masks
    if masks is None:  # a box without outline counts as filled
        masks = torch.zeros(len(row.xyxy), side, side, dtype=torch.bool)
        for mask, (x0, y0, x1, y1) in zip(masks, row.xyxy.round().int().tolist(), strict=True):
            mask[y0:y1, x0:x1] = True
    return {"boxes": row.xyxy, "labels": row.labels + 1, "masks": masks.to(torch.uint8)}


def teach(peer: Peer, recipe: Recipe, seconds: float) -> int:
    """Train for so many processor seconds; returns the steps taken."""
    dataset = open_split(recipe, open_data(recipe.data), "train")
    batches = StepBatches(dataset, batch_plan(recipe, dataset), seed=recipe.run.seed)
    optimiser = torch.optim.AdamW(peer.module.parameters(), lr=peer.rate, weight_decay=0.01)
    peer.module.train()
    torch.manual_seed(recipe.run.seed)
    started, step = time.process_time(), 0
    while (spent := (time.process_time() - started) / seconds) < 1:
        for group in optimiser.param_groups:
            group["lr"] = peer.rate * min(
                1.0, spent / 0.05 + 0.01, 0.5 + 0.5 * math.cos(math.pi * spent)
            )
        batch = batches[step]
        batch = batch.select(batch.rows(peer.task))
        optimiser.zero_grad(set_to_none=True)
        peer.loss(batch).backward()
        nn.utils.clip_grad_norm_(peer.module.parameters(), 5.0)
        optimiser.step()
        step += 1
    peer.module.eval()
    return step


def ours(recipe: Recipe) -> tuple[float, dict[str, Setting]]:
    """Processor seconds of our training, and how its rows were scored."""
    folder = recipe.run.folder
    note = folder / "seconds.json"
    if not note.exists():
        started = time.process_time()
        train(recipe, show_progress=False)
        note.write_text(json.dumps(time.process_time() - started))
    settings: dict[str, Setting] = {}
    for split in SPLITS:
        rows = folder / "evaluation" / split / ROWS_NAME
        if not rows.exists():
            done = evaluate_run(load_recipe(folder / "recipe.yaml"), folder / "last", split=split)
            save_evaluated(rows.parent, done)
        settings[split] = read_rows(rows).setting
    return float(json.loads(note.read_text())), settings


def measured(
    peer: Peer, recipe: Recipe, seconds: float, settings: dict[str, Setting], out: Path
) -> None:
    """Train and score a peer, and keep its rows."""
    if (out / "steps.json").exists():
        return
    recipe = recipe.model_copy(update={"tasks": peer.tasks})
    steps = teach(peer, recipe, seconds)
    for split in SPLITS:
        dataset: SliceDataset = open_split(recipe, open_data(recipe.data), split)
        rows = collect(peer, batches_in_order(dataset, 8), settings[split])
        (out / split).mkdir(parents=True, exist_ok=True)
        write_rows(out / split, rows)
    (out / "steps.json").write_text(json.dumps(steps))


def rows_in(folder: Path) -> Collected:
    """Both splits."""
    return joined([read_rows(folder / split / ROWS_NAME) for split in SPLITS])


def main() -> None:
    """Train all, print one table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--recipe", type=Path, default=Path("recipes/cpu.yaml"))
    parser.add_argument("-o", "--out", type=Path, default=Path("runs/peers"))
    parser.add_argument("--only", choices=[UNET, RESNET, STOCK, SAME], help="name of one peer")
    parser.add_argument("--share", type=float, action="append", help="of our processor time")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    folder = asked.out / "tetract"
    recipe = load_recipe(asked.recipe, [f'data.folder="{asked.data}"', f'run.folder="{folder}"'])
    seconds, settings = ours(recipe)
    known = load_recipe(folder / "recipe.yaml")
    names = LabelSpace(
        classes=tuple(known.classes),
        mask_classes=tuple(known.mask_classes),
        box_classes=tuple(known.box_classes),
    )
    side = known.data.image_px
    makers: dict[str, Callable[[], Peer]] = {
        UNET: lambda: unet(names),
        RESNET: lambda: resnet(names),
        STOCK: lambda: detector(names, STOCK),
        SAME: lambda: detector(names, SAME, min_size=side, max_size=side),
    }
    mine = rows_in(folder / "evaluation")
    resamples = draw_resamples(mine.seen, draws=DRAWS, seed=0)
    scored = named_figures(score(mine, resamples=resamples))
    print(
        f"ours: {seconds / 60:.1f} processor minutes, {known.run.steps} steps of {known.run.batch}"
    )
    print("| peer | share | steps | figure | peer | ours |\n|---|--:|--:|---|---|---|")
    # Whole slices: windows are ours.
    whole = known.model_copy(update={"data": known.data.model_copy(update={"crop_px": None})})
    for name in [asked.only] if asked.only else makers:
        for share in asked.share or (1.0, 0.25):
            kept = asked.out / f"{name} {share}"
            torch.manual_seed(0)
            peer = makers[name]()
            measured(peer, whole, seconds * share, settings, kept)
            theirs = named_figures(score(rows_in(kept), resamples=resamples))
            steps = json.loads((kept / "steps.json").read_text())
            for figure in FIGURES[peer.task]:
                print(
                    f"| {name} | {share:g} | {steps} | {figure} "
                    f"| {shown(theirs, figure)} | {shown(scored, figure)} |",
                    flush=True,
                )


def shown(figures: Mapping[str, Figure], name: str) -> str:
    """Value and interval."""
    figure = figures[name]
    if figure.value is None:
        return figure.reason
    ends = figure.interval
    return f"{figure.value:.3f}" + (f" [{ends.low:.3f}, {ends.high:.3f}]" if ends else "")


if __name__ == "__main__":
    main()
