"""Claims about batches of rows that know different things."""

from __future__ import annotations

import numpy as np
import torch

from tetract.data.collate import collate
from tetract.types import Boxes, BoxTarget, LabelSpace, MaskTarget, Targets, Task
from tetract.types.batch import Identity, Sample

SPACE = LabelSpace(classes=("a", "b"), mask_classes=("lung", "nodule"), box_classes=("nodule",))


def sample(row: int, **known: object) -> Sample:
    return Sample(
        image=np.full((1, 32, 32), row / 10, dtype=np.float32),
        # The checker cannot see which field each keyword is; beartype checks them.
        targets=Targets(**known),  # pyright: ignore[reportArgumentType]
        identity=Identity(row=row, patient="", source="s", slice_index=0, spacing_mm=None),
    )


def boxes(count: int) -> BoxTarget:
    xyxy = np.tile(np.array([1, 2, 5, 6], dtype=np.float32), (count, 1))
    found = Boxes(xyxy=xyxy, labels=np.zeros(count, dtype=np.int64), masks=None, canvas=(32, 32))
    return BoxTarget(boxes=found, annotated=np.array([True]))


LUNG = np.zeros((2, 32, 32), dtype=bool)
LUNG[0, 3:9] = True
MIXED = (
    sample(1, label=np.array([True, False])),
    sample(2, masks=MaskTarget(pixels=LUNG, annotated=np.array([True, False]))),
    sample(3, boxes=boxes(0)),
    sample(4, boxes=boxes(2)),
)


def test_each_row_is_labelled_for_what_it_knows() -> None:
    batch = collate(MIXED, SPACE)
    assert batch.rows(Task.CLASSIFICATION).tolist() == [0]
    assert batch.rows(Task.SEGMENTATION).tolist() == [1]
    assert batch.rows(Task.RECONSTRUCTION).tolist() == [0, 1, 2, 3]
    assert batch.rows(Task.DETECTION).tolist() == [2, 3]


def test_unknown_and_empty_boxes_stay_apart() -> None:
    batch = collate(MIXED, SPACE)
    assert batch.boxes[0] is None
    assert batch.boxes[2] is not None
    assert batch.boxes[2].xyxy.shape == (0, 4)


def test_channels_that_nobody_looked_for_are_marked() -> None:
    batch = collate(MIXED, SPACE)
    assert batch.masks_annotated.tolist() == [[False, False], [True, False]] + [[False] * 2] * 2
    assert torch.equal(batch.masks[1], torch.from_numpy(LUNG))


def test_a_batch_holds_its_samples_in_order() -> None:
    batch = collate(MIXED, SPACE)
    assert [identity.row for identity in batch.identity] == [1, 2, 3, 4]
    assert torch.allclose(batch.image[:, 0, 0, 0], torch.tensor([0.1, 0.2, 0.3, 0.4]))


def test_a_batch_is_the_same_as_its_parts() -> None:
    whole = collate(MIXED, SPACE)
    alone = collate(MIXED[3:], SPACE)
    assert torch.equal(whole.select(torch.tensor([3])).image, alone.image)
    assert alone.boxes[0] is not None
    assert alone.boxes[0].xyxy.shape == (2, 4)
