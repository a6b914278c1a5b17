"""Batches: for training as a pure function of the step, for evaluation in table order."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from torch.utils.data import DataLoader, Dataset

from tetract.data.augment import apply, draw
from tetract.data.collate import collate
from tetract.data.dataset import SliceDataset
from tetract.data.sampling import BatchPlan
from tetract.types.batch import Batch


class StepBatches(Dataset[Batch]):
    """Item ``i`` is the batch of step ``i``: same seed, same step, same batch, on any worker.

    Nothing needs to be saved for a run to resume where it stopped.
    """

    def __init__(self, dataset: SliceDataset, plan: BatchPlan, *, seed: int) -> None:
        self.dataset = dataset
        self.plan = plan
        self.seed = seed

    def __getitem__(self, index: int) -> Batch:
        """The augmented batch of step ``index``."""
        config = self.dataset.config.augment
        samples = []
        for slot, row in enumerate(self.plan.rows(index)):
            sample = self.dataset.sample(row)
            if config.enabled:
                rng = np.random.default_rng([self.seed, index, slot])
                sample = apply(sample, draw(config, rng, sample.image.shape[-1]))
            samples.append(sample)
        return collate(samples, self.dataset.label_space)


def step_loader(batches: StepBatches, *, start: int, stop: int, workers: int) -> DataLoader[Batch]:
    """The batches of steps ``start`` to ``stop``, in order."""
    return DataLoader(batches, batch_size=None, sampler=range(start, stop), num_workers=workers)


def batches_in_order(dataset: SliceDataset, batch: int) -> Iterator[Batch]:
    """Every row once, in table order and unaugmented."""
    for first in range(0, len(dataset), batch):
        rows = range(first, min(first + batch, len(dataset)))
        yield collate([dataset.sample(row) for row in rows], dataset.label_space)
