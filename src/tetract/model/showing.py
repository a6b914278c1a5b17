"""Which rows the encoder sees whole, and which with patches hidden."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from tetract.tasks.reconstruction import ReconstructionConfig
from tetract.tasks.reconstruction.hide import draw_hidden, hide
from tetract.types import Task
from tetract.types.batch import Batch

RECONSTRUCTION = list(Task).index(Task.RECONSTRUCTION)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What goes through the encoder, and what it is compared with.

    Attributes:
        image: (R, C, H, W) input of the encoder, patches hidden in some rows.
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

    For masked reconstruction some rows are appended a second time with patches hidden, so that
    the other tasks never see a damaged slice; a row that teaches nothing but reconstruction is
    not encoded whole. Rows that teach none of ``tasks`` are left out.
    """
    columns = [i for i, task in enumerate(Task) if task in tasks and i != RECONSTRUCTION]
    whole = batch.labelled[:, columns].any(dim=1).nonzero().flatten()
    if Task.RECONSTRUCTION not in tasks:
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
    height, width = batch.image.shape[-2:]
    hidden = torch.zeros(len(rows), 1, height, width, dtype=torch.bool)
    hidden[len(whole) :] = draw_hidden(
        (len(again), height, width),
        patch_px=config.patch_px,
        fraction=config.hidden_fraction,
        generator=generator,
    )
    hidden = hidden.to(batch.image.device)
    return Shown(
        image=hide(stacked.image, hidden),
        batch=replace(stacked, labelled=labelled, hidden=hidden),
    )


def _rows_to_hide(
    batch: Batch, columns: list[int], share: float, generator: torch.Generator
) -> Int64[Tensor, " H"]:
    """Rows for masked reconstruction: all that teach nothing else, then others up to the share."""
    usable = batch.rows(Task.RECONSTRUCTION)
    only = ~batch.labelled[usable][:, columns].any(dim=1)
    shuffled = torch.randperm(len(usable), generator=generator).to(usable.device)
    # Stable, so that the shuffled order decides among rows of the same kind.
    order = shuffled[(~only[shuffled]).int().argsort(stable=True)]
    count = max(int(only.sum()), round(share * len(batch.image)), 1)
    return usable[order[:count]]
