"""Samples side by side; what a row does not know stays unknown."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from tetract.types import BoxTarget, LabelSpace, Task
from tetract.types.batch import Batch, BoxRow, Sample


def collate(samples: Sequence[Sample], label_space: LabelSpace) -> Batch:
    """One batch of samples of one size.

    Unlabelled rows hold zeros in ``label`` and ``masks``, and ``labelled`` and
    ``masks_annotated`` say that these zeros mean nothing.

    Args:
        samples: At least one; all of the same (C, H, W).
        label_space: Names behind the channels, for the widths of absent targets.
    """
    height, width = samples[0].image.shape[-2:]
    label = np.zeros((len(samples), len(label_space.classes)), dtype=bool)
    masks = np.zeros((len(samples), len(label_space.mask_classes), height, width), dtype=bool)
    annotated = np.zeros(masks.shape[:2], dtype=bool)
    for row, targets in enumerate(sample.targets for sample in samples):
        if targets.label is not None:
            label[row] = targets.label
        if targets.masks is not None:
            masks[row] = targets.masks.pixels
            annotated[row] = targets.masks.annotated
    labelled = [[sample.targets.is_labelled(task) for task in Task] for sample in samples]
    return Batch(
        image=torch.from_numpy(np.stack([sample.image for sample in samples])),
        labelled=torch.tensor(labelled),
        label=torch.from_numpy(label),
        masks=torch.from_numpy(masks),
        masks_annotated=torch.from_numpy(annotated),
        boxes=tuple(_box_row(sample.targets.boxes) for sample in samples),
        identity=tuple(sample.identity for sample in samples),
    )


def _box_row(target: BoxTarget | None) -> BoxRow | None:
    if target is None:
        return None
    boxes = target.boxes
    return BoxRow(
        xyxy=torch.from_numpy(boxes.xyxy),
        labels=torch.from_numpy(boxes.labels),
        masks=None if boxes.masks is None else torch.from_numpy(boxes.masks),
        annotated=torch.from_numpy(target.annotated),
    )
