"""Batches: for training as a pure function of the step, for evaluation in table order."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset

from tetract.data.augment import apply
from tetract.data.augment_draw import draw
from tetract.data.collate import collate
from tetract.data.crop import crop, draw_window
from tetract.data.dataset import SliceDataset
from tetract.data.paste_rows import LesionPaste
from tetract.data.restyle import draw_restyle, restyle
from tetract.data.sampling import BatchPlan
from tetract.data.turn import draw_turn, turn_sample
from tetract.types.batch import Batch, Sample

_MARGIN = 1.5  # of a window's side: what is changed before the window is cut out of it


class StepBatches(Dataset[Batch]):
    """Item ``i`` is the batch of step ``i``: same seed, same step, same batch, on any worker.

    Nothing needs to be saved for a run to resume where it stopped.

    Args:
        dataset: The slices.
        plan: Which of them each step sees.
        seed: Of what is changed in them.
        with_plain: Whether batches also hold the slices moved alike with their grey values as read
            (``Batch.plain``). The same draws are applied twice, so both lie on one grid exactly
            and nothing needs to be moved back.
    """

    def __init__(
        self, dataset: SliceDataset, plan: BatchPlan, *, seed: int, with_plain: bool = False
    ) -> None:
        self.dataset = dataset
        self.plan = plan
        self.seed = seed
        self.with_plain = with_plain
        augment = dataset.config.augment
        pastes = augment.enabled and augment.paste.share > 0
        self._paste = LesionPaste(dataset, augment.paste) if pastes else None

    def __getitem__(self, index: int) -> Batch:
        """The augmented batch of step ``index``."""
        whole = [self._pasted(row, index, slot) for slot, row in enumerate(self.plan.rows(index))]
        shown = [self._shown(one, index, slot, greys=True) for slot, one in enumerate(whole)]
        batch = collate(shown, self.dataset.label_space)
        if not self.with_plain:
            return batch
        plain = [self._shown(one, index, slot, greys=False) for slot, one in enumerate(whole)]
        return replace(batch, plain=torch.from_numpy(np.stack([one.image for one in plain])))

    def _pasted(self, row: int, step: int, slot: int) -> Sample:
        """The whole slice, with lesions of other whole slices where there are to be any."""
        sample = self.dataset.sample(row)
        if self._paste is None:
            return sample
        return self._paste.apply(sample, np.random.default_rng([self.seed, step, slot, 2]))

    def _shown(self, sample: Sample, step: int, slot: int, *, greys: bool) -> Sample:
        """What the slot sees: the sample or a window of it, augmented."""
        side, at_lesion = self.dataset.config.crop_px, self.dataset.config.crop_at_lesion
        if side is None:
            return self._augmented(sample, step, slot, greys=greys)
        windows = np.random.default_rng([self.seed, step, slot, 3])
        # A margin first, so that what a rotation brings into the window is the patient's.
        outer = min(round(_MARGIN * side), sample.image.shape[-1])
        sample = crop(sample, draw_window(sample, outer, windows, at_lesion=at_lesion))
        sample = self._augmented(sample, step, slot, greys=greys)
        return crop(sample, draw_window(sample, side, windows, at_lesion=at_lesion))

    def _augmented(self, sample: Sample, step: int, slot: int, *, greys: bool) -> Sample:
        """The sample as a function of seed, step and slot.

        Each kind of change has a generator of its own, so that switching one on leaves the
        draws of the others as they were.
        """
        config = self.dataset.config.augment
        if not config.enabled:
            return sample
        turning = np.random.default_rng([self.seed, step, slot, 1])
        sample = turn_sample(sample, draw_turn(config, turning))
        look = draw_restyle(config, turning)
        rng = np.random.default_rng([self.seed, step, slot])
        change = draw(config, rng, sample.image.shape[-1])
        if not greys:
            return apply(sample, change.without_greys())
        known = self.dataset.folder.card.source(sample.identity.source).hu_known
        window_hu = self.dataset.config.window_hu if known else None
        sample = replace(sample, image=restyle(sample.image, look, window_hu))
        return apply(sample, change)


def step_loader(batches: StepBatches, *, start: int, stop: int, workers: int) -> DataLoader[Batch]:
    """The batches of steps ``start`` to ``stop``, in order."""
    return DataLoader(batches, batch_size=None, sampler=range(start, stop), num_workers=workers)


def batches_in_order(dataset: SliceDataset, batch: int) -> Iterator[Batch]:
    """Every row once, in table order and unaugmented."""
    for first in range(0, len(dataset), batch):
        rows = range(first, min(first + batch, len(dataset)))
        yield collate([dataset.sample(row) for row in rows], dataset.label_space)
