"""Answers of a teacher, written by hand."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from makers import SIDE, make_batch
from tetract.train.teacher import Relations, Teacher, TeacherConfig
from tetract.train.teacher.relations import Lesion
from tetract.types import LabelSpace, Task
from tetract.types.batch import Batch
from tetract.types.predictions import DetectedBoxes, Predictions

Box = tuple[tuple[float, float, float, float], float, int]
"""Corners in px, score, class."""

NORMAL, COVID, NODULE = range(3)
LUNG_MASK, NODULE_MASK = range(2)
NODULE_BOX, INFECTION_BOX = range(2)
RELATIONS = Relations(
    tasks=frozenset({Task.CLASSIFICATION, Task.SEGMENTATION, Task.DETECTION}),
    space=LabelSpace(
        classes=("normal", "covid", "nodule"),
        mask_classes=("lung", "nodule"),
        box_classes=("nodule", "infection"),
    ),
    lesions=(
        Lesion(name="nodule", mask=NODULE_MASK, box=NODULE_BOX, label=NODULE),
        Lesion(name="infection", box=INFECTION_BOX),
    ),
    free={"s": NORMAL},
)
PLACE = (8.0, 8.0, 18.0, 18.0)
SURE_BOX: Box = (PLACE, 0.95, NODULE_BOX)
UNDECIDED = (0.3, 0.4, 0.3)
BARE = make_batch(rows=1, reconstruct=False)


def nodule_map(inside: float = 0.95, outside: float = 0.02) -> Tensor:
    """A nodule at PLACE, with one pixel around it that the teacher is not sure of."""
    likely = torch.full((SIDE, SIDE), outside)
    likely[7:19, 7:19] = 0.5
    likely[8:18, 8:18] = inside
    return likely


def clear(outside: float = 0.02) -> Tensor:
    return torch.full((SIDE, SIDE), outside)


def said(
    classes: tuple[float, ...] = UNDECIDED,
    nodule: Tensor | None = None,
    boxes: tuple[Box, ...] = (SURE_BOX,),
    lung: Tensor | None = None,
) -> Predictions:
    """About one row; where nothing else is given, a nodule at PLACE."""
    drawn = torch.zeros(len(boxes), SIDE, SIDE)
    for mask, ((x0, y0, x1, y1), _, _) in zip(drawn, boxes, strict=True):
        mask[int(y0) : int(y1), int(x0) : int(x1)] = 1.0
    found = DetectedBoxes(
        xyxy=torch.tensor([corners for corners, _, _ in boxes], dtype=torch.float32).reshape(-1, 4),
        scores=torch.tensor([score for _, score, _ in boxes], dtype=torch.float32),
        labels=torch.tensor([label for _, _, label in boxes], dtype=torch.int64),
        masks=drawn,
    )
    masks = [clear(0.5) if lung is None else lung, nodule_map() if nodule is None else nodule]
    return Predictions(
        class_probabilities=torch.tensor([classes]),
        mask_probabilities=torch.stack(masks)[None],
        boxes=(found,),
    )


def without(said: Predictions, *tasks: Task) -> Predictions:
    """The same from a network without these heads."""
    fields = {
        Task.CLASSIFICATION: "class_probabilities",
        Task.SEGMENTATION: "mask_probabilities",
        Task.DETECTION: "boxes",
    }
    return replace(said, **{fields[task]: None for task in tasks})


def labels(answer: Predictions, batch: Batch = BARE, **config: object) -> Batch | None:
    """What becomes of row 0; None where nothing."""
    teacher = Teacher(TeacherConfig.model_validate({"weight": 1.0, **config}), RELATIONS)
    return teacher.read(batch, answer, [0])[0]
