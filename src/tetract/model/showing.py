"""Which rows the encoder sees whole, and which hidden or damaged in part."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from tetract.tasks.reconstruction import ReconstructionConfig
from tetract.tasks.reconstruction.damage import Damaged, add_noise, confuse
from tetract.tasks.reconstruction.hide import draw_hidden, hide
from tetract.types import Task
from tetract.types.batch import Batch

RECONSTRUCTION = list(Task).index(Task.RECONSTRUCTION)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What goes through the encoder, and what it is compared with.

    Attributes:
        image: (R, C, H, W) input of the encoder, hidden or damaged in part in some rows.
        batch: The same R rows with their true images and with the labels each is used for.
    """

    image: Float[Tensor, "R C H W"]
    batch: Batch


def show(
    batch: Batch,
    tasks: tuple[Task, ...],
    config: ReconstructionConfig,
    generator: torch.Generator,
) -> Shown:
    """Arrange one step's rows for a single pass through the encoder.

    Unless reconstruction is plain, some rows are appended a second time, hidden or damaged, so that
    the other tasks never see a damaged slice; a row that teaches nothing but reconstruction is
    not encoded whole. Rows that teach none of ``tasks`` are left out.
    """
    columns = [i for i, task in enumerate(Task) if task in tasks and i != RECONSTRUCTION]
    whole = batch.labelled[:, columns].any(dim=1).nonzero().flatten()
    if Task.RECONSTRUCTION not in tasks or len(batch.rows(Task.RECONSTRUCTION)) == 0:
        kept = batch.select(whole)
        return Shown(image=kept.image, batch=kept)
    if config.mode == "plain":
        kept = batch.select(
            batch.labelled[:, [*columns, RECONSTRUCTION]].any(dim=1).nonzero()[:, 0]
        )
        return Shown(image=kept.image, batch=kept)
    again = _rows_to_hide(batch, columns, config.rows_per_step, generator)
    rows = torch.cat([whole, again])
    stacked = batch.select(rows)
    labelled = stacked.labelled.clone()
    labelled[: len(whole), RECONSTRUCTION] = False
    labelled[len(whole) :] = False
    labelled[len(whole) :, RECONSTRUCTION] = True
    damaged = _damaged(batch.image[again], config, generator)
    untouched = torch.zeros_like(batch.image[whole, :1], dtype=torch.bool)
    return Shown(
        image=torch.cat([batch.image[whole], damaged.image]),
        batch=replace(stacked, labelled=labelled, hidden=torch.cat([untouched, damaged.changed])),
    )


def _damaged(
    image: Float[Tensor, "R C H W"], config: ReconstructionConfig, generator: torch.Generator
) -> Damaged:
    """The rows as reconstruction is shown them, and which pixels it must infer."""
    if config.mode == "denoising":
        return add_noise(image, config.noise_std, generator)
    if config.mode == "genesis":
        return confuse(image, generator)
    rows, _, height, width = image.shape
    hidden = draw_hidden(
        (rows, height, width),
        patch_px=config.patch_px,
        fraction=config.hidden_fraction,
        generator=generator,
    ).to(image.device)
    return Damaged(image=hide(image, hidden), changed=hidden)


def _rows_to_hide(
    batch: Batch, columns: list[int], share: float, generator: torch.Generator
) -> Int64[Tensor, " H"]:
    """Rows for reconstruction: all that teach nothing else, then others up to the share."""
    usable = batch.rows(Task.RECONSTRUCTION)
    only = ~batch.labelled[usable][:, columns].any(dim=1)
    shuffled = torch.randperm(len(usable), generator=generator).to(usable.device)
    # Stable, so that the shuffled order decides among rows of the same kind.
    order = shuffled[(~only[shuffled]).int().argsort(stable=True)]
    count = max(int(only.sum()), round(share * len(batch.image)), 1)
    return usable[order[:count]]
