"""Claims about quarter turns: exact, and boxes go with their lesions."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest

from tetract.data.collate import collate
from tetract.data.config import AugmentConfig
from tetract.data.lesions import tight_boxes
from tetract.data.turn import STAYS, Turn, draw_turn, turn_sample
from tetract.types import Boxes, BoxTarget, LabelSpace, MaskTarget, Targets
from tetract.types.batch import Identity, Sample

SIZE = 32
TURNS = list(itertools.product(range(4), (False, True)))


def a_sample() -> Sample:
    lesion = np.zeros((1, SIZE, SIZE), dtype=bool)
    lesion[0, 4:9, 10:13] = True
    boxes = Boxes(
        xyxy=tight_boxes(lesion), labels=np.zeros(1, np.int64), masks=lesion, canvas=(SIZE, SIZE)
    )
    return Sample(
        image=np.random.default_rng(0).random((1, SIZE, SIZE), dtype=np.float32),
        targets=Targets(
            masks=MaskTarget(pixels=lesion, annotated=np.array([True])),
            boxes=BoxTarget(boxes=boxes, annotated=np.array([True])),
        ),
        identity=Identity(row=0, patient="", source="s", slice_index=0, spacing_mm=(1.0, 2.0)),
    )


@pytest.mark.parametrize("turn", TURNS)
def test_boxes_turn_with_their_lesions(turn: Turn) -> None:
    one = turn_sample(a_sample(), turn)
    assert one.targets.boxes is not None
    assert one.targets.masks is not None
    assert np.array_equal(one.targets.boxes.boxes.xyxy, tight_boxes(one.targets.masks.pixels))
    instances = one.targets.boxes.boxes.masks
    assert instances is not None
    assert np.array_equal(instances, one.targets.masks.pixels)


def test_the_eight_are_different_pictures_of_the_same_pixels() -> None:
    images = [turn_sample(a_sample(), turn).image for turn in TURNS]
    assert len({image.tobytes() for image in images}) == 8
    assert all(np.array_equal(np.sort(i.ravel()), np.sort(images[0].ravel())) for i in images)


def test_pixel_sides_swap_with_every_quarter() -> None:
    assert turn_sample(a_sample(), (1, False)).identity.spacing_mm == (2.0, 1.0)
    assert turn_sample(a_sample(), (2, True)).identity.spacing_mm == (1.0, 2.0)


def test_boxes_without_masks_turn_too() -> None:
    one = a_sample()
    assert one.targets.boxes is not None
    bare = replace(one.targets.boxes, boxes=replace(one.targets.boxes.boxes, masks=None))
    turned = turn_sample(replace(one, targets=replace(one.targets, boxes=bare)), (1, True))
    assert turned.targets.boxes is not None
    assert turned.targets.masks is not None
    assert np.array_equal(turned.targets.boxes.boxes.xyxy, tight_boxes(turned.targets.masks.pixels))


@pytest.mark.parametrize("turn", TURNS)
def test_a_slice_that_shows_no_lesion_turns_too(turn: Turn) -> None:
    one = a_sample()
    assert one.targets.boxes is not None
    none = Boxes(
        xyxy=np.zeros((0, 4), np.float32),
        labels=np.zeros(0, np.int64),
        masks=np.zeros((0, SIZE, SIZE), dtype=bool),
        canvas=(SIZE, SIZE),
    )
    empty = replace(one.targets, boxes=replace(one.targets.boxes, boxes=none))
    turned = turn_sample(replace(one, targets=empty), turn)
    space = LabelSpace(classes=(), mask_classes=("lesion",), box_classes=("lesion",))
    (row,) = collate([turned], space).boxes
    assert row is not None
    assert row.masks is not None
    assert row.masks.shape == (0, SIZE, SIZE)


def test_turns_are_off_by_default_and_drawn_evenly_when_on() -> None:
    draws = [draw_turn(AugmentConfig(), np.random.default_rng(k)) for k in range(50)]
    assert set(draws) == {STAYS}
    config = AugmentConfig(quarter_turns=1.0)
    drawn = {draw_turn(config, np.random.default_rng(k)) for k in range(200)}
    assert drawn == set(TURNS)
