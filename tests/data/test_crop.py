"""Claims about windows: they hold what they are drawn for, and teach only what they show."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tetract.data.config import DataConfig
from tetract.data.crop import Window, crop, draw_window
from tetract.types import Boxes, BoxTarget, MaskTarget, Targets
from tetract.types.batch import Identity, Sample

SIDE = 96


def sample(*blocks: tuple[int, int, int, int], label: tuple[bool, ...] | None = None) -> Sample:
    masks = np.zeros((len(blocks), SIDE, SIDE), dtype=bool)
    for mask, (x0, y0, x1, y1) in zip(masks, blocks, strict=True):
        mask[y0:y1, x0:x1] = True
    boxes = Boxes(
        xyxy=np.array(blocks, dtype=np.float32).reshape(-1, 4),
        labels=np.zeros(len(blocks), dtype=np.int64),
        masks=masks,
        canvas=(SIDE, SIDE),
    )
    union = np.asarray(masks.any(axis=0, keepdims=True))
    return Sample(
        image=np.asarray(union, dtype=np.float32),
        targets=Targets(
            label=None if label is None else np.array(label),
            masks=MaskTarget(pixels=union, annotated=np.array([True])),
            boxes=BoxTarget(boxes=boxes, annotated=np.array([True])),
        ),
        identity=Identity(
            row=0, patient="", source="s", slice_index=0, spacing_mm=None, frame_px=(8, 0, 88, 96)
        ),
    )


def boxes_of(one: Sample) -> Boxes:
    assert one.targets.boxes is not None
    return one.targets.boxes.boxes


def test_image_masks_and_boxes_move_together() -> None:
    seen = crop(sample((40, 50, 48, 60)), Window(top=40, left=32, side=32))
    assert boxes_of(seen).xyxy.tolist() == [[8, 10, 16, 20]]
    assert seen.image.shape == (1, 32, 32)
    assert seen.targets.masks is not None
    assert np.array_equal(seen.targets.masks.pixels, seen.image > 0)
    lesions = boxes_of(seen).masks
    assert lesions is not None
    assert np.array_equal(lesions, seen.image > 0)
    assert seen.identity.frame_px == (0, 0, 32, 32)


def test_a_lesion_out_of_view_leaves_a_looked_at_negative_of_unknown_class() -> None:
    seen = crop(sample((80, 80, 90, 90), label=(False, True)), Window(top=0, left=0, side=32))
    assert len(boxes_of(seen)) == 0
    assert seen.targets.label is None


def test_a_class_stays_where_its_lesion_or_none_is_marked() -> None:
    window = Window(top=0, left=0, side=32)
    assert crop(sample((8, 8, 16, 16), label=(False, True)), window).targets.label is not None
    assert crop(sample(label=(True, False)), window).targets.label is not None


def test_what_excludes_classes_keeps_excluding_them() -> None:
    seen = crop(sample((80, 80, 90, 90), label=(True, True)), Window(top=0, left=0, side=32))
    assert seen.targets.label is not None
    assert seen.targets.label.tolist() == [True, True]


def test_a_sliver_of_a_lesion_makes_its_window_say_nothing_of_lesions() -> None:
    seen = crop(sample((30, 10, 50, 20)), Window(top=0, left=0, side=32))
    assert seen.targets.boxes is None


def test_unlabelled_stays_unlabelled() -> None:
    bare = replace(sample(), targets=Targets())
    assert crop(bare, Window(top=0, left=0, side=32)).targets == Targets()


@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 10_000), x=st.integers(0, 88), y=st.integers(0, 88))
def test_a_window_at_a_lesion_holds_its_middle(seed: int, x: int, y: int) -> None:
    one = sample((x, y, x + 8, y + 8))
    window = draw_window(one, 32, np.random.default_rng(seed), at_lesion=1.0)
    assert 0 <= window.top <= SIDE - 32
    assert 0 <= window.left <= SIDE - 32
    assert window.top <= y + 4 <= window.top + 32
    assert window.left <= x + 4 <= window.left + 32


def test_windows_reach_every_place() -> None:
    rng = np.random.default_rng(0)
    tops = {draw_window(sample(), 64, rng, at_lesion=0.5).top for _ in range(2000)}
    assert tops == set(range(33))


def test_a_window_larger_than_the_slice_is_refused() -> None:
    with pytest.raises(ValueError, match="crop_px must not exceed image_px"):
        DataConfig.model_validate({"folder": ".", "image_px": 64, "crop_px": 96})
