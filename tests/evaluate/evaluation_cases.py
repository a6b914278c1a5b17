"""A small batch with every kind of label, and a model that knows the answers."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from tetract.types import LabelSpace, Task
from tetract.types.batch import Batch, BoxRow, Identity
from tetract.types.predictions import DetectedBoxes, Predictions

SPACE = LabelSpace(
    classes=("covid", "normal"), mask_classes=("lung", "infection"), box_classes=("infection",)
)
SIZE = 16
LESION = (2.0, 3.0, 8.0, 7.0)
# source, patient, class (None: unlabelled), infected (None: unlabelled)
CASES = (
    ("A", "1", 0, True),
    ("A", "1", 1, False),
    ("A", "2", None, True),
    ("B", "1", 0, None),
    ("B", "", 1, None),
)


def make_batch(rows: Sequence[int] = range(len(CASES))) -> Batch:
    """Rows of ``CASES``; a covid slice is bright, a lesion sits at ``LESION``."""
    image = torch.full((len(rows), 1, SIZE, SIZE), 0.25)
    label = torch.zeros(len(rows), 2, dtype=torch.bool)
    masks = torch.zeros(len(rows), 2, SIZE, SIZE, dtype=torch.bool)
    labelled = torch.zeros(len(rows), 4, dtype=torch.bool)
    labelled[:, list(Task).index(Task.RECONSTRUCTION)] = True
    boxes: list[BoxRow | None] = []
    identity: list[Identity] = []
    for i, row in enumerate(rows):
        source, patient, known, infected = CASES[row]
        image[i] += torch.rand(1, SIZE, SIZE, generator=torch.Generator().manual_seed(row)) / 4
        identity.append(
            Identity(row=row, patient=patient, source=source, slice_index=0, spacing_mm=(0.5, 2.0))
        )
        if known is not None:
            label[i, known] = True
            labelled[i, list(Task).index(Task.CLASSIFICATION)] = True
            image[i, 0, 0, 0] = 1.0 if known == 0 else 0.0
        boxes.append(None if infected is None else make_boxes(infected))
        if infected is not None:
            labelled[i, [list(Task).index(t) for t in (Task.SEGMENTATION, Task.DETECTION)]] = True
            masks[i, 1, 3:7, 2:8] = infected
    return Batch(
        image=image,
        labelled=labelled,
        label=label,
        masks=masks,
        masks_annotated=torch.tensor([[False, True]] * len(rows)),
        boxes=tuple(boxes),
        identity=tuple(identity),
    )


def make_boxes(infected: bool) -> BoxRow:
    return BoxRow(
        xyxy=torch.tensor([LESION] * infected).reshape(-1, 4),
        labels=torch.zeros(int(infected), dtype=torch.int64),
        masks=None,
        annotated=torch.tensor([True]),
    )


class Oracle:
    """Says the truth about ``make_batch``, but paints and boxes a lesion on every slice."""

    label_space = SPACE

    def __init__(self, tasks: Sequence[Task] = tuple(Task)) -> None:
        self.tasks = tuple(tasks)
        self.shown: list[Tensor] = []

    def predict(
        self,
        image: Tensor,
        tasks: tuple[Task, ...] | None = None,  # noqa: ARG002  it knows everything anyway
    ) -> Predictions:
        self.shown.append(image)
        count, covid = len(image), image[:, 0, 0, 0]
        masks = torch.zeros(count, 2, SIZE, SIZE)
        masks[:, 1, 3:7, 2:8] = 0.9
        box = DetectedBoxes(
            xyxy=torch.tensor([LESION]),
            scores=torch.tensor([0.9]),
            labels=torch.tensor([0]),
            masks=torch.zeros(1, SIZE, SIZE),
        )
        return Predictions(
            class_probabilities=torch.stack([covid, 1 - covid], dim=1),
            mask_probabilities=masks,
            reconstruction=image.clone(),
            boxes=(box,) * count,
        )
